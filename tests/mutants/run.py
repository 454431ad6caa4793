#!/usr/bin/env python3
"""Applies each seeded bug to a copy of the sources, builds the test that must notice it, and runs that.

A mutant is caught when its test fails. It is an error when one survives, no longer applies, or does not
build; and when a test fails without any mutant. The sources are never touched: the copy and its build lie
in SCRATCH. Usage: run.py SCRATCH [-j N] [-k WORD]; ends with "N mutants: N caught, N survived, N broken".
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from mutants import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST_LIMIT = 600


class Copy:
    def __init__(self, scratch, jobs):
        self.source, self.jobs = scratch / "source", jobs
        # Where the preset has it in a checkout: the same relative paths, so the same objects of ccache.
        self.build = self.source / "build" / "dev"
        self.log = scratch / "log"

    def refresh(self):
        """The files that git knows, as they are now; times change only where contents do."""
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True).stdout
        names = [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]
        for name in names:
            target = self.source / name
            if target.exists() and target.read_bytes() == (ROOT / name).read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        known = set(names)
        for path in self.source.rglob("*"):
            ours = self.build in path.parents
            if not ours and path.is_file() and str(path.relative_to(self.source)) not in known:
                path.unlink()

    def run(self, *command, limit=3600, env=None):
        with open(self.log, "ab") as log:
            try:
                return subprocess.run([str(word) for word in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                      timeout=limit, env=dict(os.environ, **(env or {}))).returncode
            except subprocess.TimeoutExpired:
                return -1

    def configure(self):
        return self.run("cmake", "--preset", "dev", "-S", self.source, "-B", self.build) == 0

    def make(self, *targets):
        return self.run("ninja", "-C", self.build, f"-j{self.jobs}", *targets) == 0

    def program(self, target):
        return next(path for path in self.build.rglob(target) if path.is_file() and os.access(path, os.X_OK))

    def count(self, target, cases):
        listed = subprocess.run([self.program(target), "-ltc", "--no-intro", f"-tc={cases}"], check=True,
                                capture_output=True, text=True).stdout
        return int(re.search(r"passing the current filters: (\d+)", listed).group(1))

    def test(self, target, cases):
        """True when it passes."""
        words = [self.program(target), "--no-intro"] + ([f"-tc={cases}"] if cases else [])
        return self.run(*words, limit=TEST_LIMIT, env={"RB_SEED": "20261122"}) == 0


def mutate(copy, file, edits):
    """The old content; None when an edit does not apply."""
    path = copy.source / file
    old = path.read_text() if path.exists() else ""
    new = old
    for before, after in edits:
        if new.count(before) != 1:
            return None
        new = new.replace(before, after)
    path.write_text(new)
    return old


def check_baseline(copy, mutants):
    suites = sorted({suite for *_, suite in mutants})
    if not copy.configure() or not copy.make(*sorted({target for target, _ in suites})):
        sys.exit(f"the copy does not build without a mutant; see {copy.log}")
    for target, cases in suites:
        if not copy.test(target, cases):
            sys.exit(f"{target} fails without a mutant; see {copy.log}")
        if cases and not copy.count(target, cases):
            sys.exit(f"{target}: no case is called {cases}")
    print(f"{len(suites)} tests pass without a mutant", flush=True)


def fate(copy, mutant):
    name, file, edits, (target, cases) = mutant
    old = mutate(copy, file, edits)
    if old is None:
        return "BROKEN: it no longer applies"
    try:
        if not copy.make(target):
            return "BROKEN: it does not build"
        return "SURVIVED" if copy.test(target, cases) else "caught"
    finally:
        (copy.source / file).write_text(old)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scratch", type=pathlib.Path)
    parser.add_argument("-j", dest="jobs", type=int, default=2)
    parser.add_argument("-k", dest="word", default="", help="only those with WORD in their name, file or test")
    options = parser.parse_args()
    mutants = [m for m in MUTANTS if options.word in " ".join((m[0], m[1], m[3][0]))]
    options.scratch.mkdir(parents=True, exist_ok=True)
    copy = Copy(options.scratch.resolve(), options.jobs)
    copy.log.unlink(missing_ok=True)
    copy.refresh()
    check_baseline(copy, mutants)
    fates = []
    for mutant in mutants:
        begin = time.monotonic()
        fates.append(fate(copy, mutant))
        print(f"{fates[-1]:10} {mutant[0]} ({mutant[1]}; {mutant[3][0]}, {time.monotonic() - begin:.0f} s)", flush=True)
    broken = sum(f.startswith("BROKEN") for f in fates)
    survived = fates.count("SURVIVED")
    print(f"{len(fates)} mutants: {fates.count('caught')} caught, {survived} survived, {broken} broken")
    sys.exit(0 if fates and not broken and not survived else 1)


if __name__ == "__main__":
    main()
