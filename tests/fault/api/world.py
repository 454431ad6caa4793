"""A host in a directory, a scripted API server, and the real controller and agent between them."""

import base64
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from apiserver import ApiServer

NAMESPACE = "railiance-backup"
NODE = "vm"
ALL = ["EtcdSnapshot", "HelmValues", "Kubeconfig", "HostState"]
AGENT_LABELS = {"app.kubernetes.io/name": "railiance-backup", "app.kubernetes.io/component": "agent"}


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Certificates:
    """One CA after the other, and what each signs."""

    def __init__(self, directory):
        self.directory, self.number = directory, 0
        directory.mkdir()
        (directory / "san").write_text("subjectAltName=IP:127.0.0.1\n")

    def make(self, days=1, new_ca=False):
        """(certificate, key, CA); a certificate of -1 days ended yesterday."""
        if new_ca or not self.number:
            self.number += 1
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
                    "-subj", f"/CN=fault-ca-{self.number}", "-keyout", self.path("ca.key"), "-out", self.path("ca.crt"))
        name = f"server{days}"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=server",
                "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
        openssl("x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path("ca.crt"), "-CAkey", self.path("ca.key"),
                "-CAcreateserial", "-days", days, "-extfile", self.directory / "san", "-out", self.path(name + ".crt"))
        return self.path(name + ".crt"), self.path(name + ".key"), self.path("ca.crt")

    def path(self, name):
        return self.directory / f"{self.number}-{name}"


def helm_secret(number):
    release = {"name": f"app{number}", "namespace": "default", "version": 1, "info": {"status": "deployed"},
               "chart": {"metadata": {"name": "chart", "version": "1.0.0"}}, "config": {"replicas": number}}
    record = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    return {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "data": {"release": record},
            "metadata": {"name": f"sh.helm.release.v1.app{number}.v1",
                         "labels": {"owner": "helm", "name": f"app{number}", "status": "deployed", "version": "1"}}}


class World:
    def __init__(self, directory, programs):
        self.directory, self.programs = directory, programs
        self.host = directory / "host"
        subprocess.run([programs["layout"], str(self.host)], check=True)
        self.certificates = Certificates(directory / "certificates")
        certificate, key, ca = self.certificates.make()
        shutil.copy(ca, directory / "ca.crt")
        self.tokens = 0
        self.api = ApiServer(certificate, key, self.new_token())
        self.write_kubeconfig()
        self.processes, self.backups = {}, 0
        self.objects()

    def new_token(self):
        self.tokens += 1
        token = f"token-{self.tokens}"
        (self.directory / "token.new").write_text(token)
        (self.directory / "token.new").rename(self.directory / "token")
        return token

    def write_kubeconfig(self):
        (self.directory / "kubeconfig").write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{self.api.port}",
                                                   "certificate-authority": str(self.directory / "ca.crt")}}],
            "users": [{"name": "u", "user": {"tokenFile": str(self.directory / "token")}}]}))

    def objects(self):
        store = self.api.store
        store.make("pods", NAMESPACE, {"kind": "Pod", "metadata": {"name": "agent-1", "labels": AGENT_LABELS},
                                       "spec": {"nodeName": NODE},
                                       "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
        for number in range(3):
            store.make("secrets", "default", helm_secret(number))

    # The programs.

    def start(self, name, kind=None, identity="fault"):
        common = ["--namespace", NAMESPACE, "--sops-config", str(self.host / "sops.yaml"), "--metrics-listen", "127.0.0.1:0",
                  "--log-format", "text"]
        if (kind or name) == "controller":
            command = [self.programs["controller"], *common, "--kubeconfig", str(self.directory / "kubeconfig"),
                       "--identity", identity, "--agent-wait-seconds", "60"]
        else:
            command = [self.programs["agent"], *common, "--kube-kubeconfig", str(self.directory / "kubeconfig"),
                       "--node-name", NODE, "--agent-id", identity, "--backup-dir", str(self.host / "backups"),
                       "--key-dir", str(self.host / "keys"),
                       "--data-dir", str(self.host / "data"), "--config-dir", str(self.host / "etc-rancher"),
                       "--host-etc-dir", str(self.host / "etc"), "--k3s", str(self.host / "bin/k3s"), "--kit", ""]
        log = open(self.directory / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                env={"PATH": "/usr/bin:/bin"}, cwd="/")
        log.close()

    def signal(self, name, number):
        self.processes[name].send_signal(number)

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def dead(self):
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def end(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(25)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.api.end()

    # Backups.

    def request(self):
        self.backups += 1
        name = f"run-{self.backups}"
        made = self.api.store.make("clusterbackups", "", {
            "apiVersion": "backup.railiance.io/v1alpha1", "kind": "ClusterBackup", "metadata": {"name": name},
            "spec": {"artifacts": ALL, "retention": {"keepLast": 3}, "deadlineSeconds": 120}})
        return name, made["metadata"]["uid"]

    def result(self, name):
        """("True" | "False" | "Unknown" | None, reason, run id)"""
        status = (self.api.store.find("clusterbackups", name) or {}).get("status") or {}
        for condition in status.get("conditions", []):
            if condition["type"] == "Succeeded":
                return condition["status"], condition["reason"] + ": " + condition.get("message", ""), status.get("runID")
        return None, "", status.get("runID")

    def wait(self, name, limit):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found = self.result(name)
            if found[0] in ("True", "False"):
                return found
            time.sleep(0.02)
        return self.result(name)

    # The disk.

    def manifests(self):
        found = {}
        for path in (self.host / "backups").glob("manifest-*.json"):
            try:
                found[path.name[9:-5]] = json.loads(path.read_text())
            except (OSError, ValueError):
                pass
        return found

    def saves(self, run_id):
        calls = (self.host / "bin/calls").read_text() if (self.host / "bin/calls").exists() else ""
        return calls.count(f"etcd-snapshot save --name=railiance-{run_id} ")

    def digests(self):
        """Of the artifacts of the sets that are listed as complete."""
        found = {}
        for manifest in self.manifests().values():
            if not manifest.get("complete"):
                continue
            for artifact in manifest["artifacts"]:
                path = self.host / "backups" / artifact["fileName"]
                if path.exists():
                    found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def verify(self):
        done = subprocess.run([self.programs["restore"], "--backup-dir", str(self.host / "backups"), "verify", "--all"],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


def fresh(directory):
    path = pathlib.Path(directory)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    os.chmod(path, 0o700)
    return path
