"""docs/restore.md: every command of it is run, in the order of the page, on a server that is in that trouble.

Runs inside a bed without node. Arguments: the program that makes a set here, and railiance-restore.
"""

import json
import os
import pathlib
import sys
import unittest

import server

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "restore.md"
BACKUP_HERE, RESTORE = (sys.argv + ["", ""])[1:3]


class TestRestoreDoc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = PAGE.read_text()
        cls.operator = server.Operator()
        cls.addClassCleanup(cls.operator.clean)
        cls.box = cls.operator.toolbox(["age"])
        for program, path in (("railiance-restore", RESTORE), ("systemctl", None)):
            target = pathlib.Path("/usr/local/bin") / program  # the bed's own
            target.unlink(missing_ok=True)
            target.write_bytes(pathlib.Path(path).read_bytes() if path else server.SYSTEMCTL.encode())
            target.chmod(0o755)
            cls.addClassCleanup(target.unlink)
        server.kubectl("create", "namespace", "doc-test")
        cls.addClassCleanup(server.kubectl, "delete", "namespace", "doc-test", "--wait=false", check=False)
        server.kubectl("-n", "doc-test", "create", "secret", "generic", "password", "--from-literal=word=x")
        cls.kubeconfig = server.KUBECONFIG.read_text()
        cls.run_id = server.back_up(BACKUP_HERE, cls.operator, RESTORE)
        cls.left = server.blocks(cls.page)

    def take(self, beginning, check=True):
        """The next block of the page, which must begin so. The page's /root is the operator's home."""
        block = self.left.pop(0)
        self.assertTrue(block.startswith(beginning), f"the page goes on with:\n{block}")
        script = self.operator.home / "block.sh"
        script.write_text("set -e\n" + block.replace("/root/", f"{self.operator.home}/"))
        environment = {"PATH": f"{self.box}:{server.BED_PATH}", "HOME": str(self.operator.home)}
        done = server.run("/bin/sh", script, env=environment, check=False, cwd="/")
        if check:
            self.assertEqual(done.returncode, 0, block + done.stdout + done.stderr)
        return done.stdout + done.stderr

    def has_password(self):
        return server.kubectl("-n", "doc-test", "get", "secret", "password", check=False).returncode == 0

    def lose_password(self):
        server.kubectl("-n", "doc-test", "delete", "secret", "password")

    def test_0_look_first(self):
        self.assertIn(self.run_id, self.take("railiance-restore list\n"))
        before = server.objects()
        self.assertIn(self.run_id, self.take("railiance-restore restore\n"))
        self.assertEqual(before, server.objects())

    def test_1_the_cluster_is_broken(self):
        self.lose_password()
        self.take("railiance-restore restore latest --dry-run\n")
        self.assertFalse(self.has_password())
        self.take("railiance-restore restore latest --execute --yes\n")
        self.assertTrue(self.has_password())
        self.assertEqual(json.loads((server.BACKUPS / ".last-restore").read_text())["runID"], self.run_id)

    def test_2_the_host_is_gone(self):
        server.wipe()
        self.take("railiance-restore verify latest -i ~/.config/sops/age/keys.txt\nrailiance-restore restore latest")
        self.assertTrue(self.has_password())
        old = self.operator.home / "old-kubeconfig"
        old.write_text(self.kubeconfig)
        self.assertEqual(server.kubectl("--kubeconfig", old, "get", "--raw=/readyz").stdout, "ok")

    def test_3_go_back(self):
        # A restore on a living host, so that there is something to go back to.
        self.lose_password()
        server.run("/usr/local/bin/railiance-restore", "restore", "latest", "--execute", "--yes", "-i", self.operator.keys)
        self.assertTrue(self.has_password())
        self.take("railiance-restore restore --rollback")
        self.assertFalse(self.has_password())

    def test_4_only_helm_values(self):
        self.assertIn("helm upgrade --install", self.take("railiance-restore restore latest --artifact helm-values"))
        self.assertEqual((self.operator.home / "helm-values/shop/web.yaml").read_text(), "replicas: 3\n")

    def test_5_only_the_kubeconfig(self):
        self.take("railiance-restore restore latest --artifact kubeconfig")
        files = [path for path in (self.operator.home / "kubeconfig-from-backup").rglob("*") if path.is_file()]
        self.assertEqual([path.read_text() for path in files], [self.kubeconfig])

    def test_7_stock_age(self):
        self.take("cd /opt/backup/railiance/cluster\nset=$(ls manifest-*.json")
        self.assertEqual((self.operator.home / "kubeconfig-by-hand.yaml").read_text(), self.kubeconfig)

    def test_8_the_drill(self):
        self.take("railiance-restore drill\n")
        self.assertTrue((server.BACKUPS / ".last-drill").exists())

    def test_9_nothing_on_the_page_was_left_out(self):
        self.assertEqual(self.left, [])


if __name__ == "__main__":
    if not os.environ.get("RB_TEST_KUBECONFIG"):
        print("NOT RUN: RB_TEST_KUBECONFIG is not set: run this test inside a bed (tests/k3s/bed.sh)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2, failfast=True)
