"""The disaster: the machine is lost, and everything comes back from the backup directory and the key.

Each run has a bed of its own: it is taken down, and another machine of the same name takes its place.
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import install_chart, ready_pod
from support import artifacts, backups, objects
from support.bed import BACKUP_DIR, BED, NAMESPACE, Bed, wait_for

BUILD = pathlib.Path(os.environ["RB_BUILD_BIN"])
IMAGE = os.environ["RB_IMAGE_TAR"]
MANAGER = ("--stop-command", "/usr/local/bin/bedctl stop", "--start-command", "/usr/local/bin/bedctl start", "--status-command",
           "/usr/local/bin/bedctl status")

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.shop.test"},
    "spec": {"group": "shop.test", "scope": "Namespaced",
             "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
             "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                 "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]},
}


def deployment(name):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [
                         {"name": "pause", "image": "railiance.test/pause:1", "imagePullPolicy": "Never"}]}}}}


def up(name, encrypted, *options):
    extra = ("--config", "secrets-encryption: true") if encrypted else ()
    subprocess.run([BED, "up", name, "--node", *extra, *options], check=True, capture_output=True, timeout=300)
    return Bed(name)


def bring_in_image(name):
    subprocess.run([BED, "import", name, IMAGE], check=True, capture_output=True, timeout=120)


def fill(bed):
    """A cluster that somebody lives in."""
    bed.kubectl("create", "namespace", "shop")
    bed.apply(CRD)
    bed.kubectl("wait", "--for=condition=Established", "crd/gadgets.shop.test", "--timeout=30s")
    for number in range(20):
        bed.apply({"apiVersion": "shop.test/v1", "kind": "Gadget", "spec": {"price": number, "tags": ["a", "b"]},
                   "metadata": {"name": f"gadget-{number}", "namespace": "shop"}})
    bed.apply(deployment("web"))
    bed.kubectl("create", "secret", "generic", "password", "-n", "shop", "--from-literal=value=open sesame")
    bed.kubectl("create", "serviceaccount", "clerk", "-n", "shop")
    bed.kubectl("create", "role", "reader", "-n", "shop", "--verb=get", "--resource=secrets")
    bed.kubectl("create", "rolebinding", "clerk", "-n", "shop", "--role=reader", "--serviceaccount=shop:clerk")
    bed.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=90s")


def change(bed):
    """What happens after the backup, and must be undone."""
    bed.kubectl("delete", "secret", "password", "-n", "shop")
    bed.kubectl("delete", "gadget", "gadget-3", "-n", "shop")
    bed.kubectl("patch", "gadget", "gadget-4", "-n", "shop", "--type=merge", "-p", '{"spec":{"price":99}}')
    bed.kubectl("scale", "deployment/web", "-n", "shop", "--replicas=1")
    bed.apply(deployment("later"))
    bed.kubectl("create", "configmap", "later", "-n", "shop", "--from-literal=a=b")


class Story:
    """What was seen before the disaster and after it."""


@pytest.fixture(scope="module", params=["plain", "secrets-encryption"])
def story(request, keys, tmp_path_factory):
    name = f"{os.environ['RB_BED']}-{'enc' if request.param == 'secrets-encryption' else 'plain'}"
    encrypted = request.param == "secrets-encryption"
    kept = tmp_path_factory.mktemp("kept")
    it = Story()
    it.encrypted = encrypted
    try:
        bed = up(name, encrypted)
        bring_in_image(name)
        bed.kubectl("create", "namespace", NAMESPACE)
        install_chart(bed, keys, "--set", "schedule.suspend=true")
        fill(bed)
        it.token = bed.kubectl("create", "token", "clerk", "-n", "shop", "--duration=24h").stdout.strip()
        it.before = objects.everything(bed)
        it.backup = backups.succeeded(bed, "the-last-one")
        it.authority = bed.read("/var/lib/rancher/k3s/server/tls/server-ca.crt")
        it.kubeconfig = artifacts.open_artifact(bed, it.backup, "Kubeconfig", keys["identity_file"])
        change(bed)
        shutil.copytree(bed.env["BED_STATE"] + "/private" + BACKUP_DIR, kept / "cluster")

        subprocess.run([BED, "down", name], check=True, capture_output=True, timeout=60)
        bed = up(name, encrypted, "--no-start")
        bed.run("sh", "-c", "rm -rf /etc/rancher/* /etc/systemd/system/*")
        # A machine on which k3s is installed and has never run: its own images are there.
        assert bed.files("/var/lib/rancher/k3s") == ["agent"] and bed.files("/var/lib/rancher/k3s/agent") == ["images"]
        bed.run("mkdir", "-p", "-m", "700", BACKUP_DIR)
        bed.run("cp", "-a", f"{kept}/cluster/.", BACKUP_DIR)
        it.restore = bed.run(BUILD / "railiance-restore", "restore", "--execute", "--yes", "-i", keys["identity_file"],
                             *MANAGER, timeout=300, check=False)
        it.bed = bed
        it.keys = keys
        if it.restore.returncode == 0:
            # Nobody brings the product's image in again: the kit does.
            it.after = objects.everything(bed)
        yield it
    finally:
        subprocess.run([BED, "down", name], capture_output=True, timeout=60)


def test_one_command_brings_the_cluster_back(story):
    assert story.restore.returncode == 0, story.restore.stdout + story.restore.stderr
    assert story.backup["status"]["runID"] in story.restore.stdout + story.restore.stderr


def test_the_product_s_own_image_comes_out_of_the_kit(story):
    assert "k3s takes it in at its start" in story.restore.stderr
    assert "railiance-backup-image.tar" in story.bed.files("/var/lib/rancher/k3s/agent/images")


def test_the_authority_of_the_cluster_is_the_same(story):
    assert story.bed.read("/var/lib/rancher/k3s/server/tls/server-ca.crt") == story.authority


def test_the_kubeconfig_of_the_backup_works(story):
    story.bed.run("sh", "-c", "umask 077; cat > /run/kept.yaml", input=story.kubeconfig.decode())
    assert f"bed-{story.bed.name}" in story.bed.run("k3s", "kubectl", "--kubeconfig", "/run/kept.yaml", "get", "nodes").stdout


def test_every_object_is_there_with_its_content_and_what_came_later_is_gone(story):
    found = objects.differences(story.before, story.after)
    assert found["missing"] == []
    assert found["changed"] == []
    # Between the list and the snapshot the run itself began.
    assert [key for key in found["new"] if NAMESPACE not in key[1:]] == []
    assert len(story.before) > 150


def test_pods_run_again(story):
    story.bed.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=120s")
    pods = wait_for("two running pods of web", lambda: [
        pod for pod in story.bed.get("pods", "-n", "shop", "-l", "app=web", "--field-selector=status.phase=Running")["items"]
        if all(item["ready"] for item in pod["status"]["containerStatuses"])])
    assert len(pods) == 2


def test_tokens_of_service_accounts_are_accepted(story):
    done = story.bed.kubectl(f"--token={story.token}", "--server=https://127.0.0.1:6443", "--kubeconfig=/dev/null",
                             "--certificate-authority=/var/lib/rancher/k3s/server/tls/server-ca.crt",
                             "get", "secret", "password", "-n", "shop", "-o", "jsonpath={.data.value}")
    assert done.stdout == "b3BlbiBzZXNhbWU="


def test_the_run_in_the_snapshot_is_settled_and_not_run_again(story):
    ready_pod(story.bed, "controller")
    ready_pod(story.bed, "agent")
    settled = backups.wait(story.bed, "the-last-one")
    assert backups.condition(settled)["status"] == "True", json.dumps(settled["status"], indent=2)
    assert settled["status"]["runID"] == story.backup["status"]["runID"]
    assert settled["status"]["artifacts"] == story.backup["status"]["artifacts"]
    assert story.bed.sets() == [story.backup["status"]["runID"]]


def test_the_next_backup_succeeds(story):
    ready_pod(story.bed, "agent")
    following = backups.succeeded(story.bed, "after-the-disaster")
    assert story.bed.sets() == [story.backup["status"]["runID"], following["status"]["runID"]]


def test_the_keys_of_secrets_encryption_are_back(story):
    configured = "encryption-config.json" in story.bed.files("/var/lib/rancher/k3s/server/cred")
    assert configured == story.encrypted
