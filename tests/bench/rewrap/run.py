#!/usr/bin/env python3
"""Compares a rewrap of a set with one copy of its file: `cp` and a sync of what it wrote.

Both read from the disk (the page cache of the file is dropped before each), in random order within a
round; medians. The rewrap also reads back what it wrote, as every artifact of ours is, which `cp` does
not; so a third contestant is the copy that is read back, once, by the fastest program for it (OpenSSL's:
the digest to compare it with is known).
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import time


def drop(path):
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def copy(source, target):
    subprocess.run(["cp", source, target], check=True)
    subprocess.run(["sync", target], check=True)


def timed(action, *arguments):
    begin = time.monotonic()
    action(*arguments)
    return time.monotonic() - begin


def copy_and_read_back(source, target):
    copy(source, target)
    drop(target)
    subprocess.run(["openssl", "dgst", "-sha256", target], check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    parser.add_argument("--workdir", required=True)
    parser.add_argument("--json")
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    work = pathlib.Path(options.workdir)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        measure(options, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measure(options, work):
    subprocess.run([options.bench, "make", work, str(options.size_mib)], check=True,
                   stdout=subprocess.DEVNULL)
    seconds = {"rewrap": [], "cp + fsync": [], "cp + fsync, read back": []}
    memory = 0
    for _ in range(options.rounds):
        contestants = list(seconds)
        random.shuffle(contestants)
        for name in contestants:
            [source] = (work / "backups").glob("etcd-*.age")
            target = work / "copy"
            target.unlink(missing_ok=True)
            os.sync()
            drop(source)
            if name == "rewrap":
                done = subprocess.run([options.bench, "rewrap", work], check=True,
                                      capture_output=True)
                report = json.loads(done.stdout)
                seconds[name].append(report["seconds"])
                memory = max(memory, report["max_rss_bytes"])
            elif name == "cp + fsync":
                seconds[name].append(timed(copy, source, target))
            else:
                seconds[name].append(timed(copy_and_read_back, source, target))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"rewrap of {options.size_mib} MiB, medians of {options.rounds} rounds, seconds:")
    for name, median in medians.items():
        print(f"  {name:24} {median:7.2f}   {[round(each, 2) for each in seconds[name]]}")
    print(f"  peak memory of the rewrap: {memory / (1 << 20):.1f} MiB")
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"size_mib": options.size_mib, "seconds": seconds, "medians": medians,
                        "max_rss_bytes": memory}), encoding="utf-8")


if __name__ == "__main__":
    main()
