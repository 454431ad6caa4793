"""Copies off-site from pods to a real WebDAV server, as docs/offsite.md sets it up. A server that is away costs
the copy, and never the backup."""

import json
import os
import pathlib
import subprocess

import pytest

from conftest import install_chart, ready_pod
from support import backups, rclone_image
from support.bed import BACKUP_DIR, BED, NAMESPACE, wait_for
from support.webdav import PORT, WebDav

IMAGE = "railiance.test/rclone:v1"
REMOTE = "nextcloud:backups/cluster"
SECRET = "railiance-backup-offsite"
USUAL = ["--set", "schedule.suspend=true", "--set", "monitoring.expectedIntervalSeconds=86400"]


def set_up(bed, keys, server):
    """Step 3 of docs/offsite.md."""
    config = server.directory / "rclone.conf"
    config.write_text(server.rclone_config())
    bed.kubectl("-n", NAMESPACE, "create", "secret", "generic", SECRET, f"--from-file=rclone.conf={config}")
    name, tag = IMAGE.split(":")
    install_chart(bed, keys, *USUAL, "--set", "offsite.enabled=true", "--set", f"offsite.existingSecret={SECRET}",
                  "--set", f"offsite.remote={REMOTE}", "--set", "offsite.retrySeconds=5", "--set", f"offsite.image.repository={name}",
                  "--set", f"offsite.image.tag={tag}", "--set", "offsite.image.pullPolicy=Never",
                  "--set", f"networkPolicy.offsitePorts={{{PORT}}}")
    ready_pod(bed, "offsite")


@pytest.fixture(scope="module")
def remote(installed, keys, tmp_path_factory):
    """The server, and the chart set up for it."""
    directory = tmp_path_factory.mktemp("webdav")
    archive = rclone_image.build(IMAGE, directory / "rclone.tar")
    subprocess.run([BED, "import", installed.name, archive], check=True, capture_output=True, timeout=120)
    (directory / "rclone.conf").touch(mode=0o600)
    server = WebDav(installed, directory)
    server.start()
    try:
        set_up(installed, keys, server)
        yield server
    finally:
        server.stop()
    install_chart(installed, keys, *USUAL)
    installed.kubectl("-n", NAMESPACE, "delete", "secret", SECRET)


def replicated(bed, name, status, timeout=120):
    """Waits for that word of the ClusterBackup; returns the condition."""
    def told():
        found = backups.condition(bed.get("clusterbackup", name), "Replicated")
        return found if found.get("status") == status else None
    return wait_for(f"Replicated={status} of {name}", told, timeout)


def copied(server, run_id):
    """{name: content} of the files of a set at the server."""
    return {path.name: path.read_bytes() for path in (server.files / "backups/cluster").glob(f"*{run_id}*")}


def on_the_node(bed, run_id):
    return {name: bed.read(f"{BACKUP_DIR}/{name}") for name in bed.files() if run_id in name}


def listed(bed, server):
    program = pathlib.Path(os.environ["RB_BUILD_BIN"]) / "railiance-restore"
    done = bed.run(program, "list", "--remote", REMOTE, "--rclone-config", server.directory / "rclone.conf", "--output", "json")
    return {one["runID"]: one["state"] for one in json.loads(done.stdout)["sets"]}


def test_a_backup_is_copied_bit_by_bit_and_seen_from_afar(installed, remote):
    backup = backups.succeeded(installed, "off-site-one")
    told = replicated(installed, "off-site-one", "True")
    assert told["reason"] == "Completed" and told["message"] == f"copied to {REMOTE} and read back from there"
    run_id = backup["status"]["runID"]
    here = on_the_node(installed, run_id)
    assert len(here) == 6  # four artifacts, the manifest, its signature
    assert copied(remote, run_id) == here
    assert listed(installed, remote)[run_id] == "complete"


def test_a_server_that_is_away_costs_the_copy_and_not_the_backup(installed, remote):
    remote.stop()
    backup = backups.succeeded(installed, "off-site-two")
    told = replicated(installed, "off-site-two", "False")
    assert told["reason"] == "RemoteUnreachable", told
    assert backups.condition(installed.get("clusterbackup", "off-site-two"))["status"] == "True"
    remote.start()
    replicated(installed, "off-site-two", "True", timeout=240)
    run_id = backup["status"]["runID"]
    assert copied(remote, run_id) == on_the_node(installed, run_id)
    assert listed(installed, remote)[run_id] == "complete"


def test_the_password_is_in_no_status_and_no_log(installed, remote):
    log = installed.kubectl("-n", NAMESPACE, "logs", "-l", "app.kubernetes.io/component=offsite", "--tail=-1").stdout
    objects = json.dumps(installed.get("clusterbackups,nodebackups"))
    assert REMOTE in log
    obscured = remote.rclone_config().rsplit("= ", 1)[1].strip()
    for secret in (remote.password, obscured):
        assert secret not in log + objects
