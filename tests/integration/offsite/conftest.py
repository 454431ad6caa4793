"""Runs inside a bed (tests/k3s/bed.sh): API server, and a loopback of its own."""
import json
import os
import pathlib
import shutil
import tempfile

import pytest

from dav import Dav
from world import World, kubectl

ROOT = pathlib.Path(__file__).resolve().parents[3]


def pytest_configure():
    for name in ("RB_TEST_KUBECONFIG", "RB_AGENT", "RB_CONTROLLER", "RB_RESTORE"):
        assert os.environ.get(name), f"{name} is not set: run it with tests/integration/offsite/run.sh"


@pytest.fixture(scope="session", autouse=True)
def crds():
    kubectl("apply", "-f", str(ROOT / "crds"))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
    kubectl("apply", "-f", "-", given=json.dumps(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "railiance-backup"}}))


@pytest.fixture
def root():
    path = tempfile.mkdtemp(prefix="railiance-offsite-")
    os.chmod(path, 0o755)
    yield pathlib.Path(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def dav(root):
    server = Dav(root / "dav")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def world(root, dav):
    kubectl("delete", "cbk", "--all")
    (root / "host").mkdir()
    world = World(root / "host", dav)
    world.start_controller()
    yield world
    world.stop_all()
