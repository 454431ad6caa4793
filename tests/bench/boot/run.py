#!/usr/bin/env python3
"""Proven restore of a cluster of many objects: time of each step, peak memory, and what the running
cluster's API noticed. Runs inside a bed without node:

    tests/k3s/bed.sh run NAME -- python3 tests/bench/boot/run.py BACKUP_HERE RAILIANCE_RESTORE [OBJECTS]
"""

import json
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
    backup_here, restore = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 5000
    fill(count)
    operator = server.Operator()
    try:
        server.back_up(backup_here, operator, restore)
        with watch.ApiWatch() as idle:
            time.sleep(5)
        with watch.ApiWatch() as running:
            done = server.run(restore, "drill", "--boot", "-i", operator.keys, "--output", "json")
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
    for name, value in result.items():
        print(f"{name:24} {value}")
    print(json.dumps({"bench": "boot", **result}))
    return 0 if not running.failures and not watch.leftovers() else 1


if __name__ == "__main__":
    sys.exit(main())
