"""ClusterBackups as an operator makes and watches them."""

import json

from .bed import wait_for


def manifest(name, **spec):
    return {"apiVersion": "backup.railiance.io/v1alpha1", "kind": "ClusterBackup",
            "metadata": {"name": name}, "spec": spec}


def condition(backup, kind="Succeeded"):
    """The condition as a dict; an empty one where it is not set."""
    for item in backup.get("status", {}).get("conditions", []):
        if item["type"] == kind:
            return item
    return {}


def start(bed, name, **spec):
    bed.apply(manifest(name, **spec))


def wait(bed, name, timeout=180):
    """Waits until the run has ended; returns the object."""
    def ended():
        backup = bed.get("clusterbackup", name)
        return backup if condition(backup).get("status") in ("True", "False") else None
    return wait_for(f"the end of ClusterBackup {name}", ended, timeout)


def run(bed, name, timeout=180, **spec):
    start(bed, name, **spec)
    return wait(bed, name, timeout)


def reason(backup, kind="Succeeded"):
    return condition(backup, kind).get("reason")


def succeeded(bed, name, **spec):
    """A run that must succeed; returns the object."""
    backup = run(bed, name, **spec)
    assert condition(backup).get("status") == "True", json.dumps(backup.get("status"), indent=2)
    return backup


def stamp(bed):
    done = bed.run("cat", "/opt/backup/railiance/cluster/.last-backup", check=False)
    return done.stdout if done.returncode == 0 else None
