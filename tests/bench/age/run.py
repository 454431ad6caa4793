#!/usr/bin/env python3
"""Compares lib/age (rb_age_bench) with age, rage and the usual shell script.

Every round runs all contestants of a case in random order; medians are reported, as a table on
stdout and as JSON (--json FILE). Peers do not sync what they write: `sync -d` is added to their
time, since ours includes fsync. Input is in the page cache. What is not installed is named.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time

MIB = 1 << 20


def find_program(name, given):
    """The path of `name`: as given, in PATH, or where cargo and go install."""
    home = os.path.expanduser("~")
    places = [given, shutil.which(name)]
    places += [os.path.join(home, d, name) for d in (".cargo/bin", "go/bin")]
    for place in places:
        if place and os.access(place, os.X_OK):
            return place
    return None


def version_of(program):
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()


def peak_rss(pid, known):
    """VmHWM of a running process in bytes, or what is known when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return max(known, int(line.split()[1]) * 1024)
    except OSError:
        pass
    return known


def run_once(argv, out_path=None):
    """Wall seconds, CPU seconds (children included) and peak memory of one run.

    Memory is sampled, because ru_maxrss starts from the size of the process that forked."""
    sink = open(out_path, "wb") if out_path else subprocess.DEVNULL
    begin = time.monotonic()
    child = subprocess.Popen(argv, stdout=sink, stderr=subprocess.PIPE)
    rss = 0
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        rss = peak_rss(child.pid, rss)
        time.sleep(0.005)
    seconds = time.monotonic() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if out_path:
        sink.close()
    if child.returncode != 0:
        sys.exit(f"run.py: {argv}: {child.stderr.read().decode(errors='replace')}")
    child.stderr.close()
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "rss_bytes": rss}


def make_snapshot(path, size):
    """`size` random bytes and their SHA-256 behind them, as an etcd snapshot ends."""
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        left = size
        while left:
            piece = os.urandom(min(left, MIB))
            digest.update(piece)
            file.write(piece)
            left -= len(piece)
        file.write(digest.digest())


def warm(path):
    with open(path, "rb") as file:
        while file.read(4 * MIB):
            pass


def shell(script):
    return ["/bin/sh", "-e", "-c", script]


class Bench:
    def __init__(self, options):
        self.options = options
        self.dir = options.workdir
        self.cases = []
        self.age = find_program("age", options.age)
        self.rage = find_program("rage", options.rage)
        if not self.age:
            sys.exit("run.py: age is not installed")
        keygen = os.path.join(os.path.dirname(self.age), "age-keygen")
        self.key = self.path("keys.txt")
        if not os.path.exists(self.key):
            subprocess.run([keygen, "-o", self.key], check=True, capture_output=True)
        self.recipient = subprocess.run(
            [keygen, "-y", self.key], check=True, capture_output=True, text=True
        ).stdout.strip()

    def path(self, name):
        return os.path.join(self.dir, name)

    def ours(self, mode, source, target, threads):
        key = ["--identity", self.key] if mode == "decrypt" else ["--recipient", self.recipient]
        return [self.options.bench, mode, source, target, *key, "--threads", str(threads)]

    def peer(self, program, mode, source, target):
        key = f"-d -i {self.key}" if mode == "decrypt" else f"-r {self.recipient}"
        if target == "/dev/null":
            return [program, *key.split(), source]
        return shell(f"{program} {key} -o {target} {source}; sync -d {target}")

    def contestants(self, mode, source, target):
        threads = self.options.threads
        made = {f"ours, {threads} threads": self.ours(mode, source, target, threads)}
        made["ours, 1 thread"] = self.ours(mode, source, target, 1)
        made["age"] = self.peer(self.age, mode, source, target)
        if self.rage:
            made["rage"] = self.peer(self.rage, mode, source, target)
        return made

    def script(self, source, target):
        """The whole step as a careful operator's script does it today."""
        return shell(
            f"sha256sum {source}; {self.age} -r {self.recipient} -o {target} {source}; "
            f"sha256sum {target}; sync -d {target}"
        )

    def case(self, name, size, contestants, source, target, rounds):
        """Runs all contestants `rounds` times in random order."""
        if self.options.only not in name:
            return
        runs = {who: [] for who in contestants}
        for _ in range(rounds):
            order = list(contestants)
            random.shuffle(order)
            for who in order:
                warm(source)
                if target != "/dev/null" and os.path.exists(target):
                    os.unlink(target)
                subprocess.run(["sync", self.dir], check=True)
                runs[who].append(run_once(contestants[who]))
        rows = []
        for who, measured in runs.items():
            seconds = statistics.median(m["seconds"] for m in measured)
            through_shell = contestants[who][0] == "/bin/sh"
            rows.append({
                "who": who,
                "seconds": round(seconds, 3),
                "seconds_all": [round(m["seconds"], 3) for m in measured],
                "mb_per_second": round(size / seconds / 1e6),
                "cpu_seconds": round(statistics.median(m["cpu_seconds"] for m in measured), 3),
                # of a script only the shell would be seen
                "peak_rss_mib": None if through_shell else
                                round(max(m["rss_bytes"] for m in measured) / MIB, 1),
            })
        self.cases.append({"case": name, "input_bytes": size, "rounds": rounds, "rows": rows})
        report(self.cases[-1])

    def check(self, sealed, source):
        """Stock age must open what ours wrote, and to the same bytes."""
        opened = subprocess.Popen(
            [self.age, "-d", "-i", self.key, sealed], stdout=subprocess.PIPE)
        digests = []
        for stream in (opened.stdout, open(source, "rb")):
            digest = hashlib.sha256()
            while piece := stream.read(MIB):
                digest.update(piece)
            stream.close()
            digests.append(digest.digest())
        if opened.wait() != 0 or digests[0] != digests[1]:
            sys.exit("run.py: stock age does not open what rb_age_bench wrote")

    def run(self):
        options = self.options
        for mib, rounds in [(options.size_mib, options.rounds)] + [
                (mib, options.big_rounds) for mib in options.big_mib]:
            size = mib * MIB
            snap, target = self.path("in.snap"), self.path("out")
            sealed = self.path("in.snap.age")
            make_snapshot(snap, size)
            subprocess.run(self.ours("encrypt", snap, sealed, 0), check=True, capture_output=True)
            self.check(sealed, snap)
            label = f"{mib} MiB"
            if mib == options.size_mib:
                for mode, source in (("encrypt", snap), ("decrypt", sealed)):
                    self.case(f"{mode} {label} to /dev/null", size,
                              self.contestants(mode, source, "/dev/null"),
                              source, "/dev/null", rounds)
            for mode, source in (("encrypt", snap), ("decrypt", sealed)):
                self.case(f"{mode} {label} to disk with fsync", size,
                          self.contestants(mode, source, target), source, target, rounds)
            if mib == options.size_mib:
                whole = {
                    f"ours, {options.threads} threads":
                        self.ours("step", snap, target, options.threads),
                    "ours, 1 thread": self.ours("step", snap, target, 1),
                    "sha256sum; age; sha256sum; sync": self.script(snap, target),
                }
                self.case(f"whole step {label}", size, whole, snap, target, rounds)
            for name in (snap, target, sealed):
                if os.path.exists(name):
                    os.unlink(name)
        return self.cases


def report(case):
    """One table; the ratio is how many times faster than it the first row is."""
    print(f"\n{case['case']} (medians of {case['rounds']})")
    print(f"  {'':34}{'s':>8}{'MB/s':>8}{'CPU s':>8}{'MiB':>8}{'ours is':>9}")
    first = case["rows"][0]["seconds"]
    for row in case["rows"]:
        rss = "" if row["peak_rss_mib"] is None else f"{row['peak_rss_mib']:.1f}"
        row["times_ours"] = round(row["seconds"] / first, 2)
        print(f"  {row['who']:34}{row['seconds']:8.3f}{row['mb_per_second']:8}"
              f"{row['cpu_seconds']:8.2f}{rss:>8}{row['times_ours']:8.2f}x", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", required=True, help="the program rb_age_bench")
    parser.add_argument("--workdir", required=True, help="a directory on the disk to measure")
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--big-mib", type=int, nargs="*", default=[4096], help="to disk only")
    parser.add_argument("--big-rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=None, help="of the order")
    parser.add_argument("--age")
    parser.add_argument("--rage")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    random.seed(seed)
    os.makedirs(options.workdir, exist_ok=True)

    bench = Bench(options)
    result = {
        "processors": os.cpu_count(),
        "load_before": os.getloadavg(),
        "seed": seed,
        "age": version_of(bench.age),
        "rage": version_of(bench.rage) if bench.rage else None,
        "not_measured": [] if bench.rage else ["rage not measured: not installed"],
    }
    result["cases"] = bench.run()
    result["load_after"] = os.getloadavg()
    for missing in result["not_measured"]:
        print(f"\n{missing}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
