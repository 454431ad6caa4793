"""A server node to back up, to wipe and to restore: the bed that this runs in."""

import contextlib
import functools
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
import time

BACKUPS = pathlib.Path("/opt/backup/railiance/cluster")
KNOWN_DISKS = pathlib.Path("/var/lib/railiance-backup/backup-disks")
DATA = pathlib.Path("/var/lib/rancher/k3s")
KEY_DIR = pathlib.Path("/var/lib/railiance-backup")
KUBECONFIG = pathlib.Path("/etc/rancher/k3s/k3s.yaml")
BED_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STOCK = "With nothing but age, sh and k3s"  # the heading in RESTORE.md
KINDS = "namespaces,configmaps,secrets,serviceaccounts,clusterroles,clusterrolebindings,roles,rolebindings,services"

# What a service manager does, for the one that a bed has.
SYSTEMCTL = f"""#!/bin/bash
PATH={BED_PATH}
unit=${{!#}}
[ "$1" = daemon-reload ] || [ "${{unit%.service}}" = k3s ] || exit 5
case "$1" in
    start | stop | restart) exec bedctl "$1" ;;
    daemon-reload | reset-failed | enable) exit 0 ;;
    is-active) exec bedctl status ;;
esac
echo "systemctl: not in a bed: $*" >&2
exit 1
"""


def is_standin():
    """The k3s of this bed is the stand-in of tests/k3s, which plays faults, and no real k3s."""
    return "+standin" in run("/usr/local/bin/k3s", "--version").stdout


def needs_standin(test):
    """For a test that needs a fault which only the stand-in plays: with a real k3s it says that it did not run."""
    @functools.wraps(test)
    def when_it_can(self, *arguments):
        if not is_standin():
            print(f"NOT RUN: {self.id().removeprefix('__main__.')}: not run here: needs the stand-in", flush=True)
            self.skipTest("not run here: needs the stand-in")
        return test(self, *arguments)
    return when_it_can


def tool(name):
    """One of our cached tools (age), else what the machine has."""
    cached = pathlib.Path(os.environ.get("RAILIANCE_CACHE", pathlib.Path("/root/.cache/railiance-backup"))) / "bin" / name
    return str(cached) if cached.exists() else shutil.which(name, path=BED_PATH) or name


def run(*command, check=True, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{command[0]}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def kubectl(*arguments, **options):
    return run("/usr/local/bin/k3s", "kubectl", *arguments, **options)


def objects():
    """Everything that people make, by kind, namespace and name: what must be the same afterwards."""
    listed = json.loads(kubectl("get", KINDS, "-A", "-o", "json").stdout)["items"]
    found = {}
    for item in listed:
        meta = item["metadata"]
        for key in ("managedFields", "resourceVersion"):
            meta.pop(key, None)
        found[item["kind"], meta.get("namespace", ""), meta["name"]] = item
    return found


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def empty(directory):
    for entry in pathlib.Path(directory).iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


PLACES = ("/var/lib/rancher", "/etc/rancher", "/etc/systemd/system", KEY_DIR)


def wipe():
    """The disk of the server is new: nothing is left but the backup directory."""
    run("/usr/local/bin/bedctl", "stop")
    for directory in PLACES:
        empty(directory)


def paths_of_a_server():
    """All that is there of a server, whoever made it."""
    return sorted(str(path) for place in PLACES for path in pathlib.Path(place).rglob("*"))


def settled(seconds=60):
    """Waits until no namespace is being removed: what another test left goes in its own time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        names = run("/usr/local/bin/k3s", "kubectl", "get", "namespaces", "-o",
                    "jsonpath={.items[*].metadata.deletionTimestamp}").stdout
        if not names.strip():
            return
        time.sleep(0.5)
    raise AssertionError(f"namespaces are still being removed after {seconds} s")


def wait_until_ready():
    for _ in range(200):
        if kubectl("get", "serviceaccount", "default", check=False).returncode == 0:
            return
        time.sleep(0.3)
    raise AssertionError("the API server is not ready")


@contextlib.contextmanager
def another_cluster(*config, without=()):
    """A new cluster on this node, with more lines of configuration and without some; the bed's own is back afterwards."""
    file = pathlib.Path("/etc/rancher/k3s/config.yaml")
    # Where wipe() does not come.
    # The disk of the backups is known by a file on it and one of the host: they go together.
    kept = [(DATA, BACKUPS.parent / "k3s-of-the-bed"), (BACKUPS, BACKUPS.parent / "cluster-of-the-bed"),
            (KNOWN_DISKS, KNOWN_DISKS.with_name("backup-disks-of-the-bed"))]
    BACKUPS.parent.mkdir(parents=True, exist_ok=True)
    places = [pathlib.Path("/etc/rancher"), pathlib.Path("/etc/systemd/system")]
    run("/usr/local/bin/bedctl", "stop")
    with tempfile.TemporaryDirectory(prefix="kit-") as aside:
        for place in places:
            shutil.copytree(place, pathlib.Path(aside) / place.name, symlinks=True)
        for path, other in kept:
            if path.exists():
                run("/bin/mv", path, other)  # also to another file system
        try:
            kept_lines = [line for line in file.read_text().splitlines() if line.split(":")[0] not in without]
            file.write_text("".join(f"{line}\n" for line in [*kept_lines, *config]))
            run("/usr/local/bin/bedctl", "start")
            wait_until_ready()
            yield
        finally:
            run("/usr/local/bin/bedctl", "stop")
            for path, other in kept:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
                if other.exists():
                    run("/bin/mv", other, path)
            for place in places:
                empty(place)
                shutil.copytree(pathlib.Path(aside) / place.name, place, symlinks=True, dirs_exist_ok=True)
            run("/usr/local/bin/bedctl", "start")
            wait_until_ready()


class Operator:
    """Who has the key: a home directory with keys.txt, and nothing else."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="kit-"))
        self.keys = self.home / ".config/sops/age/keys.txt"
        self.keys.parent.mkdir(parents=True)
        run(tool("age-keygen"), "-o", self.keys)
        recipient = run(tool("age-keygen"), "-y", self.keys).stdout.strip()
        self.calls = self.home / "calls-of-k3s"
        self.sops = self.home / ".sops.yaml"
        self.sops.write_text(f"creation_rules:\n  - age: {recipient}\n")

    def toolbox(self, names):
        """A directory for PATH with these programs and no others."""
        box = self.home / "bin"
        shutil.rmtree(box, ignore_errors=True)
        box.mkdir()
        for name in names:
            if name == "systemctl":
                (box / name).write_text(SYSTEMCTL)
                (box / name).chmod(0o755)
            elif name == "k3s":
                (box / name).write_text(f'#!/bin/sh\necho "$*" >> {self.calls}\nexec /usr/local/bin/k3s "$@"\n')
                (box / name).chmod(0o755)
            else:
                (box / name).symlink_to(tool(name))
        return box

    def follow(self, guide, heading=STOCK):
        """Runs the blocks of RESTORE.md below a heading, as they stand, with the tools that it names and no others."""
        tools = re.search(r"what every Linux has besides: (.*?)\.\s", guide, re.S).group(1)
        names = re.findall(r"`([a-z0-9]+)`", tools) + ["sh", "age", "k3s", "systemctl"]
        script = self.home / "restore.sh"
        script.write_text("".join(blocks(guide, heading)))
        environment = {"PATH": str(self.toolbox(names)), "HOME": str(self.home)}
        return run("/bin/sh", script, env=environment, check=False, cwd="/")

    def clean(self):
        shutil.rmtree(self.home, ignore_errors=True)


def back_up(program, operator, restore_program, *data_dir):
    """One complete set, of a cluster in which nothing is on its way out; returns its run id."""
    settled()
    values = operator.home / "values.tar.gz"
    with tarfile.open(values, "w:gz") as archive:
        for name, text in (("shop/web.yaml", "replicas: 3\n"), ("index.json", helm_index())):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    config = pathlib.Path("/etc/rancher/k3s/config.yaml").read_text()
    node = re.search(r"^node-name: (\S+)", config, re.M).group(1)
    return run(program, node, operator.sops, values, restore_program, *data_dir).stdout.strip()


def helm_index():
    return json.dumps({"format": "railiance-backup/helm-values/v1", "releases": [
        {"namespace": "shop", "name": "web", "file": "shop/web.yaml", "chart": {"name": "web", "version": "1.2.3"},
         "revision": 1, "status": "deployed"}]}) + "\n"


def blocks(markdown, heading=None):
    """The commands of the blocks marked `sh`, below a heading of level 2 or everywhere."""
    if heading is not None:
        markdown = markdown.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```sh\n(.*?)^```$", markdown, re.M | re.S)


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)
