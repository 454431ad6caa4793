#!/usr/bin/python3
"""The backup of an SQLite database with a writer beside it, beside what an operator does with stock
tools: `sqlite3 DATABASE ".backup COPY"` and `age -r`. The writer makes 200 rows a second with kine's
settings (WAL, synchronous NORMAL, immediate transactions) and compacts every 5 s with
wal_checkpoint(FULL); its 99th percentile is measured alone and beside each of the two.

Rounds in random order, medians. Ours checks the copy, too; that is told apart."""
import argparse
import json
import os
import pathlib
import random
import sqlite3
import statistics
import subprocess
import sys
import threading
import time

MIB = 1 << 20
WRITES_A_SECOND = 200
SCHEMA = """
CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, created INTEGER, deleted INTEGER,
  create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB);
CREATE INDEX kine_name_index ON kine (name);
CREATE INDEX kine_name_id_index ON kine (name, id);
CREATE INDEX kine_id_deleted_index ON kine (id, deleted);
CREATE INDEX kine_prev_revision_index ON kine (prev_revision);
CREATE UNIQUE INDEX kine_name_prev_revision_uindex ON kine (name, prev_revision);
"""
INSERT = "INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease, value, old_value) VALUES (?, 1, 0, 0, ?, 0, ?, ?)"


def connect(path):
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    return database


def make_database(path, size_mib):
    database = connect(path)
    database.executescript(SCHEMA)
    database.execute(INSERT, ("/bootstrap/0123456789ab", 0, b"salt:secret", b""))
    number = 0
    while path.stat().st_size + pathlib.Path(f"{path}-wal").stat().st_size < size_mib * MIB:
        database.execute("BEGIN IMMEDIATE")
        for _ in range(2000):
            number += 1
            database.execute(INSERT, (f"/registry/configmaps/default/c{number}", number, os.urandom(1200), b"x" * 300))
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


class Writer(threading.Thread):
    """Writes until told to stop; `latencies` are in milliseconds."""

    def __init__(self, path):
        super().__init__()
        self.path, self.latencies, self.ended = path, [], threading.Event()

    def run(self):
        database = connect(self.path)
        next_write = time.monotonic()
        next_compaction = next_write + 5
        number = int(time.time() * 1e6)
        while not self.ended.is_set():
            number += 1
            begin = time.monotonic()
            database.execute("BEGIN IMMEDIATE")
            database.execute(INSERT, ("/registry/leases/kube-system/l", number, b"v" * 500, b"v" * 500))
            database.execute("COMMIT")
            self.latencies.append((time.monotonic() - begin) * 1000)
            if time.monotonic() > next_compaction:
                database.execute("PRAGMA wal_checkpoint(FULL)")
                next_compaction += 5
            next_write += 1 / WRITES_A_SECOND
            time.sleep(max(0, next_write - time.monotonic()))
        database.close()

    def stop(self):
        self.ended.set()
        self.join()
        return sorted(self.latencies)


def p99(latencies):
    return latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))] if latencies else 0.0


def ours(options, database, work):
    result = subprocess.run([options.bench, database, work / "copy", work / "ours.age", options.recipient],
                            check=True, capture_output=True, text=True)
    return json.loads(result.stdout)


def stock(options, database, work):
    for name in ("copy", "stock.age"):
        (work / name).unlink(missing_ok=True)
    begin = time.monotonic()
    subprocess.run(["sqlite3", database, f".backup {work / 'copy'}"], check=True)
    subprocess.run([options.age, "-r", options.recipient, "-o", work / "stock.age", work / "copy"], check=True)
    with open(work / "stock.age", "rb") as file:
        os.fsync(file.fileno())
    return {"stock": (time.monotonic() - begin) * 1000}


def measure(options, size_mib):
    work = pathlib.Path(options.workdir)
    work.mkdir(parents=True, exist_ok=True)
    database = work / f"state-{size_mib}.db"
    if not database.exists():
        make_database(database, size_mib)
    samples = {"ours": [], "check": [], "stock": [], "peakKiB": [], "p99 alone": [], "p99 ours": [], "p99 stock": []}
    for _ in range(options.rounds):
        parts = ["alone", "ours", "stock"]
        random.shuffle(parts)
        for part in parts:
            writer = Writer(database)
            writer.start()
            time.sleep(1)
            if part == "alone":
                time.sleep(3)
            elif part == "ours":
                times = ours(options, database, work)
                samples["ours"].append(times["copy"] + times["encrypt"])
                samples["check"].append(times["check"])
                samples["peakKiB"].append(times["peakKiB"])
            else:
                samples["stock"].append(stock(options, database, work)["stock"])
            time.sleep(0.5)
            samples[f"p99 {part}"].append(p99(writer.stop()))
    return {"sizeMiB": size_mib, **{name: round(statistics.median(values), 2) for name, values in samples.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--age", required=True)
    parser.add_argument("--workdir", required=True)
    parser.add_argument("--json", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes-mib", default="100,1024")
    options = parser.parse_args()
    work = pathlib.Path(options.workdir)
    work.mkdir(parents=True, exist_ok=True)
    key = work / "keys.txt"
    if not key.exists():
        subprocess.run([options.age + "-keygen", "-o", key], check=True, capture_output=True)
    options.recipient = subprocess.run([options.age + "-keygen", "-y", key], check=True, capture_output=True,
                                       text=True).stdout.strip()
    results = [measure(options, int(size)) for size in options.sizes_mib.split(",")]
    print("| database | ours: copy and age | sqlite3 .backup and age | ratio | our check besides | our peak | p99 of writes alone | beside ours | beside stock |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in results:
        print(f"| {row['sizeMiB']} MiB | {row['ours']:.0f} ms | {row['stock']:.0f} ms | {row['ours'] / row['stock']:.2f} | {row['check']:.0f} ms "
              f"| {row['peakKiB'] / 1024:.1f} MiB | {row['p99 alone']:.2f} ms | {row['p99 ours']:.2f} ms | {row['p99 stock']:.2f} ms |")
    pathlib.Path(options.json).write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
