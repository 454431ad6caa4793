"""The cluster that the tests run on: one bed of tests/k3s, with a node.

Everything that belongs to the cluster (kubectl, helm, our own commands, a look at its files) runs
inside the bed's namespaces through `bed.sh exec`.
"""

import contextlib
import json
import pathlib
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BED = ROOT / "tests" / "k3s" / "bed.sh"
NAMESPACE = "railiance-backup"
BACKUP_DIR = "/opt/backup/railiance/cluster"
FAULT_FILE = "/var/lib/rancher/k3s/standin-fault"


class CommandFailed(AssertionError):
    pass


class Bed:
    """Not thread-safe. `name` is the bed's, as `bed.sh up NAME` was told."""

    def __init__(self, name):
        self.name = name
        self.env = self._read_env()

    def _read_env(self):
        text = subprocess.run([BED, "env", self.name], check=True, capture_output=True, text=True, timeout=60).stdout
        pairs = (line.removeprefix("export ").split("=", 1) for line in text.splitlines() if "=" in line)
        return {key: value.strip("'\"") for key, value in pairs}

    def run(self, *command, check=True, input=None, timeout=120, text=True):
        """Runs a command inside the bed; the result has stdout, stderr and returncode."""
        done = subprocess.run(
            [BED, "exec", self.name, *map(str, command)],
            input=input, capture_output=True, text=text, timeout=timeout)
        if check and done.returncode != 0:
            raise CommandFailed(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, *command):
        """Starts a command inside the bed and does not wait for it."""
        return subprocess.Popen([BED, "exec", self.name, *map(str, command)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def k3s(self, action):
        """start, stop, restart or kill: the k3s server as its service manager would."""
        subprocess.run([BED, "k3s", self.name, action], check=True, capture_output=True, timeout=180)

    @contextlib.contextmanager
    def k3s_fault(self, text):
        """The running stand-in plays `text` (tests/k3s/README.md) until the block ends. A real k3s can't."""
        if "+standin" not in self.run("k3s", "--version").stdout:
            pytest.skip("not run here: needs the stand-in")
        self.run("sh", "-c", "printf %s \"$1\" > \"$2\"", "sh", text, FAULT_FILE)
        try:
            yield
        finally:
            self.run("rm", "-f", FAULT_FILE)

    # -- kubectl ---------------------------------------------------------------------------------

    def kubectl(self, *arguments, **options):
        return self.run("k3s", "kubectl", *arguments, **options)

    def get(self, *arguments):
        """`kubectl get … -o json` as a dict."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json").stdout)

    def apply(self, manifest, check=True):
        return self.kubectl("apply", "-f", "-", input=json.dumps(manifest), check=check)

    def helm(self, *arguments, **options):
        return self.run("helm", *arguments, **options)

    # -- files on the node -----------------------------------------------------------------------

    def read(self, path):
        return self.run("cat", path, text=False).stdout

    def files(self, directory=BACKUP_DIR):
        """Names in a directory of the node, sorted; none where it is missing."""
        done = self.run("ls", "-A", directory, check=False)
        return sorted(done.stdout.split()) if done.returncode == 0 else []

    def sets(self):
        """Run ids that have a manifest, oldest first."""
        return [name[len("manifest-"):-len(".json")] for name in self.files()
                if name.startswith("manifest-") and name.endswith(".json")]


def wait_for(what, probe, timeout=120, step=0.25):
    """Calls `probe` until it gives something true, and returns that."""
    end = time.monotonic() + timeout
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(step)
