#!/usr/bin/python3
"""A run of the agent for snapshots of 1 and of 8 GiB, in a memory cgroup of 64 MiB (page cache counted).

The snapshots are bbolt files by the real bbolt (tests/conformance/etcdsnap); a script stands for `k3s` and
stores a copy. The plaintext of what was written is compared with the snapshot, by stock age. Needs root,
and 28 GB in --workdir."""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
MEMORY = pathlib.Path("/sys/fs/cgroup/memory")


class Cgroup:
    """A memory cgroup, version 1 or 2; `limit` counts the page cache, too."""

    def __init__(self, name, limit):
        first = (MEMORY / "cgroup.procs").exists()
        self.path = (MEMORY if first else pathlib.Path("/sys/fs/cgroup")) / name
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if first else "memory.max")).write_text(str(limit))
        self.kills = self.path / ("memory.oom_control" if first else "memory.events")

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def killed(self):
        words = dict(line.split() for line in self.kills.read_text().splitlines())
        return int(words["oom_kill"])

    def remove(self):
        self.path.rmdir()


def lay_out(host, snapshot, recipient):
    for directory in ("bin", "data/server/db/etcd/member/wal", "data/server/db/snapshots", "etc-rancher/k3s"):
        (host / directory).mkdir(parents=True)
    (host / "data/server/token").write_text("K10abcdef::server:bench\n")
    (host / "etc-rancher/k3s/k3s.yaml").write_text("apiVersion: v1\nclusters: []\n")
    (host / "sops.yaml").write_text(f"creation_rules:\n  - age: {recipient}\n")
    shutil.copy(ROOT / "tests/fault/fake_k3s.sh", host / "bin/k3s")
    (host / "bin/snapshot").symlink_to(snapshot)


def digest(stream):
    found = hashlib.sha256()
    while piece := stream.read(1 << 20):
        found.update(piece)
    return found.hexdigest()


def same(age, keys, artifact, snapshot):
    opened = subprocess.Popen([age, "-d", "-i", keys, artifact], stdout=subprocess.PIPE)
    plain = digest(opened.stdout)
    assert opened.wait() == 0
    with open(snapshot, "rb") as file:
        return plain == digest(file)


def measure(options, directory, profile):
    snapshot = directory / f"{profile}.snap"
    subprocess.run([options.mksnap, profile, "1", snapshot], check=True)
    keys = directory / "keys.txt"
    keys.unlink(missing_ok=True)
    subprocess.run([options.age + "-keygen", "-o", keys], check=True, capture_output=True)
    recipient = subprocess.run([options.age + "-keygen", "-y", keys], check=True, capture_output=True, text=True).stdout.strip()
    host = directory / "host"
    lay_out(host, snapshot, recipient)
    cgroup = Cgroup(f"railiance-scale-{os.getpid()}", options.limit_mib << 20)
    try:
        done = subprocess.run([options.agent, host], preexec_fn=cgroup.enter, capture_output=True, text=True)
        killed = cgroup.killed()
    finally:
        cgroup.remove()
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    artifact = host / "backups" / f"etcd-{row['runID']}.snap.age"
    assert same(options.age, keys, artifact, snapshot), "the artifact does not hold the snapshot"
    row.update({"profile": profile, "bytes": snapshot.stat().st_size, "limit_mib": options.limit_mib, "oom_kills": killed})
    shutil.rmtree(host)
    snapshot.unlink()
    return row


def main():
    arguments = argparse.ArgumentParser()
    for name in ("agent", "mksnap", "age", "json"):
        arguments.add_argument("--" + name, required=True)
    arguments.add_argument("--workdir", required=True, type=pathlib.Path)
    arguments.add_argument("--profiles", default="gigabyte,eight-gigabyte")
    arguments.add_argument("--limit-mib", type=int, default=64)
    options = arguments.parse_args()
    shutil.rmtree(options.workdir, ignore_errors=True)
    options.workdir.mkdir(parents=True)
    try:
        rows = [measure(options, options.workdir, profile) for profile in options.profiles.split(",")]
    finally:
        shutil.rmtree(options.workdir, ignore_errors=True)
    print("\nsnapshot        MiB   seconds    MB/s   peak MiB   limit MiB   killed for memory")
    for row in rows:
        print(f"{row['profile']:<14} {row['bytes'] >> 20:>5} {row['seconds']:9.2f} {row['bytes'] / row['seconds'] / 1e6:7.0f} "
              f"{row['peak_kib'] / 1024:10.1f} {row['limit_mib']:11} {row['oom_kills']:19}")
    pathlib.Path(options.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
