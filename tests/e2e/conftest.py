"""Fixtures: a bed with a node, our image in it, the chart installed by Helm, and an age key.

run.sh prepares what these need and passes it in the environment:
  RB_BED          name of the bed that is up
  RB_TOOLS_BIN    directory of age, helm, etcdutl
  RB_BUILD_BIN    directory of our programs in the bundle
"""

import os
import pathlib
import secrets
import subprocess

import pytest

from support import releases as release_maker
from support.bed import Bed, NAMESPACE, ROOT, wait_for

TOOLS = pathlib.Path(os.environ["RB_TOOLS_BIN"])
BEGINNING = "/run/rb-e2e-beginning"  # on the node: what is newer was written during the tests


@pytest.fixture(scope="session")
def bed():
    bed = Bed(os.environ["RB_BED"])
    bed.run("touch", BEGINNING)
    return bed


@pytest.fixture(scope="session")
def planted():
    """A secret that must never lie on the disk in plain, but in k3s's own places."""
    return "planted-" + secrets.token_hex(16)


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A SOPS age key pair: {identity_file, recipient, sops_yaml}; and a post-quantum one in the same file: {pq_recipient}."""
    directory = tmp_path_factory.mktemp("keys")
    identity = directory / "keys.txt"
    made = [subprocess.run([TOOLS / "age-keygen", *kind], check=True, capture_output=True, text=True).stdout for kind in ((), ("-pq",))]
    identity.write_text("".join(made))
    identity.chmod(0o600)
    recipient, pq_recipient = subprocess.run([TOOLS / "age-keygen", "-y", identity], check=True, capture_output=True, text=True).stdout.split()
    sops = directory / ".sops.yaml"
    sops.write_text(f"creation_rules:\n  - path_regex: secrets/.*\\.yaml$\n    age: >-\n      {recipient}\n")
    return {"identity_file": identity, "recipient": recipient, "pq_recipient": pq_recipient, "sops_yaml": sops}


def install_chart(bed, keys, *arguments):
    done = bed.helm("upgrade", "--install", "railiance-backup", ROOT / "charts" / "railiance-backup", "-n", NAMESPACE,
                    "--create-namespace", "--set-file", f"sops.config={keys['sops_yaml']}",
                    # A minute is the default; tests wait for it twice.
                    "--set", "image.pullPolicy=Never", "--set", "controller.agentWaitSeconds=25", "--wait", "--timeout", "180s", *arguments, timeout=240)

    def of_one_template():
        listed = bed.get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=controller")["items"]
        return len({pod["metadata"]["labels"].get("pod-template-hash") for pod in listed}) == 1
    # Helm does not wait for the controller of before to be gone: it may still lead, and encrypt to its recipients.
    wait_for("the controller of before to be gone", of_one_template, 90)
    return done


@pytest.fixture(scope="session")
def installed(bed, keys):
    """The chart as it is, its CronJob suspended so that only tests make runs."""
    bed.kubectl("create", "namespace", NAMESPACE, check=False)
    bed.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=privileged", "--overwrite")
    install_chart(bed, keys, "--set", "schedule.suspend=true", "--set", "monitoring.expectedIntervalSeconds=86400")
    return bed


@pytest.fixture(scope="session")
def releases(installed, planted, tmp_path_factory):
    """The set of (namespace, release) that real Helm made."""
    made = release_maker.install_all(installed, tmp_path_factory.mktemp("releases"), planted)
    assert len(made) == 25
    return made


def pods(bed, component):
    listed = bed.get("pods", "-n", NAMESPACE, "-l", f"app.kubernetes.io/component={component}")["items"]
    return [pod for pod in listed if "deletionTimestamp" not in pod["metadata"]]


def ready_pod(bed, component):
    def find():
        for pod in pods(bed, component):
            for item in pod.get("status", {}).get("conditions", []):
                if item["type"] == "Ready" and item["status"] == "True":
                    return pod
        return None
    return wait_for(f"a ready {component}", find, 90)
