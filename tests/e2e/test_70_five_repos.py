"""The stack's own loop: five repositories with a target `backup` each, four stubs and ours, and one key."""

import os
import pathlib
import subprocess

import pytest

from conftest import TOOLS
from support import backups
from support.bed import BACKUP_DIR, ROOT

LAYERS = ("infra", "cluster", "platform", "enablement", "apps")
STACK = pathlib.PurePosixPath(BACKUP_DIR).parent

# As the mission has it.
LOOP = """
set -e
for repo in railiance-infra railiance-cluster railiance-platform railiance-enablement railiance-apps; do
  make -C ~/$repo backup
done
"""

STUB = """
backup:
\t@umask 077 && mkdir -p {directory}
\t@echo "data of {layer}" | {age} -r {recipient} -o {directory}/{layer}-$$(date -u +%Y%m%dT%H%M%SZ).age
"""


@pytest.fixture(scope="module")
def home(installed, keys, tmp_path_factory):
    """A home directory with the five repositories; ours is this one."""
    build = pathlib.Path(os.environ["RB_BUILD_BIN"])
    installed.run("ln", "-sf", build / "railiance-backup", "/usr/local/bin/railiance-backup")
    directory = tmp_path_factory.mktemp("home")
    for layer in LAYERS:
        repo = directory / f"railiance-{layer}"
        if layer == "cluster":
            repo.symlink_to(ROOT)
            continue
        repo.mkdir()
        (repo / "Makefile").write_text(STUB.format(
            layer=layer, directory=STACK / layer, age=TOOLS / "age", recipient=keys["recipient"]))
    return directory


def run_loop(bed, home):
    return bed.run("env", "-i", "PATH=/usr/bin:/bin", f"HOME={home}", "sh", "-c", LOOP, check=False, timeout=600)


def artifacts(bed):
    return bed.run("find", STACK, "-name", "*.age").stdout.split()


def test_the_loop_backs_up_all_five_and_stock_age_opens_every_artifact(installed, home, keys):
    before = set(artifacts(installed))
    done = run_loop(installed, home)
    assert done.returncode == 0, done.stdout + done.stderr
    made = [path for path in artifacts(installed) if path not in before]
    per_layer = {layer: [path for path in made if path.startswith(f"{STACK}/{layer}/")] for layer in LAYERS}
    assert {layer: len(paths) for layer, paths in per_layer.items()} == {
        "infra": 1, "cluster": 4, "platform": 1, "enablement": 1, "apps": 1}
    for path in artifacts(installed):
        opened = installed.run(TOOLS / "age", "-d", "-i", keys["identity_file"], path, text=False)
        assert opened.stdout, path
    assert backups.stamp(installed)


def test_no_artifact_opens_with_another_key(installed, home, tmp_path):
    other = tmp_path / "other.txt"
    subprocess.run([TOOLS / "age-keygen", "-o", other], check=True, capture_output=True)
    for path in artifacts(installed):
        assert installed.run(TOOLS / "age", "-d", "-i", other, path, check=False, text=False).returncode != 0, path


def test_the_loop_stops_where_our_backup_fails(installed, home):
    before = artifacts(installed)
    with installed.k3s_fault("zero-byte"):
        done = run_loop(installed, home)
    assert done.returncode != 0
    assert "SnapshotInvalid" in done.stdout + done.stderr
    made = [path for path in artifacts(installed) if path not in before]
    assert [path.split("/")[4] for path in made] == ["infra"]
