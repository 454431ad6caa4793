#!/usr/bin/python3
"""The backup of an SQLite database beside what an operator does with stock tools, without and with somebody who writes 200
rows a second to it as kine does (WAL, synchronous NORMAL, immediate transactions, wal_checkpoint(FULL) every 5 s).

Stock is `age -r` after `sqlite3 DATABASE ".backup COPY"`, which begins anew with each change by somebody else, and so may
never end beside a writer: it has a limit of time there; or after "VACUUM INTO", which reads all in one transaction and
ends. Nobody but us checks the copy: that is told apart.

The database has --keys keys, and its size by their history, as one that kine has not compacted for long.

Rounds in random order, medians. What writers wait is measured where they are real: tests/bench/writes."""
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
# As kine 0.17 makes it.
SCHEMA = """
CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER, deleted INTEGER,
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


def make_database(path, size_mib, keys):
    part = pathlib.Path(f"{path}.part")
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(f"{part}{suffix}").unlink(missing_ok=True)
    database = connect(part)
    database.executescript(SCHEMA)
    database.execute(INSERT, ("/bootstrap/0123456789ab", 0, b"salt:secret", b""))
    number, newest = 0, [0] * keys
    while part.stat().st_size < size_mib * MIB:
        database.execute("BEGIN IMMEDIATE")
        for _ in range(2000):
            key = number % keys
            number += 1
            name = f"/registry/configmaps/default/c{key}"
            newest[key] = database.execute(INSERT, (name, newest[key], os.urandom(1200), b"x" * 300)).lastrowid
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    part.rename(path)


class Writer(threading.Thread):
    """Writes from the beginning of `with` to its end; `rate` is what it came to."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.ended, self.error, self.rate = path, threading.Event(), None, 0.0

    def run(self):
        try:
            self.write()
        except sqlite3.Error as error:
            self.error = error

    def write(self):
        database = connect(self.path)
        begin = next_write = time.monotonic()
        next_compaction = begin + 5
        number, written = time.time_ns() // 1000, 0
        while not self.ended.is_set():
            written += 1
            database.execute("BEGIN IMMEDIATE")
            database.execute(INSERT, ("/registry/leases/kube-system/l", number + written, b"v" * 500, b"v" * 500))
            database.execute("COMMIT")
            if time.monotonic() > next_compaction:
                database.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
                next_compaction = time.monotonic() + 5
            next_write = max(next_write + 1 / WRITES_A_SECOND, time.monotonic() - 1)
            time.sleep(max(0, next_write - time.monotonic()))
        self.rate = written / (time.monotonic() - begin)
        database.close()

    def __enter__(self):
        self.start()
        time.sleep(1)
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()
        if self.error:
            raise self.error


def ours(options, database, work, _limit):
    result = subprocess.run([options.bench, database, work / "copy", work / "ours.age", options.recipient],
                            stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{options.bench}: exit {result.returncode}")
    times = json.loads(result.stdout)
    return {"time": times["copy"] + times["encrypt"], "check": times["check"], "peak": times["peakKiB"] / 1024}


def stock(options, command, database, work, limit):
    """Nothing where it does not end within `limit` seconds."""
    begin = time.monotonic()
    try:
        subprocess.run(["sqlite3", database, command.format(copy=work / "copy")], check=True, timeout=limit, stdout=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return {"time": None}
    subprocess.run([options.age, "-r", options.recipient, "-o", work / "stock.age", work / "copy"], check=True)
    with open(work / "stock.age", "rb") as file:
        os.fsync(file.fileno())
    return {"time": (time.monotonic() - begin) * 1000}


def backup(options, database, work, limit):
    return stock(options, ".backup '{copy}'", database, work, limit)


def vacuum(options, database, work, limit):
    return stock(options, "VACUUM INTO '{copy}'", database, work, limit)


def clear(work):
    for name in ("copy", "copy-journal", "copy-wal", "copy-shm", "ours.age", "stock.age"):
        (work / name).unlink(missing_ok=True)


def middle(values):
    """The median; nothing where half of them or more did not end."""
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 2) if 2 * len(known) > len(values) else None


def measure(options, size_mib):
    work = pathlib.Path(options.workdir)
    database = work / f"state-{size_mib}.db"
    if not database.exists():
        make_database(database, size_mib, options.keys)
    # As kine has it while k3s runs: open, and with a log, which the last connection to close would remove.
    keeper = connect(database)
    keeper.execute(INSERT, ("/registry/leases/kube-system/keeper", time.time_ns(), b"", b""))
    cases = [(way, busy) for way in (ours, backup, vacuum) for busy in (False, True)]
    samples = {case: [] for case in cases}
    rates = []
    for _ in range(options.rounds):
        for way, busy in random.sample(cases, len(cases)):
            clear(work)
            if busy:
                with Writer(database) as writer:
                    samples[way, busy].append(way(options, database, work, options.limit_seconds))
                rates.append(writer.rate)
            else:
                samples[way, busy].append(way(options, database, work, None))
    clear(work)
    keeper.close()
    row = {"sizeMiB": size_mib, "keys": options.keys, "writesASecond": round(min(rates), 1)}
    for (way, busy), found in samples.items():
        name = way.__name__ + (" busy" if busy else "")
        row[name] = middle([sample["time"] for sample in found])
        if way is ours:
            row[name + " check"] = middle([sample["check"] for sample in found])
            row[name + " peakMiB"] = max(sample["peak"] for sample in found)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--age", required=True)
    parser.add_argument("--workdir", required=True)
    parser.add_argument("--json", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes-mib", default="100,1024")
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--limit-seconds", type=float, default=60, help="for .backup beside a writer")
    options = parser.parse_args()
    work = pathlib.Path(options.workdir)
    work.mkdir(parents=True, exist_ok=True)
    key = work / "keys.txt"
    if not key.exists():
        subprocess.run([options.age + "-keygen", "-o", key], check=True, capture_output=True)
    options.recipient = subprocess.run([options.age + "-keygen", "-y", key], check=True, capture_output=True,
                                       text=True).stdout.strip()
    results = [measure(options, int(size)) for size in options.sizes_mib.split(",")]
    for row in results:
        print(f"\nSQLite of {row['sizeMiB']} MiB, {row['keys']} keys, copy and age, {options.rounds} rounds; beside a writer: at least "
              f"{row['writesASecond']} rows a second\n  {'':42}{'alone':>12}{'a writer':>12}")
        for way, name in (("ours", "ours"), ("backup", 'sqlite3 ".backup", age'), ("vacuum", 'sqlite3 "VACUUM INTO", age')):
            times = [row[way], row[way + " busy"]]
            texts = [f"{time:.0f} ms" if time is not None else f"> {options.limit_seconds:.0f} s" for time in times]
            ratios = ["" if way == "ours" or time is None else f"ours takes {row['ours' + suffix] / time:.2f} of it"
                      for time, suffix in zip(times, ("", " busy"))]
            print(f"  {name:42}{texts[0]:>12}{texts[1]:>12}   {'; '.join(ratio for ratio in ratios if ratio)}")
        print(f"  {'our check of the copy, besides':42}{row['ours check']:>9.0f} ms{row['ours busy check']:>9.0f} ms")
        print(f"  {'our peak memory, check included':42}{row['ours peakMiB']:>8.1f} MiB{row['ours busy peakMiB']:>8.1f} MiB")
    pathlib.Path(options.json).write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
