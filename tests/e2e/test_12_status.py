"""What the operator sees after the main job: BackupStatus, metrics, the command."""

import json
import os
import pathlib

import pytest

from support import backups
from support.bed import NAMESPACE, wait_for

BUILD = pathlib.Path(os.environ["RB_BUILD_BIN"])


def status_object(bed):
    return bed.get("backupstatus", "cluster")


def current(bed):
    return backups.condition(status_object(bed), "BackupCurrent")


@pytest.fixture(scope="module")
def backup(installed):
    return backups.succeeded(installed, "for-status")


def test_the_status_says_that_there_is_a_current_backup(installed, backup):
    # The agent tells its facts when a run has ended, the controller sums them up a little later.
    wait_for("the run in BackupStatus",
             lambda: status_object(installed)["status"].get("lastSuccessRunID") == backup["status"]["runID"], 120)
    wait_for("BackupCurrent", lambda: current(installed).get("status") == "True", 120)
    status = status_object(installed)["status"]
    assert current(installed)["reason"] == "Current"
    assert status["lastSuccessRunID"] == backup["status"]["runID"]
    assert status["lastRun"]["name"] == "for-status" and status["lastRun"]["succeeded"]
    assert status["expectedIntervalSeconds"] == 86400
    (node,) = status["nodes"]
    assert node["etcdRevision"] == backup["status"]["etcd"]["revision"]
    assert node["recipients"] == 1 and node["version"]
    sizes = {item["type"]: item["sizeBytes"] for item in node["artifacts"]}
    # What is stored of etcd keeps the word that it had before there was another datastore.
    stored = {item["type"]: item["sizeBytes"] for item in backup["status"]["artifacts"]}
    stored["Datastore"] = stored.pop("EtcdSnapshot")
    assert sizes == stored


def test_the_columns_say_it(installed, backup):
    line = installed.kubectl("get", "bks", "cluster", "--no-headers").stdout.split()
    assert line[0:3] == ["cluster", "True", "Current"]


def test_the_controller_tells_what_the_agent_sees(installed, backup):
    pod = installed.kubectl("get", "pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=controller",
                            "-o", "jsonpath={.items[0].metadata.name}").stdout
    text = installed.kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics").stdout
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    node = status_object(installed)["status"]["nodes"][0]["nodeName"]
    assert float(values['railiance_backup_current{status="True"}']) == 1
    assert float(values[f'railiance_backup_never_ran{{node="{node}"}}']) == 0
    assert float(values[f'railiance_backup_etcd_revision{{node="{node}"}}']) == backup["status"]["etcd"]["revision"]


def test_the_command_shows_all_of_it_and_ends_with_0(installed, backup):
    installed.run("ln", "-sf", BUILD / "railiance-backup", "/usr/local/bin/railiance-backup")
    done = installed.run("/usr/local/bin/railiance-backup", "status", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("CURRENT: " + backup["status"]["runID"])
    shown = json.loads(installed.run("/usr/local/bin/railiance-backup", "status", "--output", "json").stdout)
    assert shown["current"] == "True" and shown["exitCode"] == 0


def test_no_step_of_the_run_is_an_event(installed, backup):
    events = installed.get("events.events.k8s.io", "-n", "default")["items"]
    ours = [event for event in events if event["regarding"].get("name") == "for-status"]
    assert [event["reason"] for event in ours] == ["Completed"]
    assert not [event for event in events if event["regarding"].get("kind") in ("NodeBackup", "BackupStatus")]
