"""Installed on a k3s without a network: from the package's files to the first Succeeded (how long it took is printed); an
upgrade; uninstall; kubectl's plugin. Each has a bed of its own, which has no route out of itself."""

import json
import os
import pathlib
import re
import subprocess
import time

import pytest

from conftest import ready_pod
from support import artifacts, backups
from support.bed import BACKUP_DIR, BED, CommandFailed, NAMESPACE, Bed, wait_for

PACKAGE = pathlib.Path(os.environ["RB_PACKAGE"])
PROGRAM = PACKAGE / "bin" / "railiance-backup"
IMAGE_FILE = "/var/lib/rancher/k3s/agent/images/railiance-backup-image.tar"
MANIFEST_FILE = "/var/lib/rancher/k3s/server/manifests/railiance-backup.yaml"


def up(name, *options):
    subprocess.run([BED, "up", name, "--node", *options], check=True, capture_output=True, timeout=300)
    return Bed(name)


@pytest.fixture(scope="module")
def bed():
    name = f"{os.environ['RB_BED']}-install"
    try:
        yield up(name)
    finally:
        subprocess.run([BED, "down", name], capture_output=True, timeout=60)


def install(bed, keys, *arguments, **options):
    return bed.run(PROGRAM, "install", "--sops", keys["sops_yaml"], *arguments, timeout=240, **options)


def test_from_the_files_to_the_first_succeeded_without_a_network(bed, keys):
    routes = bed.run("ip", "-4", "route").stdout
    # The default route leads to the bed's own bridge, which has no other end: k3s needs one for the services' addresses.
    assert re.search(r"^default dev bed0", routes, re.M), routes
    assert bed.run("ip", "-o", "link").stdout.count("bed0:") == 1
    assert bed.run("timeout", "3", "bash", "-c", "echo >/dev/tcp/192.0.2.1/443", check=False).returncode != 0
    before = time.monotonic()
    done = install(bed, keys)
    installed = time.monotonic() - before
    created = bed.run(PROGRAM, "create", "first", "--wait", timeout=120)
    took = time.monotonic() - before
    print(f"\ninstalled after {installed:.1f} s, first Succeeded after {took:.1f} s\n{done.stderr}{done.stdout}{created.stdout}")
    assert "next: railiance-backup create --wait" in done.stdout
    backup = bed.get("clusterbackup", "first")
    assert [c["status"] for c in backup["status"]["conditions"] if c["type"] == "Succeeded"] == ["True"]
    assert artifacts.open_artifact(bed, backup, "HelmValues", keys["identity_file"])


def test_the_pods_run_the_image_of_the_package_by_a_name_that_holds_its_digest(bed):
    for component in ("controller", "agent"):
        pod = ready_pod(bed, component)
        (container,) = pod["spec"]["containers"]
        assert re.fullmatch(r"docker\.io/library/railiance-backup:[0-9.]+-[0-9a-f]{12}", container["image"])
        assert container["imagePullPolicy"] == "Never"
    addon = bed.get("addon", "-n", "kube-system", "railiance-backup")
    assert addon["spec"]["source"] == MANIFEST_FILE


def test_the_kit_has_that_image_too(bed):
    wait_for("the image in the kit", lambda: "railiance-backup-image.tar" in bed.files(), 60)


def test_install_again_changes_nothing(bed, keys):
    uid = ready_pod(bed, "controller")["metadata"]["uid"]
    done = install(bed, keys)
    assert done.stderr.count("as it was") == 2
    assert ready_pod(bed, "controller")["metadata"]["uid"] == uid


def test_other_values_and_recipients_roll_the_pods(bed, keys, tmp_path):
    uid = ready_pod(bed, "controller")["metadata"]["uid"]
    sops = tmp_path / ".sops.yaml"
    sops.write_text(keys["sops_yaml"].read_text() + "# changed\n")
    bed.run(PROGRAM, "install", "--sops", sops, "--keep-last", "3", "--schedule", "30 3 * * *", timeout=240)
    pod = ready_pod(bed, "controller")
    assert pod["metadata"]["uid"] != uid
    assert "--keep-last=3" in pod["spec"]["containers"][0]["args"]
    assert bed.get("cronjob", "-n", NAMESPACE, "railiance-backup")["spec"]["schedule"] == "30 3 * * *"


def test_a_restart_of_k3s_leaves_it_as_it_is(bed, keys):
    bed.k3s("restart")
    subprocess.run([BED, "up", bed.name], check=True, capture_output=True, timeout=240)
    assert "as it was" in install(bed, keys, "--keep-last", "3", "--schedule", "30 3 * * *").stderr
    backups.succeeded(bed, "after-restart")


def test_an_image_that_comes_after_the_start_of_an_older_k3s_is_there_all_the_same(bed, keys):
    bed.run(PROGRAM, "uninstall", timeout=200)
    images = bed.run("k3s", "ctr", "images", "ls", "-q").stdout.split()
    for image in (i for i in images if "railiance-backup" in i):
        bed.run("k3s", "ctr", "images", "rm", "--sync", image)
    with bed.k3s_fault("no-image-watch"):
        install(bed, keys)
    backups.succeeded(bed, "older-k3s")


def test_what_k3s_does_not_apply_is_said_after_the_time_given(bed, keys):
    with bed.k3s_fault("no-deploy"):
        done = install(bed, keys, "--keep-last", "5", "--timeout", "20s", check=False)
    assert done.returncode == 9 and "k3s takes the manifests in" in done.stderr
    assert install(bed, keys, "--keep-last", "5").returncode == 0


def test_uninstall_takes_it_back_and_leaves_the_sets_and_the_crds(bed, keys):
    before = bed.files()
    assert bed.sets()
    done = bed.run(PROGRAM, "uninstall", timeout=200)
    assert BACKUP_DIR in done.stdout
    assert bed.files() == before
    assert bed.run("test", "-e", MANIFEST_FILE, check=False).returncode == 1
    assert bed.run("test", "-e", IMAGE_FILE, check=False).returncode == 1
    with pytest.raises(CommandFailed, match="NotFound"):
        bed.get("namespace", NAMESPACE)
    assert bed.get("clusterbackup", "first")
    assert not bed.get("clusterrole", "-l", "app.kubernetes.io/name=railiance-backup")["items"]
    # Also after the deploy controller has looked again, and after a start of k3s.
    bed.k3s("restart")
    subprocess.run([BED, "up", bed.name], check=True, capture_output=True, timeout=240)
    time.sleep(16)
    with pytest.raises(CommandFailed, match="NotFound"):
        bed.get("namespace", NAMESPACE)
    again = bed.run(PROGRAM, "uninstall", timeout=60)
    assert "not installed here" in again.stdout


def test_what_helm_installed_is_refused_and_stays(bed, keys):
    bed.kubectl("create", "namespace", NAMESPACE)
    bed.kubectl("create", "secret", "generic", "sh.helm.release.v1.railiance-backup.v1", "-n", NAMESPACE,
                "--type=helm.sh/release.v1", "--from-literal=release=x")
    bed.kubectl("label", "secret", "sh.helm.release.v1.railiance-backup.v1", "-n", NAMESPACE, "owner=helm", "name=railiance-backup",
                "status=deployed")
    for command in (("install", "--sops", keys["sops_yaml"]), ("uninstall",)):
        done = bed.run(PROGRAM, *command, check=False, timeout=60)
        assert done.returncode == 1 and "by Helm" in done.stderr
    assert bed.run("test", "-e", MANIFEST_FILE, check=False).returncode == 1
    bed.kubectl("delete", "namespace", NAMESPACE)


def test_kubectl_railiance(bed, keys):
    install(bed, keys)
    for name in ("kubectl-railiance", "kubectl_complete-railiance"):
        bed.run("ln", "-sf", PACKAGE / "bin" / name, f"/usr/local/bin/{name}")
    bed.run("ln", "-sf", "/usr/local/bin/k3s", "/usr/local/bin/kubectl")
    made = bed.run("kubectl", "railiance", "backup", "by-kubectl", timeout=120)
    assert "by-kubectl" in made.stdout
    assert "by-kubectl" in bed.run("kubectl", "railiance", "list").stdout
    assert json.loads(bed.run("kubectl", "railiance", "status", "-o", "json", check=False).stdout)
    assert "kubectl railiance status" in bed.run("kubectl", "railiance", "status", "--help").stdout
    offered = bed.run("kubectl", "__complete", "railiance", "show", "by").stdout
    assert "by-kubectl" in offered
    assert "status" in bed.run("kubectl", "__complete", "railiance", "st").stdout


def test_kubectl_explain_has_words_for_every_field(bed):
    for kind in ("clusterbackups", "nodebackups", "backupstatuses"):
        text = bed.kubectl("explain", kind, "--recursive").stdout
        assert "<empty>" not in text.split("FIELDS:")[0], text
    assert "keepLast" in bed.kubectl("explain", "clusterbackups.spec.retention").stdout
