"""What goes wrong in the cluster: a clear reason, and nothing of the earlier sets is lost.

The faults of k3s itself are played by the stand-in (tests/k3s/README.md); everything else is done to
the real pods, the real API server and the real directory.
"""

import base64
import gzip
import hashlib
import json

import pytest

from conftest import pods, ready_pod
from support import backups
from support.bed import BACKUP_DIR, NAMESPACE, wait_for


class Kept:
    """What must be bit-identical after a failed run: every set, and the stamp."""

    def __init__(self, bed):
        self.bed = bed
        self.before = self._digests()
        assert self.before

    def _digests(self):
        script = f"cd {BACKUP_DIR} && sha256sum -- *.age manifest-*.json .last-backup"
        return dict(reversed(line.split()) for line in self.bed.run("sh", "-c", script).stdout.splitlines())

    def check(self, new_run=None):
        after = self._digests()
        lost = {name: digest for name, digest in self.before.items() if after.get(name) != digest}
        assert lost == {}
        new = [name for name in after if name not in self.before and not (new_run and new_run in name)]
        assert new == []
        assert not [name for name in self.bed.files() if name.endswith(".part")]


@pytest.fixture
def kept(installed):
    if not installed.sets():
        backups.succeeded(installed, "before-faults")
    return Kept(installed)


def no_plain_snapshot(bed):
    return [name for name in bed.files("/var/lib/rancher/k3s/server/db/snapshots") if name.startswith("railiance-")] == []


@pytest.mark.parametrize("fault, reason, words", [
    ("silent-no-snapshot", "SnapshotFailed", "no snapshot"),
    ("truncated", "SnapshotInvalid", ""),
    ("zero-byte", "SnapshotInvalid", ""),
    ("bit-flip", "SnapshotInvalid", ""),
])
def test_a_fault_of_k3s_is_named_and_loses_nothing(installed, kept, fault, reason, words):
    name = "fault-" + fault
    with installed.k3s_fault(fault):
        backup = backups.run(installed, name)
    assert backups.condition(backup)["status"] == "False"
    assert backups.reason(backup) == reason, backup["status"]
    assert words in backups.condition(backup)["message"]
    kept.check()
    assert no_plain_snapshot(installed)
    backups.succeeded(installed, name + "-after")


def test_a_save_that_times_out_with_a_complete_file_is_used(installed):
    with installed.k3s_fault("timeout-but-complete timeout=3"):
        backups.succeeded(installed, "timeout-but-complete")
    assert no_plain_snapshot(installed)


def test_no_agent_for_the_node(installed, kept):
    backup = backups.run(installed, "no-such-node", nodeName="no-such-node", artifacts=["Kubeconfig"])
    assert backups.reason(backup) == "AgentUnavailable"
    assert "no-such-node" in backups.condition(backup)["message"]
    kept.check()


def test_the_deadline_passes(installed, kept):
    with installed.k3s_fault("hang"):
        backup = backups.run(installed, "late", deadlineSeconds=5)
    assert backups.reason(backup) == "DeadlineExceeded"
    kept.check()
    assert no_plain_snapshot(installed)


def test_an_agent_killed_in_mid_run_settles_the_run_when_it_is_back(installed, kept):
    with installed.k3s_fault("hang"):
        backups.start(installed, "agent-killed")
        wait_for("the agent at work", lambda: [order for order in installed.get("nodebackups")["items"]
                                               if order["spec"]["clusterBackupName"] == "agent-killed"
                                               and "startTime" in order.get("status", {})])
        pod = ready_pod(installed, "agent")
        installed.kubectl("delete", "pod", "-n", NAMESPACE, pod["metadata"]["name"], "--grace-period=0", "--force")
    backup = backups.wait(installed, "agent-killed")
    assert backups.reason(backup) == "Interrupted"
    kept.check()
    ready_pod(installed, "agent")
    backups.succeeded(installed, "after-agent-killed")
    assert no_plain_snapshot(installed)


def test_a_controller_killed_in_mid_run_hands_the_run_to_the_next_one(installed):
    with installed.k3s_fault("delay=8"):
        backups.start(installed, "controller-killed")
        wait_for("the order", lambda: [order for order in installed.get("nodebackups")["items"]
                                       if order["spec"]["clusterBackupName"] == "controller-killed"])
        for pod in pods(installed, "controller"):
            installed.kubectl("delete", "pod", "-n", NAMESPACE, pod["metadata"]["name"], "--grace-period=0", "--force")
        backup = backups.wait(installed, "controller-killed")
    assert backups.condition(backup)["status"] == "True"
    ready_pod(installed, "controller")


def test_helm_secrets_that_cannot_be_decoded_do_not_hide_the_others(installed, releases):
    def release_secret(name, data):
        return {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
                "metadata": {"name": f"sh.helm.release.v1.{name}.v1", "namespace": "default",
                             "labels": {"owner": "helm", "name": name, "version": "1", "status": "deployed"}},
                "stringData": {"release": data}}
    bad = {"bad-base64": "%%%", "bad-gzip": base64.b64encode(b"\x1f\x8b\x08broken").decode(),
           "bomb": base64.b64encode(gzip.compress(b"0" * 600_000_000, 9)).decode(),
           "bad-json": base64.b64encode(gzip.compress(b"{\"name\":")).decode()}
    climbing = {"name": "../../../../etc/climbed", "namespace": "default", "version": 1, "info": {"status": "deployed"},
                "chart": {"metadata": {"name": "x", "version": "1"}}, "config": {"a": 1}}
    bad["climber"] = base64.b64encode(gzip.compress(json.dumps(climbing).encode())).decode()
    try:
        for name, data in bad.items():
            installed.kubectl("create", "-f", "-", input=json.dumps(release_secret(name, data)))
        backup = backups.run(installed, "undecodable")
        assert backups.condition(backup)["status"] == "True"
        assert backups.condition(backup, "HelmValuesCollected")["status"] == "True"
        assert backups.reason(backup, "HelmValuesCollected") == "HelmUndecodable"
        assert {item["storageObject"].split("release.v1.")[1] for item in backup["status"]["helm"]["undecodable"]} == \
            {name + ".v1" for name in bad}
        assert backup["status"]["helm"]["releases"] == 26
        assert len(backup["status"]["artifacts"]) == 4
    finally:
        for name in bad:
            installed.kubectl("delete", "secret", f"sh.helm.release.v1.{name}.v1", "--ignore-not-found")


def test_the_kubeconfig_is_missing(installed, kept):
    # kubectl itself reads that file: it is given a copy for the time.
    installed.run("sh", "-c", "cp -p /etc/rancher/k3s/k3s.yaml /run/rb-e2e-k3s.yaml; rm /etc/rancher/k3s/k3s.yaml")
    try:
        kubectl = ("k3s", "kubectl", "--kubeconfig", "/run/rb-e2e-k3s.yaml")
        installed.run(*kubectl, "apply", "-f", "-", input=json.dumps(backups.manifest("no-kubeconfig")))
        installed.run(*kubectl, "wait", "--for=condition=Succeeded=False", "clusterbackup/no-kubeconfig", "--timeout=60s")
    finally:
        installed.run("mv", "/run/rb-e2e-k3s.yaml", "/etc/rancher/k3s/k3s.yaml")
    backup = backups.wait(installed, "no-kubeconfig")
    assert backups.reason(backup) == "Incomplete"
    assert [item["reason"] for item in backup["status"]["missing"]] == ["KubeconfigMissing"]
    assert len(backup["status"]["artifacts"]) == 3
    kept.check(new_run=backup["status"]["runID"])


@pytest.mark.parametrize("text, reason", [
    (None, "RecipientMissing"),  # no .sops.yaml at all
    ("creation_rules:\n  - pgp: FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4\n", "RecipientMissing"),
    ("creation_rules:\n  - age: age1notarecipient\n", "RecipientInvalid"),
    ("creation_rules: [", "RecipientInvalid"),
])
def test_recipients_that_cannot_be_used_stop_the_run_before_anything_is_made(installed, keys, kept, text, reason):
    def put(content):
        installed.kubectl("patch", "configmap", "railiance-backup-sops", "-n", NAMESPACE, "--type=merge",
                          "-p", json.dumps({"data": {".sops.yaml": content}}))
        for component in ("controller", "agent"):
            for pod in pods(installed, component):
                installed.kubectl("delete", "pod", "-n", NAMESPACE, pod["metadata"]["name"], "--wait=true", "--grace-period=1")
            ready_pod(installed, component)
    put(text)
    try:
        backup = backups.run(installed, "recipients-" + hashlib.sha256(repr(text).encode()).hexdigest()[:8])
        assert backups.reason(backup) == reason
        assert "artifacts" not in backup["status"] or backup["status"]["artifacts"] == []
        kept.check()
    finally:
        put(keys["sops_yaml"].read_text())


def test_a_directory_that_cannot_be_written(installed, kept):
    installed.run("mount", "--bind", BACKUP_DIR, BACKUP_DIR)
    installed.run("mount", "-o", "remount,ro,bind", BACKUP_DIR)
    restart_agent(installed)
    try:
        backup = backups.run(installed, "read-only")
        assert backups.reason(backup) == "StorageFailed"
    finally:
        installed.run("umount", "-l", BACKUP_DIR)
        restart_agent(installed)
    kept.check()
    assert no_plain_snapshot(installed)


def test_a_full_disk(installed, kept):
    installed.run("mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", BACKUP_DIR)
    try:
        restart_agent(installed)
        # Another disk than before is not written to before the operator says so.
        backup = backups.run(installed, "another-disk")
        assert backups.reason(backup) == "StorageNotMounted", backup["status"]
        assert installed.files() == []
        installed.run("touch", f"{BACKUP_DIR}/.new-disk")
        backup = backups.run(installed, "full-disk")
        assert backups.reason(backup) == "StorageFull"
        assert not [name for name in installed.files() if name.endswith((".age", ".part"))]
    finally:
        installed.run("umount", "-l", BACKUP_DIR)
        restart_agent(installed)
    kept.check()
    assert no_plain_snapshot(installed)


def restart_agent(bed):
    """A pod sees the mounts of the host as they were when it started."""
    for pod in pods(bed, "agent"):
        bed.kubectl("delete", "pod", "-n", NAMESPACE, pod["metadata"]["name"], "--wait=true", "--grace-period=1")
    ready_pod(bed, "agent")


def test_the_api_goes_away_in_mid_run(installed):
    with installed.k3s_fault("delay=6"):
        backups.start(installed, "api-gone")
        wait_for("the agent at work", lambda: [order for order in installed.get("nodebackups")["items"]
                                               if order["spec"]["clusterBackupName"] == "api-gone"
                                               and "startTime" in order.get("status", {})])
        installed.k3s("kill")
    installed.k3s("start")
    wait_for("the API server", lambda: installed.kubectl("get", "--raw", "/readyz", check=False).returncode == 0, 90)
    backup = backups.wait(installed, "api-gone")
    assert backups.condition(backup)["status"] == "True", backup["status"]
