"""RESTORE.md taken at its word: its blocks, as they stand, bring a wiped server back.

Runs inside a bed without node. Arguments: the program that makes a set here, and railiance-restore.
"""

import json
import os
import pathlib
import re
import sys
import unittest

import server

BACKUP_HERE, RESTORE = (sys.argv + ["", ""])[1:3]


class TestRestoreMd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.operator = server.Operator()
        cls.addClassCleanup(cls.operator.clean)
        server.kubectl("create", "namespace", "kit-test")
        server.kubectl("-n", "kit-test", "create", "secret", "generic", "password", "--from-literal=word=from the backup")
        server.kubectl("-n", "kit-test", "create", "configmap", "settings", "--from-literal=a=1")
        # As k3s's installer writes it, with a setting that only the unit knows.
        unit = pathlib.Path("/etc/systemd/system/k3s.service")
        cls.addClassCleanup(unit.write_text, unit.read_text())
        unit.write_text(unit.read_text().replace(
            "ExecStart=/usr/local/bin/k3s server",
            "ExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--write-kubeconfig-mode' \\\n\t'0600' \\\n\n"))
        cls.before = server.objects()
        cls.ca = server.digest(server.DATA / "server/tls/server-ca.crt")
        cls.kubeconfig = server.KUBECONFIG.read_text()
        cls.run_id = server.back_up(BACKUP_HERE, cls.operator, RESTORE)
        cls.guide = (server.BACKUPS / "RESTORE.md").read_text()
        server.kubectl("-n", "kit-test", "delete", "secret", "password")
        server.kubectl("-n", "kit-test", "create", "configmap", "later", "--from-literal=b=2")

    @classmethod
    def tearDownClass(cls):
        server.kubectl("delete", "namespace", "kit-test", "--wait=false", check=False)

    def assert_same_cluster(self):
        after = server.objects()
        self.assertEqual(sorted(self.before), sorted(key for key in after if key in self.before))
        for key, item in self.before.items():
            self.assertEqual(item, after[key], key)
        self.assertNotIn(("ConfigMap", "kit-test", "later"), after)
        self.assertEqual(self.ca, server.digest(server.DATA / "server/tls/server-ca.crt"))
        old = self.operator.home / "old-kubeconfig"
        old.write_text(self.kubeconfig)
        self.assertEqual(server.kubectl("--kubeconfig", old, "get", "--raw=/readyz").stdout, "ok")

    def assert_clean(self):
        self.assertFalse((server.DATA.parent / "k3s-restore").exists())
        marker = json.loads((server.BACKUPS / ".last-restore").read_text())
        self.assertEqual(marker["runID"], self.run_id)
        self.assertEqual(marker["schema"], "railiance.io/last-restore/v1")

    def test_1_the_kit_lies_beside_the_artifacts(self):
        tool = server.BACKUPS / "railiance-restore"
        self.assertEqual(server.mode_of(tool), 0o700)
        self.assertEqual(server.digest(tool), server.digest(RESTORE))
        self.assertEqual(server.mode_of(server.BACKUPS / "RESTORE.md"), 0o600)
        shown = server.run(tool, "show", self.run_id, env={})
        self.assertIn(self.run_id, shown.stdout)
        self.assertNotIn("from the backup", self.guide)
        token = (server.DATA / "server/token").read_text().strip()
        self.assertNotIn(token.rsplit(":", 1)[1], self.guide)

    def test_2_a_damaged_file_stops_it_before_anything_is_touched(self):
        snapshot = server.BACKUPS / f"etcd-{self.run_id}.snap.age"
        whole = snapshot.read_bytes()
        try:
            snapshot.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
            done = self.operator.follow(self.guide)
        finally:
            snapshot.write_bytes(whole)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"{snapshot.name}: FAILED", done.stdout)
        self.assertIn(("ConfigMap", "kit-test", "later"), server.objects())

    def test_3_the_stock_way_on_the_living_host(self):
        done = self.operator.follow(self.guide)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("restart without --cluster-reset flag now", done.stdout + done.stderr)
        calls = self.operator.calls.read_text()
        self.assertIn("server --write-kubeconfig-mode 0600 --cluster-reset --cluster-reset-restore-path=", calls)
        self.assertNotIn((server.DATA / "server/token").read_text().strip(), calls)
        self.assert_same_cluster()
        self.assert_clean()

    def test_4_the_stock_way_on_a_bare_machine(self):
        server.kubectl("-n", "kit-test", "create", "configmap", "later", "--from-literal=b=2", check=False)
        server.wipe()
        done = self.operator.follow(self.guide)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_same_cluster()
        self.assert_clean()

    def test_5_our_command_on_a_bare_machine(self):
        server.kubectl("-n", "kit-test", "create", "configmap", "later", "--from-literal=b=2", check=False)
        server.wipe()
        systemctl = pathlib.Path("/usr/local/bin/systemctl")  # the bed's own
        systemctl.write_text(server.SYSTEMCTL)
        systemctl.chmod(0o755)
        self.addCleanup(systemctl.unlink)
        section = self.guide.split("\n## With our command\n", 1)[1].split("```")[1].removeprefix("text\n")
        script = self.operator.home / "ours.sh"
        # The key that the operator wrote down.
        key = (server.BACKUPS / "railiance-backup.pub").read_text().split("\n")[1]
        section = section.replace("RW…", key)
        script.write_text("set -e\n" + re.sub(r"--execute.*", "--execute --yes", section))
        environment = {"PATH": server.BED_PATH, "HOME": str(self.operator.home)}
        done = server.run("/bin/sh", script, env=environment, check=False, cwd="/")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_same_cluster()
        self.assertEqual(json.loads((server.BACKUPS / ".last-restore").read_text())["runID"], self.run_id)


if __name__ == "__main__":
    if not os.environ.get("RB_TEST_KUBECONFIG"):
        print("NOT RUN: RB_TEST_KUBECONFIG is not set: run this test inside a bed (tests/k3s/bed.sh)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2, failfast=True)
