#!/usr/bin/env python3
"""API faults against the real controller and agent: at every call, and as episodes of a server's life.

After each case: the run ended, within bounds, once; what its status says is what lies on the disk; earlier
sets are bit-identical; the next run succeeds. Usage: run.py --bin DIR [--long] [--only PART]
[--share K/N] [--seed N] [-k WORD]
"""

import argparse
import pathlib
import random
import signal
import sys
import tempfile
import time

import sites
import world as worlds

LIMIT = 100         # seconds for a run under a fault; the longest back-off is 30
REQUESTS_LIMIT = 600


class Tally:
    def __init__(self, what):
        self.what, self.tried, self.found, self.words = what, 0, [], {}

    def add(self, case, findings, word=None):
        self.tried += 1
        self.found += [f"{case}: {finding}" for finding in findings]
        if word:
            self.words[word] = self.words.get(word, 0) + 1

    def report(self):
        words = "".join(f"; {count} {word}" for word, count in sorted(self.words.items()))
        print(f"FAULTS {self.what}: tried {self.tried}, failures found {len(self.found)}{words}", flush=True)
        for finding in self.found[:12]:
            print("  " + finding, flush=True)
        return not self.found


def look_at(world, name, uid, found, before, may_fail):
    """What is wrong after a run."""
    findings = []
    status, reason, run_id = found
    if status not in ("True", "False"):
        findings.append(f"the run did not end: {found}")
    elif status == "False" and not may_fail:
        findings.append(f"the run failed: {reason}")
    if run_id and world.saves(run_id) > 1:
        findings.append(f"{world.saves(run_id)} snapshots were taken for one run")
    mine = [m for m in world.manifests().values() if uid in str(m)]
    if len(mine) > 1:
        findings.append(f"{len(mine)} sets for one run")
    whole = any(m.get("complete") for m in mine)
    if status in ("True", "False") and (status == "True") != whole:
        findings.append(f"the status says {status} ({reason}), the disk has {'a' if whole else 'no'} complete set")
    after = world.digests()
    findings += [f"{file} has changed" for file, digest in before.items() if after.get(file, digest) != digest]
    orders = [o for o in world.api.store.all("nodebackups") if o["metadata"]["name"] == uid]
    if len(orders) > 1:
        findings.append("two orders for one run")
    findings += [f"{name} has ended" for name in world.dead()]
    return findings


def one_run(world, may_fail=False, limit=LIMIT, during=None):
    """Findings, and how the run ended."""
    before, requests = world.digests(), len(world.api.requests)
    name, uid = world.request()
    if during:
        during(name)
    found = world.wait(name, limit)
    findings = look_at(world, name, uid, found, before, may_fail)
    made = len(world.api.requests) - requests
    if made > REQUESTS_LIMIT:
        findings.append(f"{made} requests for one run")
    return findings, f"runs that said {found[0]}"


def at_every_call(world, options):
    part = "" if options.share == (1, 1) else ", share {}/{}".format(*options.share)
    tally = Tally("API faults at every call of controller and agent" + part)
    chosen = [case for case in sites.cases() if options.word in f"{case[0]} {sites.word(case[1])}"]
    share, shares = options.share
    chosen = chosen[share - 1::shares]
    # In any order: failures in a row make the back-off long, and hide what comes of a short one.
    chosen = options.random.sample(chosen, len(chosen) if options.long else min(len(chosen), 24 // shares))
    met = 0
    for name, fault in chosen:
        which, trigger = sites.SITES[name]
        rule = worlds_rule(which, fault)
        world.api.rules = [rule]
        if trigger:
            if trigger == "relist":
                world.api.compact()
            world.api.end_watches()
        findings, word = one_run(world, sites.may_fail(name, fault))
        end = time.monotonic() + (16 if "leases" in name else 3)
        while not rule.met and time.monotonic() < end:
            time.sleep(0.05)
        met += 1 if rule.met else 0
        world.api.rules = []
        more, _ = one_run(world)
        tally.add(f"{name}: {sites.word(fault)}", findings + ["the next run: " + m for m in more], word)
        if options.verbose:
            print(f"  {name}: {sites.word(fault)}: {word} {findings} {more}", flush=True)
    tally.words["faults met"] = met
    if met < 0.6 * len(chosen):
        tally.found.append(f"only {met} of {len(chosen)} faults were met")
    return tally.report()


def worlds_rule(which, fault):
    from apiserver import Rule
    return Rule(which, fault, count=1)


def episode(world, what, rounds, play, may_fail=False):
    tally = Tally(what)
    for number in range(rounds):
        findings, word = one_run(world, may_fail, during=lambda name: play(name, number))
        more, _ = one_run(world)
        tally.add(f"round {number}", findings + ["the next run: " + m for m in more], word)
    return tally.report()


def episodes(world, options):
    some = 12 if options.long else 1
    draw, api = options.random, world.api
    good = True

    def nap(least=0.0, most=0.6):
        time.sleep(draw.uniform(least, most))

    def run(what, rounds, play, may_fail=False):
        nonlocal good
        if options.word in what:
            good &= episode(world, what, rounds, play, may_fail)

    def kill_controller(*_):
        nap()
        world.kill("controller")
        world.start("controller")

    def kill_agent(*_):
        nap()
        world.kill("agent")
        world.start("agent", identity=f"agent-{draw.random()}")

    def stop_agent(*_):
        nap()
        world.signal("agent", signal.SIGSTOP)
        nap(0.5, 2)
        world.signal("agent", signal.SIGCONT)

    def away(*_):
        nap()
        api.accepting = False
        api.rules = [worlds_many("reset")]
        api.end_watches()
        nap(0.5, 3)
        api.rules, api.accepting = [], True

    def silent(*_):
        nap()
        api.rules = [worlds_many("slow")]
        nap(0.5, 3)
        api.rules = []

    def compaction(*_):
        nap()
        api.compact()
        api.end_watches()

    def token(*_):
        nap()
        old = set(api.authorizations)
        api.authorizations = {"Bearer token-" + str(world.tokens + 1)}
        if draw.random() < 0.5:
            nap(0.5, 2)  # all get 401 meanwhile
        world.new_token()
        assert api.authorizations != old

    def expired(*_):
        certificate, key, _ = world.certificates.make(days=-1)
        nap()
        api.use_certificate(certificate, key)
        api.rules = [worlds_many("reset")]  # connections that are open end
        api.end_watches()
        nap(0.5, 2)
        api.rules = []
        api.use_certificate(*world.certificates.make()[:2])

    def rotated(*_):
        certificate, key, ca = world.certificates.make(new_ca=True)
        nap()
        api.use_certificate(certificate, key)
        api.rules = [worlds_many("reset")]
        api.end_watches()
        nap(0.2, 1)
        (world.directory / "ca.new").write_bytes(ca.read_bytes())
        (world.directory / "ca.new").rename(world.directory / "ca.crt")
        api.rules = []

    run("SIGKILL of the controller in mid-run", some, kill_controller)
    run("SIGKILL of the agent in mid-run", some, kill_agent, may_fail=True)
    run("SIGSTOP of the agent in mid-run", some // 2 + 1, stop_agent)
    run("API server gone for a while", some, away)
    run("API server slow at everything", some // 2 + 1, silent)
    run("compaction and new watches", some, compaction)
    run("token rotation, late or not", some, token)
    run("expired certificate for a while", some // 3 + 1, expired)
    run("rotated CA", some // 3 + 1, rotated)
    return good


def worlds_many(fault):
    from apiserver import Rule
    return Rule(lambda call: True, fault, count=10 ** 9)


def two_of_each(world, options):
    """Two controllers and two agents at once; in the long campaign the leader is stopped past its lease."""
    if options.word not in "two controllers and two agents":
        return True
    world.start("controller-2", "controller", identity="other")
    world.start("agent-2", "agent", identity="agent-other")
    tally = Tally("two controllers and two agents")
    for number in range(20 if options.long else 4):
        findings, word = one_run(world)
        tally.add(f"round {number}", findings, word)
    for number in range(3 if options.long else 0):
        holder = world.api.store.find("leases", "railiance-backup-controller", worlds.NAMESPACE)["spec"]["holderIdentity"]
        leader = "controller" if holder == "fault" else "controller-2"

        def stop(_):
            time.sleep(options.random.uniform(0, 0.4))
            world.signal(leader, signal.SIGSTOP)
        findings, word = one_run(world, during=stop)
        world.signal(leader, signal.SIGCONT)
        time.sleep(1)
        more, _ = one_run(world)
        tally.add(f"leader stopped, round {number}", findings + more, word)
    for name in ("controller-2", "agent-2"):
        world.kill(name)
    return tally.report()


RESTORES = ["with an outage", "with an outage, versions far ahead at once", "both programs restarted",
            "the controller restarted", "the agent restarted", "connections kept", "connections kept, many versions soon after"]


def restored(world, options):
    """etcd is restored from the snapshot that a run took: in it that run has not ended."""
    if options.word not in "etcd restored in place":
        return True
    tally = Tally("etcd restored in place, under controller and agent")
    store, api = world.api.store, world.api
    for how in RESTORES if options.long else options.random.sample(RESTORES[:-2], 2):
        saved = []

        def take(name):
            uid = store.find("clusterbackups", name)["metadata"]["uid"]
            end = time.monotonic() + 30
            while time.monotonic() < end:
                if ((store.find("nodebackups", uid) or {}).get("status") or {}).get("startTime"):
                    saved.append((name, uid, store.save()))
                    return
                time.sleep(0.002)
        before = world.digests()
        findings, _ = one_run(world, during=take)
        more, _ = one_run(world)
        findings += more
        if not saved:
            tally.add(how, findings + ["no moment for the snapshot was found"])
            continue
        name, uid, snapshot = saved[0]
        outage, killed = "outage" in how, [n for n in ("controller", "agent") if n in how or "both" in how]
        for program in killed:
            world.kill(program)
        if outage or len(killed) == 1:
            api.accepting, api.rules = False, [worlds_many("reset")]
            api.end_watches()
            time.sleep(0.3)
        store.restore(snapshot)
        if "soon after" in how:
            time.sleep(5)  # the controller knows by then: it asks for its Lease every two seconds
        if "ahead" in how or "soon after" in how:
            with store.lock:
                store.version += 100000
        time.sleep(options.random.uniform(0, 1.5))
        api.rules, api.accepting = [], True
        for program in killed:
            world.start(program, identity=f"{program}-{options.random.random()}" if program == "agent" else "fault")
        found = world.wait(name, LIMIT)
        findings += look_at(world, name, uid, found, before, may_fail=False)
        more, _ = one_run(world)
        tally.add(how, findings + ["the next run: " + m for m in more], f"runs that said {found[0]}")
    return tally.report()


def share_of(text):
    share, shares = map(int, text.split("/"))
    if not 1 <= share <= shares:
        raise ValueError("there is no such share")  # nothing would be tried
    return share, shares


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="the build directory")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", choices=["calls", "episodes"], help="a fault at each call, or the rest")
    parser.add_argument("--share", type=share_of, default="1/1", metavar="K/N",
                        help="every Nth call from the Kth on; N of them are the whole")
    parser.add_argument("--seed", type=int, default=random.randrange(2 ** 32))
    parser.add_argument("--keep", action="store_true", help="leave the directory with logs and backups")
    parser.add_argument("-v", dest="verbose", action="store_true", help="each case as it ends")
    parser.add_argument("-k", dest="word", default="", help="only what has WORD in its name")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # so that what was begun is ended
    options.random = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    build = pathlib.Path(options.bin)
    programs = {"layout": build / "tests/fault/api/fault_layout", "controller": build / "controller/railiance-backup-controller",
                "agent": build / "hostagent/agent/railiance-backup-agent",
                "restore": build / "hostagent/restore/railiance-restore"}
    directory = worlds.fresh(tempfile.mkdtemp(prefix="rb-fault-api-"))
    world = worlds.World(directory, {name: str(path) for name, path in programs.items()})
    good = True
    try:
        world.start("controller")
        world.start("agent", identity="agent-1")
        findings, _ = one_run(world)
        if findings:
            print("a run without faults: " + "; ".join(findings))
            good = False
        else:
            if options.only != "episodes":
                good &= at_every_call(world, options)
            if options.only != "calls":
                good &= episodes(world, options)
                good &= restored(world, options)
                good &= two_of_each(world, options)
            code, text = world.verify()
            good &= code == 0
            print(f"FAULTS sets left after all of it: verify --all ends with {code}" + ("" if code == 0 else "\n" + text))
    finally:
        world.end()
    if good and not options.keep:
        import shutil
        shutil.rmtree(directory)
    else:
        print(f"logs and backups are in {directory}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
