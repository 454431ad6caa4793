#!/usr/bin/env python3
"""A whole restore on a server node, until the API is ready: `railiance-restore restore --execute` beside what
an operator types (`age -d`, stop, `k3s server --cluster-reset`, start, wait for /readyz), in random order in
each round. Ours checks the whole set first and compares the objects afterwards; both are shown.

Runs inside a bed without node, whose cluster it fills, backs up and restores again and again:

    tests/k3s/bed.sh run NAME -- python3 tests/bench/restore/run.py BACKUP_HERE RAILIANCE_RESTORE [--objects N]
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

root = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(root / "integration/kit"), str(root / "bench/boot")]
import server  # noqa: E402
from run import fill  # noqa: E402

BEDCTL = "/usr/local/bin/bedctl"
SERVICE = ["--start-command", f"{BEDCTL} start", "--stop-command", f"{BEDCTL} stop", "--status-command", f"{BEDCTL} status"]
MANUAL = """set -eu
umask 077
{age} -d -i {keys} -o {work} {sealed}
{bedctl} stop
k3s server --cluster-reset --cluster-reset-restore-path={work} >/dev/null 2>&1
{bedctl} start
until k3s kubectl get --raw=/readyz >/dev/null 2>&1; do sleep 0.5; done
rm {work}
"""
WORK = server.DATA / "snapshot-by-hand"


def ours(options, operator, run_id):
    """Seconds to the line that says the API is ready, and to the end."""
    command = [options.restore, "restore", run_id, "--execute", "--yes", "--backup-dir", server.BACKUPS,
               "-i", operator.keys, *SERVICE]
    begin = time.monotonic()
    said, ready = [], None
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          text=True) as process:
        for line in process.stderr:
            said.append(line)
            if "the API is ready after" in line:
                ready = time.monotonic() - begin
    whole = time.monotonic() - begin
    if process.returncode != 0 or ready is None:
        raise AssertionError(f"restore: exit {process.returncode}\n{''.join(said)}")
    return {"ready": ready, "whole": whole}


def by_hand(options, operator, run_id):
    script = MANUAL.format(age=server.tool("age"), keys=operator.keys, work=WORK, bedctl=BEDCTL,
                           sealed=server.BACKUPS / f"etcd-{run_id}.snap.age")
    begin = time.monotonic()
    server.run("/bin/sh", "-c", script, env={"PATH": server.BED_PATH, "HOME": str(operator.home)})
    whole = time.monotonic() - begin
    return {"ready": whole, "whole": whole}


def settle():
    """What a round has left goes, and its last writes reach the disk: the next begins as the first did."""
    shutil.rmtree(server.DATA / "railiance-restore", ignore_errors=True)
    for old in (server.DATA / "server/db").glob("etcd-old-*"):
        shutil.rmtree(old)
    for old in (server.DATA / "server").glob("tls-[0-9]*"):
        shutil.rmtree(old)
    os.sync()
    time.sleep(2)


def expect_restored(expected):
    """Both ways bring back what the backup had, and nothing later."""
    names = {key for key in server.objects() if key[1] == "many"}
    if names != expected:
        raise AssertionError(f"not restored: {len(names)} objects, {len(expected)} expected")


def row(who, runs, key):
    seconds = [run[key] for run in runs]
    return {"who": who, "seconds": round(statistics.median(seconds), 2), "fastest": round(min(seconds), 2),
            "slowest": round(max(seconds), 2), "seconds_all": [round(one, 2) for one in seconds]}


def report(case):
    print(f"\n{case['case']} (medians of {case['rounds']})\n  {'':46}{'s':>8}{'fastest':>9}{'slowest':>9}")
    for one in case["rows"]:
        print(f"  {one['who']:46}{one['seconds']:8.2f}{one['fastest']:9.2f}{one['slowest']:9.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backup_here", help="the program that makes a set of this host")
    parser.add_argument("restore", help="the program railiance-restore")
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    seed = random.randrange(1 << 32)
    random.seed(seed)
    load = os.getloadavg()
    fill(options.objects)
    operator = server.Operator()
    runs = {ours: [], by_hand: []}
    try:
        run_id = server.back_up(options.backup_here, operator, options.restore)
        expected = {key for key in server.objects() if key[1] == "many"}
        for _ in range(options.rounds):
            for way in random.sample(list(runs), len(runs)):
                server.kubectl("-n", "many", "create", "configmap", "later", "--from-literal=a=b")
                settle()
                runs[way].append(way(options, operator, run_id))
                expect_restored(expected)
    finally:
        operator.clean()
    case = {"case": f"restore in place, {len(expected)} objects of the test's own", "rounds": options.rounds,
            "snapshot_bytes": (server.BACKUPS / f"etcd-{run_id}.snap.age").stat().st_size,
            "rows": [row("railiance-restore: API ready", runs[ours], "ready"),
                     row("railiance-restore: with the objects compared", runs[ours], "whole"),
                     row("age -d; k3s --cluster-reset; start; /readyz", runs[by_hand], "whole")]}
    report(case)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({
            "processors": os.cpu_count(), "load_before": load, "load_after": os.getloadavg(), "seed": seed,
            "cases": [case]}, indent=1))


if __name__ == "__main__":
    main()
