#!/usr/bin/env python3
"""Proven restore of a cluster of many objects: time of each step, peak memory, and what the running
cluster's API noticed. Runs inside a bed without node:

    tests/k3s/bed.sh run NAME -- python3 tests/bench/boot/run.py BACKUP_HERE RAILIANCE_RESTORE [--objects N]
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import sys
import time

root = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(root / "integration/kit"), str(root / "integration/boot")]
import server  # noqa: E402
import watch  # noqa: E402


def fill(count, batch=500):
    server.kubectl("create", "namespace", "many")
    for begin in range(0, count, batch):
        server.kubectl("create", "-f", "-", input="---\n".join(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i}, namespace: many}}\ndata: {{a: '{'x' * 200}'}}\n"
            for i in range(begin, min(begin + batch, count))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backup_here", help="the program that makes a set of this host")
    parser.add_argument("restore", help="the program railiance-restore")
    parser.add_argument("--objects", type=int, default=5000)
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    load = os.getloadavg()
    fill(options.objects)
    operator = server.Operator()
    try:
        server.back_up(options.backup_here, operator, options.restore)
        with watch.ApiWatch() as idle:
            time.sleep(5)
        with watch.ApiWatch() as running:
            done = server.run(options.restore, "drill", "--boot", "-i", operator.keys, "--output", "json")
    finally:
        operator.clean()
    boot = json.loads(done.stdout)["boot"]
    result = {
        "objects": boot["objects"],
        "seconds": round(boot["durationMilliseconds"] / 1000, 1),
        "reset_seconds": float(re.search(r"reset took ([0-9.]+) s", done.stderr).group(1)),
        "ready_seconds": float(re.search(r"ready after ([0-9.]+) s", done.stderr).group(1)),
        "peak_memory_mib": boot["peakMemoryBytes"] >> 20,
        "polls": len(running.answers),
        "failed_polls": len(running.failures),
        "median_answer_ms": round(statistics.median(running.answers) * 1000, 1),
        "median_answer_idle_ms": round(statistics.median(idle.answers) * 1000, 1),
        "slowest_answer_ms": round(max(running.answers) * 1000, 1),
    }
    print(f"\nproven restore (drill --boot), {options.objects} objects of the test's own")
    for name, value in result.items():
        print(f"  {name:24} {value}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({
            "processors": os.cpu_count(), "load_before": load, "load_after": os.getloadavg(),
            "objects_made": options.objects, **result}, indent=1))
    return 0 if not running.failures and not watch.leftovers() else 1


if __name__ == "__main__":
    sys.exit(main())
