#!/usr/bin/python3
"""What writers of a cluster wait while a run of the agent goes on: the 99th percentile of 200 writes a second through the
API server and the datastore behind it, etcd or kine's SQLite, with a run and without one; and time and memory of the run.

What a run does to the datastore is what comes on top of a program that only keeps one processor busy for as long; and of
etcd, of k3s's own snapshot, with which a run begins.

A write is due every 5 ms, whether the one before it has ended or not, and its time counts from when it was due. The
datastore has the wanted size by its history, which no process but the datastore itself holds in memory.

Runs inside a bed without node, which is --sqlite or not:

    tests/k3s/bed.sh run NAME [--sqlite] -- python3 tests/bench/writes/run.py BACKUP_HERE RAILIANCE_RESTORE [--sizes-mib 100,1024]
"""

import argparse
import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time

root = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(root / "integration/kit")]
import server  # noqa: E402

MIB = 1 << 20
WRITES_A_SECOND = 200
WRITERS = 8
NAMESPACE = "writes"
SQLITE = server.DATA / "server/db/state.db"
ETCD = server.DATA / "server/db/etcd/member/snap/db"


def tls_context():
    """The admin's, from the kubeconfig."""
    text = server.KUBECONFIG.read_text()
    parts = {key: base64.b64decode(re.search(rf"^ *{key}: (\S+)$", text, re.M).group(1))
             for key in ("certificate-authority-data", "client-certificate-data", "client-key-data")}
    context = ssl.create_default_context(cadata=parts["certificate-authority-data"].decode())
    with tempfile.NamedTemporaryFile() as file:
        file.write(parts["client-certificate-data"] + b"\n" + parts["client-key-data"])
        file.flush()
        context.load_cert_chain(file.name)
    return context


class Api:
    """One connection that is kept. Used by one thread."""

    def __init__(self, context):
        self.connection = http.client.HTTPSConnection("127.0.0.1", 6443, context=context, timeout=60)

    def send(self, verb, path, body):
        self.connection.request(verb, path, body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def put(self, name, data):
        """Makes it where it is not there."""
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
        body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE}, "data": data})
        status, said = self.send("PUT", f"{path}/{name}", body)
        if status == 404:
            status, said = self.send("POST", path, body)
        if status not in (200, 201):
            raise AssertionError(f"{path}/{name}: {status} {said[:300]}")


def size_of_datastore():
    files = [SQLITE, pathlib.Path(f"{SQLITE}-wal")] if SQLITE.exists() else [ETCD]
    return sum(file.stat().st_size for file in files if file.exists())


def fill(context, size_mib):
    """One object that is changed again and again: its history is what grows."""
    api = Api(context)
    while size_of_datastore() < size_mib * MIB:
        for _ in range(8):
            api.put("history", {"a": base64.b64encode(os.urandom(600_000)).decode()})
    os.sync()


class Load:
    """Writes from the beginning of `with` to its end; `times` are (when it was due, seconds that it took from then)."""

    def __init__(self, context):
        self.context, self.times, self.errors = context, [], []
        self.lock, self.end = threading.Lock(), float("inf")

    def writer(self, number):
        try:
            api = Api(self.context)
            due = self.begin + number / WRITES_A_SECOND
            while due < self.end:  # also those that are late
                time.sleep(max(0, due - time.monotonic()))
                api.put(f"w-{number}", {"a": f"{due:.6f}", "b": "v" * 500})
                with self.lock:
                    self.times.append((due, time.monotonic() - due))
                due += WRITERS / WRITES_A_SECOND
        except Exception as error:  # is raised at the end
            self.errors.append(error)

    def __enter__(self):
        self.begin = time.monotonic() + 0.2
        self.threads = [threading.Thread(target=self.writer, args=(number,), daemon=True) for number in range(WRITERS)]
        for thread in self.threads:
            thread.start()
        time.sleep(2)  # connections, and what the server keeps of each object
        return self

    def __exit__(self, *_):
        self.end = time.monotonic()
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def between(self, begin, end):
        return [took * 1000 for due, took in self.times if begin <= due < end]


def peak_of(process):
    """MiB of VmHWM, sampled until it ends. Not ru_maxrss, which starts from the size of this program."""
    peak = 0
    while process.poll() is None:
        try:
            found = re.search(r"^VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text(), re.M)
            peak = max(peak, int(found.group(1)) if found else 0)
        except OSError:
            break
        time.sleep(0.02)
    return peak / 1024


def one_run(command):
    """Seconds, peak MiB. In a session of its own: the kernel shares processors out by session where cgroups do not, and
    a pod has a cgroup of its own, apart from k3s and from whoever writes."""
    begin = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          start_new_session=True) as process:
        with concurrent.futures.ThreadPoolExecutor(1) as reader:
            said = reader.submit(process.stderr.read)
            peak = peak_of(process)
            code = process.wait()
            if code != 0:
                raise AssertionError(f"{command[0]}: exit {code}\n{said.result()}")
    return time.monotonic() - begin, peak


def k3s_snapshot():
    """Seconds of k3s's own."""
    for old in (server.DATA / "server/db/snapshots").glob("bench-*"):
        old.unlink()
    begin = time.monotonic()
    server.run("/usr/local/bin/k3s", "etcd-snapshot", "save", "--name", "bench", env={"PATH": server.BED_PATH, "HOME": "/root"})
    return time.monotonic() - begin


def busy_core(seconds):
    """Nothing but a processor that somebody else has."""
    end = time.monotonic() + seconds
    subprocess.run(["taskset", "-c", str(os.cpu_count() - 1), "/usr/bin/python3", "-c",
                    f"import time\nwhile time.monotonic() < {end}: pass"], check=True, start_new_session=True)


def percentile(values, part):
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 2)


def measure(context, command, rounds, size_mib, idle_seconds):
    fill(context, size_mib)
    waits = {part: [] for part in ("alone", "core", "k3s", "run") if part != "k3s" or not SQLITE.exists()}
    seconds, saves, peaks, rates = [], [], [], []
    for _ in range(rounds):
        spans = {}
        with Load(context) as load:
            for part in random.sample(list(waits), len(waits)):
                begin = time.monotonic()
                if part == "run":
                    took, peak = one_run(command)
                    seconds.append(took)
                    peaks.append(peak)
                elif part == "core":
                    busy_core(seconds[-1] if seconds else 3)
                elif part == "k3s":
                    saves.append(k3s_snapshot())
                else:
                    time.sleep(idle_seconds)
                spans[part] = (begin, time.monotonic())
                time.sleep(1)
            rate = len(load.times) / (time.monotonic() - load.begin)
        # Now they have all ended, however long they took.
        for part, span in spans.items():
            waits[part] += load.between(*span)
        rates.append(rate)
    row = {"sizeMiB": size_mib, "datastoreMiB": size_of_datastore() // MIB, "rounds": rounds,
           "writesASecond": round(min(rates), 1), "runSeconds": percentile(seconds, 0.5), "peakMiB": round(max(peaks), 1)}
    if saves:
        row["k3sSeconds"] = percentile(saves, 0.5)
    for part, values in waits.items():
        row[part] = {"writes": len(values), "p50": percentile(values, 0.5), "p99": percentile(values, 0.99),
                     "slowest": percentile(values, 1)}
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backup_here", help="the program that makes a set of this host")
    parser.add_argument("restore", help="the program railiance-restore")
    parser.add_argument("--sizes-mib", default="100,1024")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle-seconds", type=float, default=10)
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    load = os.getloadavg()
    kind = "SQLite" if SQLITE.exists() else "etcd"
    server.kubectl("create", "namespace", NAMESPACE)
    context = tls_context()
    operator = server.Operator()
    try:
        # The first run makes the host's key and the kit; the others are what is measured.
        server.back_up(options.backup_here, operator, options.restore)
        node = re.search(r"^node-name: (\S+)", pathlib.Path("/etc/rancher/k3s/config.yaml").read_text(), re.M).group(1)
        command = [str(word) for word in
                   (options.backup_here, node, operator.sops, operator.home / "values.tar.gz", options.restore)]
        rows = [measure(context, command, options.rounds, int(size), options.idle_seconds)
                for size in options.sizes_mib.split(",")]
    finally:
        operator.clean()
    print(f"\n{WRITES_A_SECOND} writes a second through the API to {kind}, {options.rounds} runs beside them (ms from when each was due)\n"
          f"  {'datastore':>10}{'the run':>10}{'peak':>10}{'writes/s':>10}{'':14}{'writes':>8}{'p50':>9}{'p99':>9}{'slowest':>9}")
    for row in rows:
        for part, name in (("alone", "without"), ("core", "a busy core"), ("k3s", "k3s saves"), ("run", "a run")):
            found = row.get(part)
            if not found:
                continue
            facts = (f"{row['datastoreMiB']:>6} MiB{row['runSeconds']:>8.1f} s{row['peakMiB']:>6.1f} MiB{row['writesASecond']:>10}"
                     if part == "alone" else f"{'':40}")
            print(f"  {facts}  {name:12}{found['writes']:>8}{found['p50']:>9.2f}{found['p99']:>9.2f}{found['slowest']:>9.2f}")
    if any(row["writesASecond"] < 0.95 * WRITES_A_SECOND for row in rows):
        print("  fewer writes than were due: the machine is too busy for these figures to say anything")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(
            {"kind": kind, "processors": os.cpu_count(), "load_before": load, "load_after": os.getloadavg(), "rows": rows}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
