"""Three servers, all stopped, two disks wiped: restored on one, the others rejoin, and the objects are the same.

Runs outside of beds: it makes three of its own (tests/k3s/bed.sh), on one bridge. Arguments: the program that makes a
set here, and railiance-restore.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kit"))
import server  # noqa: E402

HERE = pathlib.Path(__file__).resolve()
BED = HERE.parents[2] / "k3s/bed.sh"
BACKUP_HERE, RESTORE = (sys.argv + ["", ""])[1:3]
BEDCTL = "/usr/local/bin/bedctl"
SERVICE = ["--start-command", f"{BEDCTL} start", "--stop-command", f"{BEDCTL} stop", "--status-command", f"{BEDCTL} status"]
NAMESPACE = "servers-test"


def bed(*arguments, check=True):
    return server.run(BED, *arguments, check=check, cwd="/")


class Server:
    """One of the three, in a bed of its own."""

    def __init__(self, name, first=None):
        self.name = name
        bed("up", name, *(["--join", first.name] if first else []))
        lines = bed("env", name).stdout.splitlines()
        self.places = dict(line.split("=", 1) for line in lines if "=" in line)
        self.data = pathlib.Path(self.places["BED_DATA_DIR"])
        self.backups = pathlib.Path(self.places["BED_BACKUP_DIR"]) / "railiance/cluster"
        self.config = pathlib.Path(self.places["BED_STATE"]) / "private/etc/rancher/k3s/config.yaml"
        self.address = self.places["BED_NODE_IP"]

    def inside(self, *command, check=True):
        return bed("exec", self.name, "env", "-i", f"PATH={server.BED_PATH}", "HOME=/root", *command, check=check)

    def kubectl(self, *arguments, check=True):
        return self.inside("k3s", "kubectl", *arguments, check=check)

    def stop(self):
        bed("k3s", self.name, "stop")

    def start(self):
        bed("k3s", self.name, "start")

    def wipe(self):
        """The disk with k3s's data is new; configuration and unit are laid down again."""
        server.empty(self.data)

    def forget_server(self):
        """Takes `server:` out of the configuration, also where a rejoin has put it."""
        for file in [self.config, *self.config.parent.glob("config.yaml.d/*")]:
            lines = [line for line in file.read_text().splitlines(True) if not line.startswith("server:")]
            file.write_text("".join(lines))

    def command(self, verb, *arguments, keys, check=0):
        done = self.inside(RESTORE, verb, *arguments, "--backup-dir", server.BACKUPS, "-i", keys, *SERVICE, check=False)
        if done.returncode != check:
            raise AssertionError(f"{self.name}: {verb} {arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def members(self):
        """Those that vote, as this server lists them."""
        for port in (6443, 9345):
            done = self.inside("k3s", "kubectl", f"--server=https://127.0.0.1:{port}", "get", "--raw=/db/info", check=False)
            if done.returncode == 0:
                return sorted(one["name"] for one in json.loads(done.stdout)["members"] if not one.get("isLearner"))
        return []

    def objects(self):
        found = {}
        listed = json.loads(self.kubectl("get", server.KINDS, "-A", "-o", "json").stdout)["items"]
        for item in listed:
            meta = item["metadata"]
            for key in ("managedFields", "resourceVersion"):
                meta.pop(key, None)
            found[item["kind"], meta.get("namespace", ""), meta["name"]] = item
        return {key: item for key, item in found.items() if NAMESPACE in (key[1], key[2])}


class TestServers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.operator = server.Operator()
        cls.addClassCleanup(cls.operator.clean)
        names = [f"servers-{os.getpid()}-{number}" for number in (1, 2, 3)]
        for name in names:
            cls.addClassCleanup(bed, "down", name, check=False)
        cls.one = Server(names[0])
        cls.two = Server(names[1], cls.one)
        cls.three = Server(names[2], cls.one)
        cls.all = [cls.one, cls.two, cls.three]
        cls.one.kubectl("create", "namespace", NAMESPACE)
        for number in range(20):
            cls.one.kubectl("-n", NAMESPACE, "create", "secret", "generic", f"s{number}", f"--from-literal=word=w{number}")
        cls.expected = cls.three.objects()
        cls.three.inside("python3", "-B", HERE, "back-up-here", cls.operator.home, BACKUP_HERE, RESTORE)
        for other in (cls.one, cls.two):
            shutil.rmtree(other.backups, ignore_errors=True)
            shutil.copytree(cls.three.backups, other.backups, symlinks=True)

    def test_1_a_server_of_a_living_cluster_is_left_alone(self):
        said = self.two.command("rejoin", keys=self.operator.keys)
        self.assertIn("a voting member already: 3 of 3 members", said)

    def test_2_three_servers_are_refused_without_a_word_for_it(self):
        said = self.one.command("restore", "--execute", "--yes", keys=self.operator.keys, check=1)
        self.assertIn("the cluster had 3 servers", said)
        self.assertIn("--single-server", said)

    def test_3_the_disaster(self):
        for one in self.all:
            one.stop()
        for one in (self.one, self.two):
            one.wipe()
        said = self.two.command("rejoin", "--yes", keys=self.operator.keys, check=8)
        self.assertIn("no server of the set's cluster answers", said)

        begin = time.monotonic()
        said = self.one.command("restore", "--execute", "--single-server", "--keep-config", "--yes", keys=self.operator.keys)
        for other in (self.two, self.three):
            self.assertIn(f"({other.address}): railiance-restore rejoin", said)
        restored = time.monotonic()
        self.assertEqual(len(self.one.members()), 1)

        dry = self.two.command("rejoin", "--dry-run", keys=self.operator.keys)
        self.assertIn("put the server token of the backup back", dry)
        self.assertFalse((self.two.data / "server/token").exists())

        said = self.two.command("rejoin", "--yes", keys=self.operator.keys)
        self.assertIn("2 of 3 members", said)
        # The third has its old database, and is as after a rotation of the token that the set does not know, with that
        # token aside: k3s would end with the newer passwords.
        passwd = self.three.data / "server/cred/passwd"
        (self.three.data / "server/token").unlink()
        passwd.write_text("rotated,server,server,k3s:server\n")
        said = self.three.command("rejoin", "--yes", keys=self.operator.keys)
        self.assertIn("3 of 3 members", said)
        end = time.monotonic()
        # A figure, not a test: how long it takes alone is the benchmark's (tests/bench/run.sh --only servers).
        print(f"restored after {restored - begin:.1f} s, three members after {end - begin:.1f} s")

        members = self.one.members()
        self.assertEqual(len(members), 3)
        for one in self.all:
            self.assertEqual(one.members(), members)
            self.assertEqual(one.objects(), self.expected)
        self.assertEqual(passwd.read_text(), (self.one.data / "server/cred/passwd").read_text())
        self.assertTrue(list((self.three.data / "server/db").glob("etcd-old-*")))
        self.assertTrue((self.three.data / "server/db/snapshots").exists())

    def test_4_what_one_writes_the_others_read_and_one_may_go(self):
        self.two.kubectl("-n", NAMESPACE, "create", "configmap", "later", "--from-literal=a=b")
        self.three.kubectl("-n", NAMESPACE, "get", "configmap", "later")
        self.one.stop()
        try:
            self.three.kubectl("-n", NAMESPACE, "create", "configmap", "last", "--from-literal=a=b")
            self.two.kubectl("-n", NAMESPACE, "get", "configmap", "last")
        finally:
            self.one.start()

    def test_5_again_nothing_is_done(self):
        for other in (self.two, self.three):
            self.assertIn("a voting member already", other.command("rejoin", keys=self.operator.keys))

    def test_6_two_restored_apart_are_named(self):
        for one in self.all:
            one.stop()
        for one in (self.one, self.three):
            one.wipe()
            # The third joined the first: only the operator knows that it may begin anew.
            one.forget_server()
            said = one.command("restore", "--execute", "--single-server", "--keep-config", "--yes", keys=self.operator.keys)
            self.assertIn("restored", said)
        said = self.two.command("rejoin", "--yes", keys=self.operator.keys, check=1)
        self.assertIn("two hosts answer as clusters of their own", said)
        for one in (self.one, self.three):
            self.assertIn(one.address, said)


def back_up_here(home, program, restore):
    """Inside a bed: one set, with the key of that operator."""
    operator = server.Operator.__new__(server.Operator)
    operator.home = pathlib.Path(home)
    operator.sops = operator.home / ".sops.yaml"
    print(server.back_up(program, operator, restore))


if __name__ == "__main__":
    if sys.argv[1:2] == ["back-up-here"]:
        back_up_here(*sys.argv[2:5])
        sys.exit(0)
    if os.getuid() != 0 or subprocess.run([BED, "list"], capture_output=True).returncode != 0:
        print("NOT RUN: it makes beds of its own: run it as root, outside of a bed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2, failfast=True)
