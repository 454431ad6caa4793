"""`restore --execute` where a real systemd is the service manager: k3s as a unit of type notify that is
started again when it ends. Stop, reset, start, ready; the way back; and a bare machine that gets its unit back.

Runs in the machine of machine.sh. Arguments: the program that makes a set here, and railiance-restore.
"""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kit"))
import server  # noqa: E402

BACKUP_HERE, RESTORE = (sys.argv + ["", ""])[1:3]
NAMESPACE = "systemd-test"
UNIT = pathlib.Path("/etc/systemd/system/k3s.service")


def systemctl(*words, check=True):
    return server.run("/usr/bin/systemctl", *words, check=check)


def shown(name):
    return systemctl("show", "--value", f"--property={name}", "k3s").stdout.strip()


def own(objects):
    return {key: item for key, item in objects.items() if NAMESPACE in (key[1], key[2])}


class TestSystemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        systemctl("enable", "k3s")
        systemctl("start", "k3s")  # returns when the server has said that it is ready
        server.wait_until_ready()
        cls.operator = server.Operator()
        cls.addClassCleanup(cls.operator.clean)
        server.kubectl("create", "namespace", NAMESPACE)
        server.kubectl("-n", NAMESPACE, "create", "secret", "generic", "s", "--from-literal=word=hidden")
        server.kubectl("-n", NAMESPACE, "create", "configmap", "settings", "--from-literal=color=blue")
        cls.expected = own(server.objects())
        cls.run_id = server.back_up(BACKUP_HERE, cls.operator, RESTORE)

    def restore(self, *arguments):
        """No word of a service manager: it is found."""
        return server.run(RESTORE, "restore", *arguments, "--yes", "--backup-dir", server.BACKUPS, "-i", self.operator.keys,
                          check=False, env={"PATH": "/usr/bin", "HOME": "/nonexistent"}, cwd="/")

    def change(self):
        server.kubectl("-n", NAMESPACE, "create", "configmap", "later", "--from-literal=a=b", check=False)
        server.kubectl("-n", NAMESPACE, "delete", "secret", "s", check=False)

    def expect_running_unit(self):
        """systemd's own word: it runs, is started at boot, and did not have to be started again."""
        self.assertEqual(shown("ActiveState"), "active")
        self.assertEqual(shown("UnitFileState"), "enabled")
        self.assertEqual(shown("NRestarts"), "0")

    def test_1_stop_reset_start_ready(self):
        self.assertIn("systemctl stop k3s", self.restore().stdout)
        self.change()
        before = shown("MainPID")
        done = self.restore("latest", "--execute")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(own(server.objects()), self.expected)
        self.assertNotEqual(shown("MainPID"), before)
        self.expect_running_unit()

    @server.needs_standin
    def test_2_a_server_that_never_gets_ready_is_rolled_back(self):
        self.change()
        before = own(server.objects())
        fault = server.DATA / "standin-fault"
        fault.write_text("never-ready when=reset\n")
        try:
            done = self.restore("latest", "--execute", "--ready-timeout", "5")
        finally:
            fault.unlink()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("the old cluster runs again", done.stderr)
        self.assertEqual(own(server.objects()), before)
        self.expect_running_unit()

    def test_3_a_bare_machine_gets_its_unit_back(self):
        systemctl("disable", "--now", "k3s")
        for directory in ("/var/lib/rancher", "/etc/rancher", "/etc/systemd/system"):
            server.empty(directory)
        systemctl("daemon-reload")
        self.assertNotEqual(systemctl("cat", "k3s", check=False).returncode, 0)
        done = self.restore("latest", "--execute")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(own(server.objects()), self.expected)
        self.assertIn("ExecStart=/usr/local/bin/k3s server", UNIT.read_text())
        self.expect_running_unit()
        self.assertEqual(json.loads((server.BACKUPS / ".last-restore").read_text())["runID"], self.run_id)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2, failfast=True)
