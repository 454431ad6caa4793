"""No plaintext is left anywhere on the disk but in k3s's own places."""

import json
import tempfile

from conftest import BEGINNING
from support import backups

# etcd's data and k3s's own snapshots hold every Secret: that is what is being backed up. The kubelet
# mounts Secrets into pods in memory (tmpfs), and Helm's own client keeps what the test gave it.
K3S_PLACES = ("/var/lib/rancher/k3s/server/db/",)


# What lies on this machine: disks and memory. Never a network's file system, however large it is.
LOCAL = ("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "overlay", "tmpfs")


def local_file_systems(bed):
    """Where each begins; what is mounted once more from the one around it needs no start of its own."""
    mounts = {}
    for line in bed.run("cat", "/proc/self/mountinfo").stdout.splitlines():
        mount, details = line.split(" - ", 1)
        number, parent, device, _, place = mount.split()[:5]
        mounts[number] = (parent, device, place, details.split()[0])
    return ["/"] + [place for parent, device, place, kind in mounts.values()
                    if kind in LOCAL and parent in mounts and mounts[parent][1] != device
                    and not place.startswith(("/proc/", "/sys/"))]


def search_disk(bed, needle):
    """Every file of the whole disk that was written since the tests began and holds `needle`, but those
    of the tests themselves."""
    script = ("needle=$1 beginning=$2 tests=$3; shift 3; find \"$@\" -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path \"$tests\" \\) -prune -o "
              "-type f -newer \"$beginning\" -print0 | xargs -0 -r grep -laF -e \"$needle\" --; true")
    found = bed.run("sh", "-c", script, "sh", needle, BEGINNING, tempfile.gettempdir() + "/pytest-of-*", *local_file_systems(bed),
                    timeout=300).stdout.splitlines()
    # A bed's private directories are seen at their real paths and below the bed's own directory.
    private = bed.env["BED_STATE"] + "/private"
    return sorted({path.removeprefix(private) for path in found})


def test_the_search_finds_what_lies_open(installed, planted):
    installed.run("sh", "-c", "echo \"$1\" > /var/tmp/rb-e2e-open", "sh", planted)
    try:
        assert "/var/tmp/rb-e2e-open" in search_disk(installed, planted)
    finally:
        installed.run("rm", "/var/tmp/rb-e2e-open")


def test_a_planted_secret_is_in_k3s_places_only(installed, planted, releases):
    backups.succeeded(installed, "plaintext")
    found = search_disk(installed, planted)
    assert found, "the secret must at least be in etcd, or the search is blind"
    assert [path for path in found if not path.startswith(K3S_PLACES)] == []


def test_the_token_is_in_k3s_places_only(installed):
    token = installed.read("/var/lib/rancher/k3s/server/token").decode().strip()
    password = token.rsplit(":", 1)[1]
    found = search_disk(installed, password)
    outside = [path for path in found if not path.startswith(("/var/lib/rancher/k3s/server/", "/etc/rancher/"))]
    assert outside == []


def test_objects_events_and_logs_hold_no_secret(installed, planted):
    """Status, orders, payloads, Events and the logs of our pods."""
    token = installed.read("/var/lib/rancher/k3s/server/token").decode().strip().rsplit(":", 1)[1]
    texts = [json.dumps(installed.get("clusterbackups")), json.dumps(installed.get("nodebackups")),
             json.dumps(installed.get("events.events.k8s.io", "-A")),
             json.dumps(installed.get("configmaps", "-n", "railiance-backup"))]
    for pod in installed.get("pods", "-n", "railiance-backup")["items"]:
        texts.append(installed.kubectl("logs", "-n", "railiance-backup", pod["metadata"]["name"], "--all-containers").stdout)
    assert any("runID" in text for text in texts)
    for text in texts:
        assert planted not in text and token not in text
