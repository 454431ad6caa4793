#!/usr/bin/env python3
"""The real controller and agent against a real API server and etcd that are killed, stopped and restarted,
and whose tokens end. Runs inside a bed without node (tests/k3s/bed.sh). Usage: real.py --bin DIR
[--rounds N] [--seed N]. Prints what it tried and what it found, as run.py does.
"""

import argparse
import base64
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from run import Tally
from world import AGENT_LABELS, ALL, NAMESPACE

ROOT = pathlib.Path(__file__).resolve().parents[3]
K3S, BEDCTL = "/usr/local/bin/k3s", "/usr/local/bin/bedctl"
KUBECONFIG = "/etc/rancher/k3s/k3s.yaml"
LIMIT = 150
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "KUBECONFIG": KUBECONFIG}


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
        self.account()
        config = kubectl("config", "view", "--raw", "-o", "json")
        cluster = json.loads(config)["clusters"][0]["cluster"]
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
        """A service account of our own, and a token in its file; tokens of the account before end."""
        patiently("delete", "serviceaccount", "rb-fault", "-n", NAMESPACE, "--ignore-not-found")
        patiently("create", "serviceaccount", "rb-fault", "-n", NAMESPACE)
        kubectl("create", "clusterrolebinding", "rb-fault", "--clusterrole=cluster-admin",
                f"--serviceaccount={NAMESPACE}:rb-fault", check=False)
        token = patiently("create", "token", "rb-fault", "-n", NAMESPACE)
        (self.directory / "token.new").write_text(token)
        (self.directory / "token.new").rename(self.directory / "token")

    def agent_pod(self):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "agent-1", "namespace": NAMESPACE, "labels": AGENT_LABELS},
               "spec": {"nodeName": self.node, "containers": [{"name": "agent", "image": "none"}]}}
        if patiently("get", "pod", "agent-1", "-n", NAMESPACE, "--ignore-not-found", "-o", "name"):
            return
        patiently("create", "-f", "-", given=json.dumps(pod))
        patiently("patch", "pod", "agent-1", "-n", NAMESPACE, "--subresource=status", "--type=merge",
                  "-p", '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}')

    def start(self):
        common = ["--namespace", NAMESPACE, "--sops-config", str(self.sops), "--metrics-listen", "127.0.0.1:0", "--log-format", "text"]
        config = str(self.directory / "kubeconfig")
        for name, command in (
                ("controller", [self.programs["controller"], *common, "--kubeconfig", config, "--identity", "fault"]),
                ("agent", [self.programs["agent"], *common, "--kube-kubeconfig", config, "--node-name", self.node, "--agent-id", "a",
                           "--backup-dir", str(self.backups), "--data-dir", "/var/lib/rancher/k3s", "--kit", "",
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

    def server(self):
        pids = subprocess.run(["pgrep", "-f", "kube-apiserver"], capture_output=True, text=True).stdout.split()
        return [int(pid) for pid in pids]

    # One run, and what may be wrong with it.

    def digests(self):
        found = {}
        for path in self.backups.glob("manifest-*.json"):
            for artifact in json.loads(path.read_text())["artifacts"]:
                file = self.backups / artifact["fileName"]
                found[file.name] = file.read_bytes() if file.exists() else None
        return found

    def one_run(self, fault=None):
        self.agent_pod()
        before = self.digests()
        self.count += 1
        name = f"fault-{self.count}-{int(time.time())}"
        made = json.loads(patiently("create", "-o", "json", "-f", "-", given=json.dumps({
            "apiVersion": "backup.railiance.io/v1alpha1", "kind": "ClusterBackup", "metadata": {"name": name},
            "spec": {"artifacts": ALL, "retention": {"keepLast": 5}, "deadlineSeconds": 100}})))
        if fault:
            time.sleep(self.draw.uniform(0, 1.5))
            fault()
        end, status, reason = time.monotonic() + LIMIT, None, ""
        while time.monotonic() < end and status not in ("True", "False"):
            time.sleep(0.3)
            try:
                now = json.loads(kubectl("get", "clusterbackup", name, "-o", "json"))
            except (AssertionError, ValueError, subprocess.TimeoutExpired):
                continue
            for condition in now.get("status", {}).get("conditions", []):
                if condition["type"] == "Succeeded":
                    status, reason = condition["status"], f"{condition['reason']}: {condition.get('message')}"
        findings = []
        if status not in ("True", "False"):
            findings.append(f"the run did not end: {reason}")
        elif status == "False" and not fault:
            findings.append(f"the run failed: {reason}")
        mine = [m for m in (json.loads(p.read_text()) for p in self.backups.glob("manifest-*.json")) if made["metadata"]["uid"] in str(m)]
        whole = sum(bool(m.get("complete")) for m in mine)
        if len(mine) > 1 or (status in ("True", "False") and (status == "True") != (whole == 1)):
            findings.append(f"the status says {status} ({reason}), the disk has {whole} complete sets of {len(mine)}")
        after = self.digests()
        findings += [f"{file} has changed" for file, content in before.items() if file in after and after[file] != content]
        if list(pathlib.Path("/var/lib/rancher/k3s/server/db/snapshots").glob("railiance-*")) and status == "True":
            findings.append("a snapshot was left in clear")
        findings += [f"program {i} has ended" for i, process in enumerate(self.processes) if process.poll() is not None]
        return findings, f"runs that said {status}"

    # Episodes.

    def killed(self):
        subprocess.run([BEDCTL, "kill"], check=True, env=ENVIRONMENT)
        time.sleep(self.draw.uniform(0, 3))
        subprocess.run([BEDCTL, "start"], check=True, env=ENVIRONMENT)

    def stopped(self):
        import os
        pids = self.server()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(self.draw.uniform(1, 12))
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def restarted(self):
        subprocess.run([BEDCTL, "restart"], check=True, env=ENVIRONMENT)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(2 ** 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    build = pathlib.Path(options.bin)
    bed = Bed({"layout": str(build / "tests/fault/api/fault_layout"),
               "controller": str(build / "controller/railiance-backup-controller"),
               "agent": str(build / "hostagent/agent/railiance-backup-agent")}, options.seed)
    good = True
    bed.start()
    try:
        for what, fault in (("SIGKILL of the server, etcd and API", bed.killed), ("SIGSTOP of the API server", bed.stopped),
                            ("restart of the server", bed.restarted), ("the token ends, another is in its file", bed.account)):
            tally = Tally("a real server in mid-run: " + what)
            for number in range(options.rounds):
                findings, word = bed.one_run(fault)
                more, _ = bed.one_run()
                tally.add(f"round {number}", findings + ["the next run: " + m for m in more], word)
            good &= tally.report()
    finally:
        bed.end()
    if good:
        shutil.rmtree(bed.directory)
    else:
        print(f"logs and backups are in {bed.directory}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
