#!/usr/bin/python3
"""The drill of a large snapshot (`railiance-restore drill`: one decryption for digests, tags and the
trailer, one walk over every page) beside what an operator does with stock tools: `age -d`, `sha256sum`
and `etcdutl snapshot status`.

The snapshot is a bbolt file by the real bbolt (tests/conformance/etcdsnap). Rounds in random order,
medians; what etcdutl needs is a plaintext file, ours writes none."""
import argparse
import hashlib
import importlib.util
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
RUN_ID = "20260101T000000Z"
_spec = importlib.util.spec_from_file_location("age_run", ROOT / "tests/bench/age/run.py")
age_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(age_run)


def sha256_of(path, length=None):
    digest = hashlib.sha256()
    left = path.stat().st_size if length is None else length
    with open(path, "rb") as file:
        while left:
            piece = file.read(min(left, age_run.MIB))
            digest.update(piece)
            left -= len(piece)
    return digest.hexdigest()


def make_set(options, directory):
    """A set with a snapshot alone, as the agent would describe it."""
    plain = directory / "plain.snap"
    if not plain.exists():
        subprocess.run([options.mksnap, options.profile, "1", plain], check=True)
    key = directory / "keys.txt"
    if not key.exists():
        subprocess.run([options.age + "-keygen", "-o", key], check=True, capture_output=True)
    recipient = subprocess.run([options.age + "-keygen", "-y", key], check=True, capture_output=True,
                               text=True).stdout.strip()
    backups = directory / "backups"
    backups.mkdir(mode=0o700, exist_ok=True)
    name = f"etcd-{RUN_ID}.snap.age"
    subprocess.run([options.age, "-r", recipient, "-o", backups / name, plain], check=True)
    status = json.loads(subprocess.run([options.etcdutl, "snapshot", "status", "-w", "json", plain],
                                       check=True, capture_output=True, text=True).stdout)
    size = plain.stat().st_size
    manifest = {
        "schema": "railiance.io/manifest/v1", "runID": RUN_ID, "complete": True,
        "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:03Z",
        "generator": "bench", "clusterBackup": {"name": "", "uid": ""},
        "node": {"name": "bench", "address": ""}, "k3s": {"version": "", "tokenHash": ""},
        "recipients": [recipient], "requested": ["EtcdSnapshot"], "missing": [], "notCovered": [],
        "artifacts": [{"type": "EtcdSnapshot", "fileName": name,
                       "sizeBytes": (backups / name).stat().st_size, "sha256": sha256_of(backups / name)}],
        "snapshot": {"name": "bench", "sizeBytes": size, "sha256": sha256_of(plain),
                     "contentSHA256": sha256_of(plain, size - 32), "revision": status["revision"],
                     "totalKeys": status["totalKey"], "hash": status["hash"],
                     "storageVersion": "3.6.0", "bootstrapHashes": [], "objects": {}},
    }
    (backups / f"manifest-{RUN_ID}.json").write_text(json.dumps(manifest))
    plain.unlink()
    return backups, backups / name, key, size, status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--restore", required=True, help="the program railiance-restore")
    parser.add_argument("--mksnap", required=True)
    parser.add_argument("--age", default="age")
    parser.add_argument("--etcdutl", default="etcdutl")
    parser.add_argument("--workdir", required=True, help="a directory on the disk to measure")
    parser.add_argument("--profile", default="gigabyte", help="of mksnap")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    seed = random.randrange(1 << 32)
    random.seed(seed)
    directory = pathlib.Path(options.workdir)
    directory.mkdir(parents=True, exist_ok=True)
    backups, sealed, key, size, status = make_set(options, directory)
    plain = directory / "opened.snap"

    contestants = {
        "ours: drill": [options.restore, "drill", "--no-record", "--backup-dir", str(backups), "-i", str(key)],
        "ours: verify, no key": [options.restore, "verify", "--backup-dir", str(backups)],
        "age -d | sha256sum": age_run.shell(f"{options.age} -d -i {key} {sealed} | sha256sum"),
        "sha256sum; age -d; sha256sum; etcdutl": age_run.shell(
            f"sha256sum {sealed}; {options.age} -d -i {key} -o {plain} {sealed}; sha256sum {plain}; "
            f"{options.etcdutl} snapshot status -w json {plain}; rm {plain}"),
    }
    runs = {who: [] for who in contestants}
    load = os.getloadavg()
    for _ in range(options.rounds):
        order = list(contestants)
        random.shuffle(order)
        for who in order:
            plain.unlink(missing_ok=True)
            age_run.warm(sealed)
            runs[who].append(age_run.run_once(contestants[who]))
    rows = []
    for who, measured in runs.items():
        seconds = statistics.median(m["seconds"] for m in measured)
        rows.append({
            "who": who, "seconds": round(seconds, 3),
            "seconds_all": [round(m["seconds"], 3) for m in measured],
            "mb_per_second": round(size / seconds / 1e6),
            "cpu_seconds": round(statistics.median(m["cpu_seconds"] for m in measured), 3),
            "peak_rss_mib": None if contestants[who][0] == "/bin/sh" else
                            round(max(m["rss_bytes"] for m in measured) / age_run.MIB, 1)})
    case = {"case": f"open and prove a snapshot of {size / age_run.MIB:.0f} MiB", "input_bytes": size,
            "rounds": options.rounds, "rows": rows}
    age_run.report(case)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({
            "processors": os.cpu_count(), "load_before": load, "load_after": os.getloadavg(), "seed": seed,
            "snapshot": status, "cases": [case]}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
