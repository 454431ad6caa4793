"""`railiance-restore restore` on a machine with another address and another interface than that of the backup.

Runs inside a bed without node, whose address and interface it changes for a while. Arguments: the program that makes a
set here, and railiance-restore.
"""

import contextlib
import json
import os
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kit"))
import server  # noqa: E402

BACKUP_HERE, RESTORE = (sys.argv + ["", ""])[1:3]
BEDCTL = "/usr/local/bin/bedctl"
SERVICE = ["--start-command", f"{BEDCTL} start", "--stop-command", f"{BEDCTL} stop", "--status-command", f"{BEDCTL} status",
           "--log-command", f"{BEDCTL} log"]
CONFIG = pathlib.Path("/etc/rancher/k3s/config.yaml")
UNIT = pathlib.Path("/etc/systemd/system/k3s.service")
OLD, NEW = "172.31.99.1", "198.51.100.7"


def ip(*words):
    return server.run("/usr/bin/env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "ip", *words)


def interface():
    """The one that has the bed's address."""
    for link in json.loads(ip("-json", "address").stdout):
        if any(address.get("local") in (OLD, NEW) for address in link["addr_info"]):
            return link["ifname"]
    raise AssertionError("the bed has no address")


def rename(old, new):
    held = [f"{a['local']}/{a['prefixlen']}" for link in json.loads(ip("-json", "address", "show", "dev", old).stdout)
            for a in link["addr_info"] if a["family"] == "inet"]
    ip("link", "set", old, "down")
    ip("link", "set", old, "name", new)
    ip("link", "set", new, "up")
    for address in held:
        server.run("/usr/bin/env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "ip", "address", "add", address, "dev", new, check=False)


@contextlib.contextmanager
def another_machine():
    """The bed's interface has another name and another address, and nothing of a server is on the disk."""
    name = interface()
    server.wipe()
    ip("address", "add", f"{NEW}/24", "dev", name)
    ip("address", "del", f"{OLD}/24", "dev", name)
    rename(name, "eth9")
    try:
        yield
    finally:
        server.run(BEDCTL, "stop")
        rename("eth9", name)
        ip("address", "add", f"{OLD}/24", "dev", name)
        ip("address", "del", f"{NEW}/24", "dev", name)


class TestNewHost(unittest.TestCase):
    def setUp(self):
        self.operator = server.Operator()
        self.addCleanup(self.operator.clean)

    def restore(self, *arguments, code=0):
        words = [RESTORE, "restore", *arguments, "--backup-dir", server.BACKUPS, *SERVICE, "-i", self.operator.keys]
        done = server.run(*words, check=False, cwd="/", env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_another_address_and_another_interface(self):
        name = interface()
        with server.another_cluster(f"flannel-iface: {name}", f"advertise-address: {OLD}"):
            server.kubectl("create", "configmap", "before", "--from-literal=a=b")
            server.back_up(BACKUP_HERE, self.operator, RESTORE)
            with another_machine():
                self.the_checks_say_what_does_not_fit(name)
                self.k3s_itself_says_why(name)
                self.own_configuration_stays()
                self.both_are_rewritten(name)

    def the_checks_say_what_does_not_fit(self, name):
        said = self.restore("--execute", "--yes", code=1)
        self.assertIn(f"node-ip {OLD} ({CONFIG}): no interface of this host has that address", said)
        self.assertIn(f"--set-address {OLD}={NEW} rewrites it", said)
        self.assertIn(f"flannel-iface {name} ({CONFIG}): this host has no such interface", said)
        self.assertIn(f"--set-interface {name}=eth9 rewrites it", said)
        self.assertIn(f"advertise-address {OLD}", said)
        self.assertIn("refused; nothing was changed", said)
        self.assertFalse(CONFIG.exists())

    def k3s_itself_says_why(self, name):
        """Who says that an address is right, and is wrong."""
        if not server.is_standin():
            return
        said = self.restore("--execute", "--yes", "--set-address", f"{OLD}={OLD}", "--set-interface", f"{name}=eth9",
                            "--ready-timeout", "60", code=1)
        self.assertIn(f"k3s has ended instead of getting ready: Error: start managed database: listen tcp {OLD}:2380: "
                      "bind: cannot assign requested address", said)
        self.assertIn("--set-address OLD=NEW", said)
        self.assertFalse(CONFIG.exists())

    def own_configuration_stays(self):
        CONFIG.parent.mkdir(parents=True, exist_ok=True)
        own = ("cluster-init: true\nnode-name: another\ndisable-agent: true\nflannel-backend: none\n"
               f"node-ip: {NEW}\ndisable-cloud-controller: true\n# mine\n")
        CONFIG.write_text(own)
        said = self.restore("--execute", "--yes", "--keep-config")
        self.assertIn("the configuration of this host stays", said)
        self.assertEqual(CONFIG.read_text(), own)
        self.assertFalse(UNIT.exists())
        self.assertIn("before", server.kubectl("get", "configmap", "-o", "name").stdout)
        server.wipe()
        shutil.rmtree(server.DATA, ignore_errors=True)

    def both_are_rewritten(self, name):
        said = self.restore("--execute", "--yes", "--set-address", f"{OLD}={NEW}", "--set-interface", f"{name}=eth9")
        self.assertRegex(said, f"{OLD} becomes {NEW} in what is put back: {CONFIG} lines [0-9]+, [0-9]+")
        self.assertIn(f"{name} becomes eth9 in what is put back: {CONFIG} line ", said)
        text = CONFIG.read_text()
        self.assertNotIn(OLD, text)
        self.assertIn(f"node-ip: {NEW}\n", text)
        self.assertIn("flannel-iface: eth9\n", text)
        self.assertIn("before", server.kubectl("get", "configmap", "-o", "name").stdout)


if __name__ == "__main__":
    if not os.environ.get("RB_TEST_KUBECONFIG"):
        print("NOT RUN: RB_TEST_KUBECONFIG is not set: run this test inside a bed (tests/k3s/bed.sh)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
