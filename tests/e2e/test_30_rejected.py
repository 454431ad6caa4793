"""What the API server refuses, and what it must take."""

import pytest

from support import backups


@pytest.mark.parametrize("spec, words", [
    ({"retention": {"keepLast": 0}}, "keepLast"),
    ({"retention": {"keepLast": 1001}}, "keepLast"),
    ({"artifacts": ["Everything"]}, "Unsupported value"),
    ({"artifacts": []}, "artifacts"),
    ({"deadlineSeconds": 0}, "deadlineSeconds"),
])
def test_a_bad_spec_is_refused(installed, spec, words):
    done = installed.apply(backups.manifest("refused", **spec), check=False)
    assert done.returncode != 0
    assert words in done.stderr


def test_a_changed_spec_is_refused(installed):
    backups.start(installed, "fixed", artifacts=["Kubeconfig"])
    done = installed.apply(backups.manifest("fixed", artifacts=["HostState"]), check=False)
    assert done.returncode != 0
    assert "spec must not be changed" in done.stderr
    assert backups.condition(backups.wait(installed, "fixed"))["status"] == "True"


def test_a_name_of_253_characters_works(installed):
    name = ".".join(["n" * 63, "a" * 63, "m" * 63, "e" * 61])
    assert len(name) == 253
    backups.succeeded(installed, name)
    too_long = installed.apply(backups.manifest("x" + name), check=False)
    assert too_long.returncode != 0
