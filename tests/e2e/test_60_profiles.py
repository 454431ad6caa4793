"""The chart in its other shapes: without privileges, as plain manifests, rendered and linted."""

import os
import pathlib
import subprocess

from conftest import install_chart, ready_pod
from support import backups
from support.artifacts import file_of, open_artifact
from support.bed import BACKUP_DIR, NAMESPACE, ROOT

BUILD = pathlib.Path(os.environ["RB_BUILD_BIN"])


def test_helm_lint_passes(installed, keys):
    installed.helm("lint", ROOT / "charts" / "railiance-backup", "--strict", "--set-file", f"sops.config={keys['sops_yaml']}")


def test_the_rendered_chart_is_taken_by_the_api_server(installed, keys):
    rendered = installed.helm("template", "railiance-backup", ROOT / "charts" / "railiance-backup", "-n", NAMESPACE,
                              "--set-file", f"sops.config={keys['sops_yaml']}").stdout
    done = installed.kubectl("apply", "--dry-run=server", "-f", "-", input=rendered)
    for kind in ("deployment", "daemonset", "cronjob", "customresourcedefinition", "clusterrole", "configmap"):
        assert kind in done.stdout


def test_the_kustomization_is_taken_by_the_api_server(installed, keys, tmp_path):
    subprocess.run(["cp", "-r", ROOT / "deploy", tmp_path / "deploy"], check=True)
    subprocess.run(["cp", keys["sops_yaml"], tmp_path / "deploy" / ".sops.yaml"], check=True)
    installed.kubectl("apply", "--dry-run=server", "-k", tmp_path / "deploy")


def test_the_agent_works_without_privileges(installed, keys):
    install_chart(installed, keys, "--set", "schedule.suspend=true", "--set", "agent.privileged=false")
    try:
        container = ready_pod(installed, "agent")["spec"]["containers"][0]
        assert not container["securityContext"].get("privileged")
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        backups.succeeded(installed, "unprivileged")
    finally:
        install_chart(installed, keys, "--set", "schedule.suspend=true")


def test_backups_for_a_post_quantum_key(installed, keys, tmp_path):
    recipient, identity, sops = keys["pq_recipient"], keys["identity_file"], tmp_path / ".sops.yaml"
    sops.write_text(f"creation_rules:\n  - age: {recipient}\n")
    notes = install_chart(installed, {**keys, "sops_yaml": sops}, "--set", "schedule.suspend=true").stdout
    try:
        assert f"    {recipient[:24]}...{recipient[-12:]}" in notes
        backup = backups.succeeded(installed, "post-quantum")
        for kind in ("EtcdSnapshot", "HelmValues", "Kubeconfig", "HostState"):
            name = file_of(backup, kind)["fileName"]
            (tmp_path / name).write_bytes(installed.read(f"{BACKUP_DIR}/{name}"))
            ours = subprocess.run([BUILD / "railiance-restore", "decrypt", "-i", identity, "-o", "-", tmp_path / name], capture_output=True)
            assert ours.returncode == 0, ours.stderr.decode()
            assert ours.stdout == open_artifact(installed, backup, kind, identity)
    finally:
        install_chart(installed, keys, "--set", "schedule.suspend=true")


def test_the_controller_is_restricted(installed):
    spec = ready_pod(installed, "controller")["spec"]
    container = spec["containers"][0]["securityContext"]
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"]["drop"] == ["ALL"]
    assert container["readOnlyRootFilesystem"] is True
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert not spec.get("hostNetwork")
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]
