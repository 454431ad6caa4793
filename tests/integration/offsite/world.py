"""Backup sets on a disk, their objects in the cluster, and the programs under test."""
import base64
import datetime
import hashlib
import json
import os
import pathlib
import subprocess
import time

REMOTE = "nextcloud:backups/cluster"
NODE = "server-1"
FILES = {"EtcdSnapshot": "etcd-{}.snap.age", "HelmValues": "helm-values-{}.tar.gz.age",
         "Kubeconfig": "kubeconfig-{}.yaml.age", "HostState": "host-state-{}.tar.gz.age"}
RECIPIENT = "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq"
CLEAN = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def kubectl(*words, given=None):
    done = subprocess.run(["k3s", "kubectl", *words], input=given, capture_output=True, text=True)
    assert done.returncode == 0, f"kubectl {words}: {done.stderr}"
    return done.stdout


def age_file(size):
    """Of the form of an age file, as far as one can see without a key."""
    def word():
        return base64.b64encode(os.urandom(32)).rstrip(b"=")
    header = b"age-encryption.org/v1\n-> X25519 %s\n%s\n--- %s\n" % (word(), word(), word())
    return header + os.urandom(size)


def eventually(check, seconds=30):
    """Waits until `check` returns something true; returns it."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.2)


def condition(obj, kind):
    return next((c for c in obj.get("status", {}).get("conditions", []) if c["type"] == kind), None)


class World:
    def __init__(self, root, dav):
        self.root = pathlib.Path(root)
        self.dav = dav
        self.backups = self.root / "backups"
        self.backups.mkdir(mode=0o700)
        self.state = self.root / "offsite" / ".offsite-state"
        self.public_key = self.root / "signing.pub"
        self.config = self.root / "rclone.conf"
        self.obscured = dav.rclone_config(self.config)
        self.time = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
        self.processes = []

    # What the host signs

    def sign(self, path, comment):
        """By stock minisign; makes the host's key, and its public half where the copier looks, where there is none."""
        secret = self.root / "minisign.key"
        if not secret.exists():
            subprocess.run(["minisign", "-G", "-W", "-p", self.public_key, "-s", secret], check=True, capture_output=True)
        subprocess.run(["minisign", "-S", "-s", secret, "-m", path, "-t", comment], check=True, capture_output=True)

    def put_signed(self, name, content):
        """A file beside the sets, with its signature."""
        (self.backups / name).write_bytes(content)
        self.sign(self.backups / name, f"railiance-backup file={name}")

    def key_id(self):
        # minisign leaves out the zeros at the front, which is one key in 16.
        return self.public_key.read_text().split("\n")[0].split()[-1].zfill(16)

    # Sets and objects

    def add_set(self, complete=True, size=5000, proof=None, signed=False):
        """A set on the disk with its ended ClusterBackup and NodeBackup; returns its run id."""
        self.time += datetime.timedelta(minutes=1)
        run_id = self.time.strftime("%Y%m%dT%H%M%SZ")
        name = "run-" + run_id.lower()
        uid = self.make_backup(name, run_id)
        artifacts = []
        for kind, pattern in FILES.items():
            content = age_file(size)
            (self.backups / pattern.format(run_id)).write_bytes(content)
            artifacts.append({"type": kind, "fileName": pattern.format(run_id),
                              "sizeBytes": len(content),
                              "sha256": hashlib.sha256(content).hexdigest()})
        stamp = self.time.strftime("%Y-%m-%dT%H:%M:%SZ")
        manifest = {"schema": "railiance.io/manifest/v1", "runID": run_id, "complete": complete,
                    "startTime": stamp, "completionTime": stamp, "generator": "test",
                    "clusterBackup": {"name": name, "uid": uid},
                    "node": {"name": NODE, "address": ""}, "k3s": {"version": "", "tokenHash": ""},
                    "recipients": [RECIPIENT], "requested": list(FILES), "artifacts": artifacts,
                    "snapshot": {"name": f"railiance-{run_id}", "sizeBytes": 32, "sha256": "0" * 64,
                                 "contentSHA256": "0" * 64, "revision": 1, "totalKeys": 1, "hash": 0},
                    "missing": [], "notCovered": []}
        if proof:
            manifest["proof"] = {"result": proof, "message": "for a test", "objects": 1, "kinds": 1,
                                 "milliseconds": 1, "peakMemoryBytes": 1}
        if signed:
            manifest |= {"signedBy": self.key_id(), "catalogue": []}
        # Under its final name only when it is whole, as the agent does it.
        part = self.backups / f"manifest-{run_id}.json.part"
        part.write_text(json.dumps(manifest, indent=2) + "\n")
        if signed:
            self.sign(part, f"railiance-backup run={run_id}")
            (self.backups / f"{part.name}.minisig").rename(self.backups / f"manifest-{run_id}.json.minisig")
        part.rename(self.backups / f"manifest-{run_id}.json")
        return run_id

    def make_backup(self, name, run_id):
        api = "backup.railiance.io/v1alpha1"
        kubectl("create", "-f", "-", given=json.dumps(
            {"apiVersion": api, "kind": "ClusterBackup", "metadata": {"name": name}}))
        uid = json.loads(kubectl("get", "cbk", name, "-o", "json"))["metadata"]["uid"]
        order = {"apiVersion": api, "kind": "NodeBackup",
                 "metadata": {"name": uid, "ownerReferences": [
                     {"apiVersion": api, "kind": "ClusterBackup", "name": name, "uid": uid,
                      "controller": True}]},
                 "spec": {"clusterBackupName": name, "runID": run_id, "nodeName": NODE,
                          "artifacts": list(FILES), "keepLast": 7,
                          "deadline": "2030-01-01T00:00:00Z"}}
        kubectl("create", "-f", "-", given=json.dumps(order))
        done = {"conditions": [{"type": "Succeeded", "status": "True", "reason": "Completed",
                                "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
                                "observedGeneration": 1}],
                "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:00Z"}
        for kind, which, more in (("nbk", uid, {"agentID": "a"}),
                                  ("cbk", name, {"runID": run_id, "nodeName": NODE})):
            kubectl("patch", kind, which, "--subresource=status", "--type=merge", "-p",
                    json.dumps({"status": {**done, **more}}))
        return uid

    def backup(self, run_id):
        return json.loads(kubectl("get", "cbk", "run-" + run_id.lower(), "-o", "json"))

    def replicated(self, run_id, status, reason, seconds=40):
        """Waits for that word of the ClusterBackup; returns the condition."""
        def check():
            found = condition(self.backup(run_id), "Replicated")
            return found if found and (found["status"], found["reason"]) == (status, reason) else None
        found = eventually(check, seconds)
        assert found, (self.backup(run_id).get("status"), self.log())
        return found

    def local(self, run_id):
        return {path.name: path.read_bytes() for path in self.backups.iterdir() if run_id in path.name}

    def remote(self, run_id):
        folder = self.dav.folder
        return {path.name: path.read_bytes() for path in folder.iterdir() if run_id in path.name}

    # Programs

    def start(self, program, *words):
        log = open(self.root / f"{program}.log", "ab")
        process = subprocess.Popen([os.environ[f"RB_{program.upper()}"], *words], stderr=log, env={})
        self.processes.append(process)
        return process

    def start_controller(self):
        sops = self.root / "sops.yaml"
        sops.write_text(f"creation_rules:\n  - age: {RECIPIENT}\n")
        return self.start("controller", "--kubeconfig", os.environ["RB_TEST_KUBECONFIG"],
                          "--namespace", "railiance-backup", "--identity", "test", "--sops-config",
                          str(sops), "--metrics-listen", "127.0.0.1:0", "--log-format", "text")

    def start_offsite(self, *words, rclone="/usr/bin/rclone", retry=1):
        return self.start("agent", "--node-name", NODE, "--agent-id", "offsite", "--backup-dir",
                          str(self.backups), "--kube-kubeconfig", os.environ["RB_TEST_KUBECONFIG"],
                          "--offsite-state-dir", str(self.state.parent), "--offsite-public-key", str(self.public_key),
                          "--offsite-remote", REMOTE, "--rclone", str(rclone), "--rclone-config",
                          str(self.config), "--offsite-retry-seconds", str(retry), "--offsite-look-seconds", "1",
                          "--metrics-listen", "127.0.0.1:0", "--log-format", "text", *words)

    def stop(self, process):
        process.terminate()
        assert process.wait(20) == 0
        self.processes.remove(process)

    def stop_all(self):
        for process in list(self.processes):
            process.kill()
            process.wait()

    def log(self):
        path = self.root / "agent.log"
        return path.read_text() if path.exists() else ""

    def restore(self, *words):
        return subprocess.run([os.environ["RB_RESTORE"], *words], capture_output=True, text=True,
                              env=CLEAN)

    def fetch(self, *arguments):
        """Sets that nobody signed, on a host whose key other tests of this bed may have left."""
        return self.restore_remote("fetch", *arguments, "--allow-unsigned")

    def restore_remote(self, command, *words):
        return self.restore(command, *words, "--remote", REMOTE, "--rclone-config", str(self.config))

    def script(self, name, text):
        """A program that stands before rclone."""
        path = self.root / name
        path.write_text("#!/bin/sh\n" + text + "\n")
        path.chmod(0o755)
        return path
