#!/usr/bin/env python3
"""The real controller and agent against a real API server and etcd that are killed, stopped, restarted and
compacted, and whose tokens end. Runs inside a bed without node (tests/k3s/bed.sh). Usage: real.py --bin DIR
[--rounds N] [--seed N]; 10 rounds are 50 SIGKILLs and 70 other faults. Prints what it tried and what it found,
as run.py does.
"""

import argparse
import base64
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request

from run import Tally
from world import AGENT_LABELS, ALL, NAMESPACE

ROOT = pathlib.Path(__file__).resolve().parents[3]
K3S, BEDCTL = "/usr/local/bin/k3s", "/usr/local/bin/bedctl"
ETCD_TLS = pathlib.Path("/var/lib/rancher/k3s/server/tls/etcd")
KUBECONFIG = "/etc/rancher/k3s/k3s.yaml"
LIMIT = 150
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "KUBECONFIG": KUBECONFIG}


class Counts(Tally):
    def count(self, word):
        self.words[word] = self.words.get(word, 0) + 1


def kubectl(*words, given=None, check=True):
    done = subprocess.run([K3S, "kubectl", *words], input=given, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    if check and done.returncode:
        raise AssertionError(f"kubectl {' '.join(words)}: {done.stderr}")
    return done.stdout


def patiently(*words, given=None):
    """A server that was just killed is not there at once."""
    end = time.monotonic() + 60
    while True:
        try:
            return kubectl(*words, given=given)
        except (AssertionError, subprocess.TimeoutExpired):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


class Bed:
    def __init__(self, programs, seed):
        self.programs, self.draw = programs, random.Random(seed)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="rb-fault-real-"))
        self.node = re.search(r"node-name: (\S+)", pathlib.Path("/etc/rancher/k3s/config.yaml").read_text()).group(1)
        self.processes, self.count = [], 0
        kubectl("apply", "-f", str(ROOT / "crds"))
        kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        kubectl("create", "namespace", NAMESPACE, check=False)
        kubectl("delete", "clusterbackups,nodebackups", "--all")
        kubectl("delete", "serviceaccount", "rb-fault", "-n", NAMESPACE, "--ignore-not-found")
        self.account()
        config = kubectl("config", "view", "--raw", "-o", "json")
        cluster = json.loads(config)["clusters"][0]["cluster"]
        self.url = cluster["server"]
        (self.directory / "ca.crt").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        (self.directory / "kubeconfig").write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": cluster["server"], "certificate-authority": "ca.crt"}}],
            "users": [{"name": "u", "user": {"tokenFile": "token"}}]}))
        layout = self.directory / "host"
        subprocess.run([programs["layout"], str(layout)], check=True)  # for its .sops.yaml
        self.sops = layout / "sops.yaml"
        self.backups = self.directory / "backups"

    def account(self):
        """A service account of our own, and a token in its file."""
        patiently("create", "serviceaccount", "rb-fault", "-n", NAMESPACE)
        kubectl("create", "clusterrolebinding", "rb-fault", "--clusterrole=cluster-admin",
                f"--serviceaccount={NAMESPACE}:rb-fault", check=False)
        token = patiently("create", "token", "rb-fault", "-n", NAMESPACE)
        (self.directory / "token.new").write_text(token)
        (self.directory / "token.new").rename(self.directory / "token")

    def end_token(self):
        """Returns when the server refuses the token; it believes in one that it has just seen for 10 seconds."""
        patiently("delete", "serviceaccount", "rb-fault", "-n", NAMESPACE, "--ignore-not-found")
        trust = ssl.create_default_context(cafile=self.directory / "ca.crt")
        asked = urllib.request.Request(self.url + "/api/v1/namespaces", headers={
            "Authorization": "Bearer " + (self.directory / "token").read_text()})
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(asked, timeout=10, context=trust).close()
            except urllib.error.HTTPError as refused:
                if refused.code == 401:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError("the server goes on taking the token of an account that is gone")

    def agent_pod(self):
        """As a DaemonSet would: no node is there that the pod could be on, so the cluster collects it as garbage."""
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "agent-1", "namespace": NAMESPACE, "labels": AGENT_LABELS},
               "spec": {"nodeName": self.node, "containers": [{"name": "agent", "image": "none"}]}}
        ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
        where = ("pod", "agent-1", "-n", NAMESPACE)
        try:
            if kubectl("get", *where, "-o", "jsonpath={.status.phase}", check=False) != "Running":
                kubectl("create", "-f", "-", given=json.dumps(pod), check=False)
                kubectl("patch", *where, "--subresource=status", "--type=merge", "-p", json.dumps(ready), check=False)
        except subprocess.TimeoutExpired:
            pass  # it is looked at again

    def start(self):
        common = ["--namespace", NAMESPACE, "--sops-config", str(self.sops), "--metrics-listen", "127.0.0.1:0", "--log-format", "text"]
        config = str(self.directory / "kubeconfig")
        for name, command in (
                ("controller", [self.programs["controller"], *common, "--kubeconfig", config, "--identity", "fault"]),
                ("agent", [self.programs["agent"], *common, "--kube-kubeconfig", config, "--node-name", self.node, "--agent-id", "a",
                           "--backup-dir", str(self.backups), "--key-dir", str(self.directory / "keys"),
                           "--data-dir", "/var/lib/rancher/k3s", "--kit", "",
                           "--etcd-server", "https://127.0.0.1:9345"])):
            with open(self.directory / f"{name}.log", "ab") as log:
                self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT))

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()

    def pids(self, program):
        found = [int(path.parent.name) for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
                 if path.read_bytes().split(b"\0")[0] == program.encode()]
        assert found, f"no {program} runs"
        return found

    # One run, and what may be wrong with it.

    def digests(self):
        found = {}
        for path in self.backups.glob("manifest-*.json"):
            for artifact in json.loads(path.read_text())["artifacts"]:
                file = self.backups / artifact["fileName"]
                found[file.name] = file.read_bytes() if file.exists() else None
        return found

    def manifests_of(self, uid):
        every = (json.loads(path.read_text()) for path in self.backups.glob("manifest-*.json"))
        return [manifest for manifest in every if uid in str(manifest)]

    def condition(self, name):
        """("True" | "False" | "Unknown" | None, reason); None, too, when the server does not answer."""
        try:
            now = json.loads(kubectl("get", "clusterbackup", name, "-o", "json"))
        except (AssertionError, ValueError, subprocess.TimeoutExpired):
            return None, ""
        for condition in now.get("status", {}).get("conditions", []):
            if condition["type"] == "Succeeded":
                return condition["status"], f"{condition['reason']}: {condition.get('message')}"
        return None, ""

    def one_run(self, tally=None, fault=None):
        """What is wrong with a run that a fault meets at any time of it."""
        self.agent_pod()
        before = self.digests()
        self.count += 1
        name = f"fault-{self.count}-{int(time.time())}"
        made = json.loads(patiently("create", "-o", "json", "-f", "-", given=json.dumps({
            "apiVersion": "backup.railiance.io/v1alpha1", "kind": "ClusterBackup", "metadata": {"name": name},
            "spec": {"artifacts": ALL, "retention": {"keepLast": 5}, "deadlineSeconds": 100}})))
        if fault:
            time.sleep(self.draw.uniform(0, 1.5))
            if not self.manifests_of(made["metadata"]["uid"]):
                tally.count("met before the set was whole")
            fault()
        end, status, reason = time.monotonic() + LIMIT, None, ""
        while time.monotonic() < end and status not in ("True", "False"):
            time.sleep(0.3)
            now = self.condition(name)
            status, reason = now if now[0] else (status, reason)
            if now[0]:
                self.agent_pod()
        findings = []
        if status not in ("True", "False"):
            findings.append(f"the run did not end: {reason}")
        elif status == "False" and not fault:
            findings.append(f"the run failed: {reason}")
        mine = self.manifests_of(made["metadata"]["uid"])
        whole = sum(bool(m.get("complete")) for m in mine)
        if len(mine) > 1 or (status in ("True", "False") and (status == "True") != (whole == 1)):
            findings.append(f"the status says {status} ({reason}), the disk has {whole} complete sets of {len(mine)}")
        after = self.digests()
        findings += [f"{file} has changed" for file, content in before.items() if file in after and after[file] != content]
        if list(pathlib.Path("/var/lib/rancher/k3s/server/db/snapshots").glob("railiance-*")) and status == "True":
            findings.append("a snapshot was left in clear")
        findings += [f"program {i} has ended" for i, process in enumerate(self.processes) if process.poll() is not None]
        if fault:
            tally.count(f"runs that said {status}")
        return findings

    # Episodes.

    def killed(self):
        subprocess.run([BEDCTL, "kill"], check=True, env=ENVIRONMENT)
        time.sleep(self.draw.uniform(0, 3))
        subprocess.run([BEDCTL, "start"], check=True, env=ENVIRONMENT)

    def stopped(self):
        self.stop("kube-apiserver")

    def etcd_stopped(self):
        self.stop("etcd")

    def stop(self, program):
        pids = self.pids(program)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(self.draw.uniform(1, 12))
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def restarted(self):
        subprocess.run([BEDCTL, "restart"], check=True, env=ENVIRONMENT)

    def compacted(self):
        """All of etcd's history goes, and with the server its memory of it: no watch can go on where it was."""
        gateway = "https://127.0.0.1:2382/v3/kv/"
        trust = ssl.create_default_context(cafile=ETCD_TLS / "server-ca.crt")
        trust.load_cert_chain(ETCD_TLS / "client.crt", ETCD_TLS / "client.key")

        def ask(what, body):
            with urllib.request.urlopen(gateway + what, json.dumps(body).encode(), 10, context=trust) as answer:
                return json.loads(answer.read())
        revision = ask("range", {"key": "eA=="})["header"]["revision"]
        ask("compaction", {"revision": revision, "physical": True})
        self.killed()

    def token_comes(self):
        time.sleep(self.draw.uniform(0, 4))
        self.account()

    def verify(self):
        words = ["--backup-dir", self.backups, "--public-key", self.directory / "keys/signing.pub", "verify", "--all"]
        done = subprocess.run([self.programs["restore"], *map(str, words)], capture_output=True, text=True, env=ENVIRONMENT)
        return done.returncode, done.stdout + done.stderr


def nothing():
    pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(2 ** 32))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # so that what was begun is ended
    print(f"seed {options.seed}", flush=True)
    build = pathlib.Path(options.bin)
    bed = Bed({"layout": str(build / "tests/fault/api/fault_layout"),
               "controller": str(build / "controller/railiance-backup-controller"),
               "agent": str(build / "hostagent/agent/railiance-backup-agent"),
               "restore": str(build / "hostagent/restore/railiance-restore")}, options.seed)
    good = True
    bed.start()
    try:
        for what, times, before, fault in (
                ("SIGKILL of the server, etcd and API", 5, nothing, bed.killed),
                ("SIGSTOP of the API server", 1, nothing, bed.stopped),
                ("SIGSTOP of etcd", 1, nothing, bed.etcd_stopped),
                ("restart of the server", 1, nothing, bed.restarted),
                ("compaction of etcd, and SIGKILL", 2, nothing, bed.compacted),
                ("the token ends, another comes later", 1, bed.end_token, bed.token_comes)):
            tally = Counts("a real server in mid-run: " + what)
            for number in range(times * options.rounds):
                before()
                findings = bed.one_run(tally, fault)
                tally.add(f"round {number}", findings + ["the next run: " + m for m in bed.one_run()])
            good &= tally.report()
        code, text = bed.verify()
        good &= code == 0
        print(f"FAULTS sets left after all of it: verify --all ends with {code}" + ("" if code == 0 else "\n" + text))
    finally:
        bed.end()
    if good:
        shutil.rmtree(bed.directory)
    else:
        print(f"logs and backups are in {bed.directory}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
