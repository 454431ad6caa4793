"""`make backup`: from any directory, in cron's bare environment, with no network, exit codes passed on."""

import json
import os
import pathlib

import pytest

from support import backups
from support.bed import ROOT

BARE = ("env", "-i", "PATH=/usr/bin:/bin", "HOME=/root")


@pytest.fixture(scope="module")
def installed_command(installed):
    """What `make install` puts on the host's path."""
    build = pathlib.Path(os.environ["RB_BUILD_BIN"])
    for program in ("railiance-backup", "railiance-restore"):
        installed.run("ln", "-sf", build / program, f"/usr/local/bin/{program}")
    return installed


def make(bed, *arguments, check=True):
    return bed.run("sh", "-c", 'cd / && exec "$@"', "sh", *BARE, "make", "-C", ROOT, *arguments, check=check, timeout=300)


def test_make_backup_works_from_any_directory_under_crons_environment(installed_command):
    before = installed_command.sets()
    done = make(installed_command, "backup")
    new = [run for run in installed_command.sets() if run not in before]
    assert len(new) == 1
    assert new[0] in done.stdout
    assert new[0] in backups.stamp(installed_command)


def test_make_list_shows_the_sets(installed_command):
    done = make(installed_command, "list")
    for run_id in installed_command.sets():
        assert run_id in done.stdout


def test_a_failing_backup_fails_make_and_names_the_reason(installed_command):
    with installed_command.k3s_fault("zero-byte"):
        done = make(installed_command, "backup", check=False)
    assert done.returncode != 0
    assert "SnapshotInvalid" in done.stdout + done.stderr


def test_the_command_exits_with_the_code_of_the_reason(installed_command):
    def create(*arguments):
        return installed_command.run(*BARE, "/usr/local/bin/railiance-backup", "create", "--wait", *arguments, check=False).returncode
    assert create() == 0
    assert create("--node", "no-such-node") == 8
    assert create("--keep-last", "0") == 2
    assert installed_command.run(*BARE, "KUBECONFIG=/nonexistent", "/usr/local/bin/railiance-backup", "list", check=False).returncode == 8


def test_progress_is_plain_lines_without_a_terminal(installed_command):
    done = installed_command.run("/usr/local/bin/railiance-backup", "create", "--wait")
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr


def test_list_and_show_speak_json(installed_command):
    def speak(*arguments):
        return json.loads(installed_command.run("/usr/local/bin/railiance-backup", *arguments, "--output", "json").stdout)
    made = backups.succeeded(installed_command, "spoken", artifacts=["Kubeconfig"])
    assert made["status"]["runID"] in json.dumps(speak("list"))
    assert made["status"]["runID"] in json.dumps(speak("show", "spoken"))
