"""A cluster of three servers: each has a set of every run on its own disk, and one that is lost holds up no other.

Each server is a bed of its own, without a node: agents and controller run as programs, and the pods that the controller
looks for are objects that this test keeps. Real API servers, a real etcd of three members.
"""

import json
import os
import pathlib
import subprocess
import threading
import time

import pytest

from support.bed import BACKUP_DIR, BED, NAMESPACE, ROOT, Bed, wait_for

BUILD = pathlib.Path(os.environ["RB_BUILD_BIN"])
SERVERS = ("s1", "s2", "s3")
PUBLIC_KEY = "/var/lib/railiance-backup/signing.pub"
LABELS = {"app.kubernetes.io/name": "railiance-backup", "app.kubernetes.io/component": "agent"}


class Server:
    """One server and its agent."""

    def __init__(self, short, first):
        self.name = f"{os.environ['RB_BED']}-{short}"
        join = () if first is None else ("--join", first.name)
        subprocess.run([BED, "up", self.name, *join], check=True, capture_output=True, timeout=180)
        self.bed = Bed(self.name)
        self.node = self.bed.env["BED_NODE"]
        self.pod = f"agent-{short}"

    def start(self, program, *arguments):
        """One of our programs in the bed, which ends with it; its log lies in the bed's own /opt/backup."""
        log = pathlib.Path(self.bed.env["BED_BACKUP_DIR"]) / f"{program}.log"
        with log.open("ab") as out:
            subprocess.Popen([BED, "exec", self.name, "sh", "-c", 'echo $$ > "$1"; shift; exec "$@"', "sh", f"/opt/backup/{program}.pid",
                              BUILD / program, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def kill(self, program):
        self.bed.run("sh", "-c", 'kill -KILL "$(cat "$1")"', "sh", f"/opt/backup/{program}.pid")

    def start_agent(self, sops):
        supervisor = "https://127.0.0.1:9345" if "+standin" in self.bed.run("k3s", "--version").stdout else "https://127.0.0.1:6443"
        self.start(
            "railiance-backup-agent", "--namespace", NAMESPACE, "--node-name", self.node, "--agent-id", self.pod,
            "--node-address", self.bed.env["BED_NODE_IP"], "--backup-mount", "none", "--sops-config", sops, "--kit", "",
            "--kube-kubeconfig", "/etc/rancher/k3s/k3s.yaml", "--etcd-server", supervisor, "--metrics-listen", "127.0.0.1:0")

    def manifest(self, run_id):
        return json.loads(self.bed.read(f"{BACKUP_DIR}/manifest-{run_id}.json"))

    def restore(self, *arguments):
        return self.bed.run(BUILD / "railiance-restore", *arguments, check=False)

    def public_key(self):
        return self.bed.read(PUBLIC_KEY).decode().splitlines()[1]


class Pods(threading.Thread):
    """The pods of the agents as objects, for there is no kubelet: ready as `ready` says. What the cluster removes comes again."""

    def __init__(self, bed, servers):
        super().__init__(daemon=True)
        self.bed = bed
        self.nodes = {server.pod: server.node for server in servers}
        self.ready = dict.fromkeys(self.nodes, True)
        self.ended = threading.Event()

    def look(self):
        seen = {pod["metadata"]["name"]: pod for pod in self.bed.get("pods", "-n", NAMESPACE)["items"]}
        for name, node in self.nodes.items():
            if name not in seen:
                self.bed.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
                                "spec": {"nodeName": node, "containers": [{"name": "agent", "image": "railiance.test/pause:1"}]}}, check=False)
            conditions = seen.get(name, {}).get("status", {}).get("conditions", [])
            is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
            if is_ready != self.ready[name]:
                status = {"status": {"conditions": [{"type": "Ready", "status": str(self.ready[name])}]}}
                self.bed.kubectl("patch", "pod", name, "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", json.dumps(status), check=False)

    def run(self):
        while not self.ended.wait(1):
            try:
                self.look()
            except (AssertionError, subprocess.TimeoutExpired):
                pass  # the API server is busy: again in a moment


class Cluster:
    def __init__(self, sops):
        self.sops = sops
        self.servers = []
        for short in SERVERS:
            self.servers.append(Server(short, self.servers[0] if self.servers else None))
        self.first = self.servers[0].bed
        self.first.kubectl("apply", "-f", ROOT / "crds")
        self.first.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        self.first.kubectl("create", "namespace", NAMESPACE)
        wait_for("the service account", lambda: self.first.kubectl("get", "sa", "default", "-n", NAMESPACE, check=False).returncode == 0)
        self.pods = Pods(self.first, self.servers)
        self.pods.start()
        for server in self.servers:
            server.start_agent(sops)
        self.servers[0].start(
            "railiance-backup-controller", "--kubeconfig", "/etc/rancher/k3s/k3s.yaml", "--namespace", NAMESPACE, "--identity", "test",
            "--sops-config", sops, "--metrics-listen", "127.0.0.1:0", "--agent-wait-seconds", "10")
        wait_for("three voting members", lambda: self.members() == ["Voting"] * 3)

    def members(self):
        found = self.first.kubectl("get", "backupstatus", "cluster", "-o", "json", check=False)
        nodes = json.loads(found.stdout)["status"].get("nodes", []) if found.returncode == 0 and "nodes" in found.stdout else []
        return [node.get("member", "") for node in nodes if node.get("publicKey")]

    def back_up(self, name, *arguments):
        """What `create --wait` said, how long it took, and the object."""
        begin = time.monotonic()
        done = self.first.run(BUILD / "railiance-backup", "--kubeconfig", "/etc/rancher/k3s/k3s.yaml", "create", name, "--wait", *arguments,
                              check=False, timeout=240)
        return done, time.monotonic() - begin, self.first.get("clusterbackup", name)


def condition(backup, kind):
    return next(each for each in backup["status"]["conditions"] if each["type"] == kind)


def results(backup):
    return {each["nodeName"]: each["result"] for each in backup["status"]["servers"]}


@pytest.fixture(scope="module")
def cluster(keys):
    made = None
    try:
        made = Cluster(keys["sops_yaml"])
        yield made
    finally:
        if made is not None:
            made.pods.ended.set()
        for short in SERVERS:
            subprocess.run([BED, "down", f"{os.environ['RB_BED']}-{short}"], check=False, capture_output=True, timeout=60)


def test_each_server_has_a_whole_set_of_the_run(cluster):
    done, took, backup = cluster.back_up("all")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 of 3 servers" in done.stdout
    assert "warning" not in done.stderr
    assert set(results(backup).values()) == {"Succeeded"}
    assert condition(backup, "Copies")["status"] == "True"
    assert backup["status"]["copies"] == "3/3"
    run_id = backup["status"]["runID"]
    keys = {server.node: server.public_key() for server in cluster.servers}
    assert len(set(keys.values())) == 3
    for server in cluster.servers:
        manifest = server.manifest(run_id)
        assert manifest["complete"] and manifest["node"]["name"] == server.node
        assert {each["nodeName"]: each["publicKey"] for each in manifest["servers"]} == keys
        assert {each["nodeName"]: each["address"] for each in manifest["servers"]} == {
            each.node: each.bed.env["BED_NODE_IP"] for each in cluster.servers}
        assert server.restore("verify").returncode == 0
    print(f"three servers: {took:.1f} s")


def test_a_server_believes_the_sets_of_another_one_and_no_strangers(cluster):
    one, two = cluster.servers[0], cluster.servers[1]
    run_id = two.bed.sets()[-1]
    elsewhere = "/opt/backup/of-another"
    two.bed.run("mkdir", "-p", "-m", "700", elsewhere)
    source = pathlib.Path(one.bed.env["BED_BACKUP_DIR"]) / "railiance" / "cluster"
    target = pathlib.Path(two.bed.env["BED_BACKUP_DIR"]) / "of-another"
    subprocess.run(["cp", "-a", f"{source}/.", target], check=True)
    listed = two.restore("--backup-dir", elsewhere, "list")
    assert f"good, of {one.node}" in listed.stdout
    shown = json.loads(two.restore("--backup-dir", elsewhere, "show", run_id, "--output", "json").stdout)
    assert shown["signature"]["verdict"] == "good" and shown["signature"]["server"] == one.node
    # Where this host's own sets do not name that key, it is a stranger's.
    two.bed.run("mv", BACKUP_DIR, f"{BACKUP_DIR}-aside")
    assert two.restore("--backup-dir", elsewhere, "verify").returncode == 6
    two.bed.run("mv", f"{BACKUP_DIR}-aside", BACKUP_DIR)


def test_one_server_by_wish(cluster):
    done, _, backup = cluster.back_up("one", "--servers", "one")
    assert done.returncode == 0
    assert "servers" not in backup["status"] and "copies" not in backup["status"]
    orders = [each for each in cluster.first.get("nodebackups")["items"] if each["spec"]["clusterBackupName"] == "one"]
    assert [each["metadata"]["name"] for each in orders] == [backup["metadata"]["uid"]]


def test_a_server_that_is_down_is_said_and_not_waited_for(cluster):
    lost = cluster.servers[2]
    lost.bed.k3s("stop")
    lost.kill("railiance-backup-agent")
    cluster.pods.ready[lost.pod] = False
    cluster.pods.look()
    done, took, backup = cluster.back_up("two-of-three")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 3 servers" in done.stdout and f"warning: a whole set on 2 of 3 servers: {lost.node}: its agent is not ready" in done.stderr
    assert condition(backup, "Succeeded")["status"] == "True"
    assert condition(backup, "Copies") | {"lastTransitionTime": ""} == {
        "type": "Copies", "status": "False", "reason": "AgentUnavailable", "observedGeneration": 1, "lastTransitionTime": "",
        "message": f"2 of 3 servers: {lost.node}: its agent is not ready"}
    assert results(backup)[lost.node] == "LeftOut"
    assert took < 30
    print(f"two of three servers: {took:.1f} s")


def test_a_server_whose_agent_only_seems_ready_is_given_up_by_itself(cluster):
    silent = cluster.servers[1]
    silent.kill("railiance-backup-agent")
    done, took, backup = cluster.back_up("silent")
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(backup)[silent.node] == "Failed"
    assert results(backup)[cluster.servers[0].node] == "Succeeded"
    assert 10 <= took < 45  # --agent-wait-seconds
    silent.start_agent(cluster.sops)


def test_a_server_that_is_back_has_a_set_again(cluster):
    back = cluster.servers[2]
    back.bed.k3s("start")
    wait_for("its API", lambda: back.bed.kubectl("get", "--raw=/readyz", check=False).returncode == 0)
    back.start_agent(cluster.sops)
    cluster.pods.ready[back.pod] = True
    cluster.pods.look()
    wait_for("three voting members", lambda: cluster.members() == ["Voting"] * 3)
    done, _, backup = cluster.back_up("again")
    assert done.returncode == 0, done.stdout + done.stderr
    assert backup["status"]["copies"] == "3/3"
    assert back.bed.sets()[-1] == backup["status"]["runID"]
