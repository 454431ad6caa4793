"""A run that is to be proven: the agent's pod boots a scratch k3s server from the fresh snapshot."""

import json
import pathlib

from support import backups
from support.bed import BACKUP_DIR

DATA_DIR = "/var/lib/rancher/k3s"


def scratch_processes(bed):
    """Command lines that name a scratch directory, of all processes of the node."""
    script = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"
    said = bed.run("sh", "-c", script).stdout
    return [word for word in said.split() if "railiance-boot-" in word]


def test_a_run_with_verification_boot_ends_proven_and_leaves_nothing(installed):
    nodes = installed.get("nodes")["items"]
    backup = backups.succeeded(installed, "proven", verification="Boot", retention={"keepLast": 50})
    proven = backups.condition(backup, "Proven")
    print(proven["message"])
    assert proven["status"] == "True" and proven["reason"] == "Completed"
    assert backups.condition(backup)["message"].endswith("; proven by a boot")
    manifest = json.loads(installed.run("cat", f"{BACKUP_DIR}/manifest-{backup['status']['runID']}.json").stdout)
    assert manifest["proof"]["result"] == "Completed"
    assert 50 < manifest["proof"]["objects"] <= sum(manifest["snapshot"]["objects"].values())
    assert manifest["proof"]["peakMemoryBytes"] > 50 << 20
    assert scratch_processes(installed) == []
    left = installed.run("find", DATA_DIR, "-maxdepth", "1", "-name", "railiance-boot-*").stdout
    assert left == ""
    # The cluster beside it is the same: one node, and nothing of the scratch server's network.
    assert [node["metadata"]["uid"] for node in installed.get("nodes")["items"]] == [node["metadata"]["uid"] for node in nodes]
    assert not pathlib.Path("/sys/class/net/scratch0").exists()


def test_columns_and_commands_tell_of_it(installed):
    wide = installed.kubectl("get", "cbk", "proven", "-o", "wide").stdout.splitlines()
    assert "PROVEN" in wide[0].split()
    assert "True" in wide[1][wide[0].index("PROVEN"):].split()[0]


def test_a_request_that_has_nothing_to_boot_from_is_refused(installed):
    done = installed.apply(backups.manifest("unprovable", verification="Boot", artifacts=["Kubeconfig"]), check=False)
    assert done.returncode != 0
    assert "verification Boot needs Datastore among the artifacts" in done.stderr
