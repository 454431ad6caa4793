"""guard as system-upgrade-controller runs it: the image as the prepare container of a pod on the server's network, under
the Plan's own account, with the rights that the chart gives it."""

import json

import pytest

from conftest import ready_pod
from support import backups
from support.bed import NAMESPACE, ROOT, wait_for

ACCOUNT = "system-upgrade"  # and its namespace
TARGET = "v1.35.1-k3s1"     # as the controller writes it


def rights(bed):
    return bed.helm("template", "railiance-backup", ROOT / "charts" / "railiance-backup", "-n", NAMESPACE,
                    "--set", "sops.existingConfigMap=none", "--set", "upgradeGuard.enabled=true", "--set", "upgradeGuard.backup=true",
                    "--show-only", "templates/upgrade-guard.yaml").stdout


@pytest.fixture(scope="module")
def account(installed):
    installed.kubectl("create", "namespace", ACCOUNT)
    installed.kubectl("-n", ACCOUNT, "create", "serviceaccount", ACCOUNT)
    yield installed
    installed.kubectl("delete", "-f", "-", "--ignore-not-found", input=rights(installed))
    installed.kubectl("delete", "namespace", ACCOUNT, "--wait=false")


def prepare(bed, name, *arguments):
    """(exit code, what it printed) of one prepare container."""
    bed.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": ACCOUNT}, "spec": {
        "serviceAccountName": ACCOUNT, "restartPolicy": "Never", "hostNetwork": True, "hostPID": True, "hostIPC": True,
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "prepare", "image": ready_pod(bed, "agent")["spec"]["containers"][0]["image"], "imagePullPolicy": "Never",
                        "args": ["guard", *arguments], "env": [{"name": "SYSTEM_UPGRADE_PLAN_LATEST_VERSION", "value": TARGET}]}]}})

    def ended():
        for container in bed.get("pod", name, "-n", ACCOUNT).get("status", {}).get("containerStatuses", []):
            if "terminated" in container["state"]:
                return container["state"]["terminated"]
        return None
    code = wait_for(f"the end of {name}", ended, 180)["exitCode"]
    return code, bed.kubectl("-n", ACCOUNT, "logs", name).stdout


def test_without_rights_nothing_is_known(account):
    code, said = prepare(account, "no-rights")
    assert code == 8, said
    assert "upgradeGuard.enabled" in said


def test_a_set_of_which_nothing_was_shown_does_not_do(account):
    account.kubectl("apply", "-f", "-", input=rights(account))
    backup = backups.succeeded(account, "before-upgrade")
    wait_for("the run in BackupStatus", lambda: backup["status"]["runID"] in account.kubectl(
        "get", "bks", "cluster", "-o", "jsonpath={.status.nodes[*].lastSuccessRunID}").stdout, 120)
    code, said = prepare(account, "not-proven")
    assert code == 3, said
    assert backup["status"]["runID"] in said and "NO GO (NotProven)" in said
    code, said = prepare(account, "verified", "--require", "verified", "--output", "json")
    assert code == 0, said
    shown = json.loads(said)
    assert shown["go"] and shown["for"] == TARGET
    assert shown["wayBack"]["needs"] == "Restore"
    (node,) = shown["nodes"]
    made_by = account.run("k3s", "--version").stdout.split()[2]
    assert node["k3sVersion"] == made_by and made_by in shown["wayBack"]["message"]


def test_it_makes_one_and_boots_it_and_the_next_server_finds_it(account):
    code, said = prepare(account, "makes-one", "--backup", "--require", "boot")
    assert code == 0, said
    assert "GO: " in said and "a server was booted from it" in said
    before = len(account.get("clusterbackups")["items"])
    code, said = prepare(account, "finds-it", "--backup", "--require", "boot")
    assert code == 0, said
    assert len(account.get("clusterbackups")["items"]) == before
