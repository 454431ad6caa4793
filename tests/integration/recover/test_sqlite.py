"""A server that keeps its state in SQLite: backed up, proven by a boot, restored in place and on a bare host, and back; by
our command, and by the blocks of RESTORE.md as they stand.

Runs inside a bed without node. Arguments: the program that makes a set here, and railiance-restore.
"""

import json
import os
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kit"))
import server  # noqa: E402

BACKUP_HERE, RESTORE = (sys.argv + ["", ""])[1:3]
BEDCTL = "/usr/local/bin/bedctl"
SERVICE = ["--start-command", f"{BEDCTL} start", "--stop-command", f"{BEDCTL} stop", "--status-command", f"{BEDCTL} status"]
CA = server.DATA / "server/tls/server-ca.crt"
DB = server.DATA / "server/db"


def word():
    done = server.kubectl("get", "secret", "s", "-o", "jsonpath={.data.word}", check=False)
    return done.stdout if done.returncode == 0 else None


class TestSqlite(unittest.TestCase):
    def setUp(self):
        self.operator = server.Operator()
        self.addCleanup(self.operator.clean)

    def command(self, verb, *arguments, code=0):
        done = server.run(RESTORE, verb, *arguments, "--backup-dir", server.BACKUPS, "-i", self.operator.keys,
                          check=False, cwd="/", env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def cluster(self):
        return server.another_cluster(without=("cluster-init",))

    def back_up(self):
        server.kubectl("create", "secret", "generic", "s", "--from-literal=word=first")
        run_id = server.back_up(BACKUP_HERE, self.operator, RESTORE)
        manifest = json.loads((server.BACKUPS / f"manifest-{run_id}.json").read_text())
        self.assertEqual(manifest["snapshot"]["kind"], "SQLite")
        self.assertTrue((server.BACKUPS / f"sqlite-{run_id}.db.age").exists())
        self.assertEqual(list((DB / "snapshots").iterdir()), [])
        return manifest

    def by_hand(self, run_id):
        """RESTORE.md taken at its word, with stock age, sh and k3s."""
        done = self.operator.follow((server.BACKUPS / "RESTORE.md").read_text())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        token = (server.DATA / "server/token").read_text().strip()
        self.assertNotIn(token, self.operator.calls.read_text())
        self.assertFalse((server.DATA.parent / "k3s-restore").exists())
        self.assertEqual(json.loads((server.BACKUPS / ".last-restore").read_text())["runID"], run_id)

    def test_1_a_set_is_whole_and_the_server_goes_on(self):
        with self.cluster():
            before = server.run(BEDCTL, "status", check=False).stdout
            manifest = self.back_up()
            self.assertEqual(server.run(BEDCTL, "status", check=False).stdout, before)
            with sqlite3.connect(f"file:{DB}/state.db?mode=ro", uri=True) as database:
                newest = database.execute("select max(id) from kine").fetchone()[0]
            self.assertLessEqual(manifest["snapshot"]["revision"], newest)
            self.assertIn("revision", self.command("verify", "latest"))
            self.command("drill", "latest")

    def test_2_a_scratch_server_boots_from_it(self):
        with self.cluster():
            self.back_up()
            self.assertIn("are as in the snapshot", self.command("drill", "latest", "--boot"))
            self.assertIsNotNone(word())

    def test_3_in_place_and_back(self):
        with self.cluster():
            self.back_up()
            first, ca = word(), server.digest(CA)
            server.kubectl("delete", "secret", "s")
            server.kubectl("create", "configmap", "later")
            said = self.command("restore", "latest", "--execute", "--yes", *SERVICE)
            self.assertEqual(word(), first, said)
            self.assertEqual(server.kubectl("get", "configmap", "later", check=False).returncode, 1)
            self.assertEqual(server.digest(CA), ca)
            self.assertTrue(list(DB.glob("state-old-*/state.db")))
            self.command("restore", "--rollback", "--yes", *SERVICE)
            self.assertIsNone(word())
            self.assertEqual(server.kubectl("get", "configmap", "later").returncode, 0)
            self.assertFalse(list(DB.glob("state-old-*")))

    def test_4_on_a_bare_host(self):
        with self.cluster():
            self.back_up()
            first, ca = word(), server.digest(CA)
            server.wipe()
            self.command("restore", "latest", "--execute", "--yes", *SERVICE)
            self.assertEqual(word(), first)
            self.assertEqual(server.digest(CA), ca)
            self.assertFalse(list(DB.glob("etcd*")))

    def test_4b_a_server_that_went_over_to_etcd_since(self):
        with self.cluster():
            manifest = self.back_up()
            first, ca = word(), server.digest(CA)
            config = pathlib.Path("/etc/rancher/k3s/config.yaml")
            sqlite_config = config.read_text()
            server.run(BEDCTL, "stop")
            config.write_text(sqlite_config + "cluster-init: true\n")
            server.run(BEDCTL, "start")
            server.wait_until_ready()
            self.assertTrue((DB / "state.db.migrated").exists())
            server.kubectl("delete", "secret", "s")
            # k3s would begin a new cluster with the objects of the copy: nothing is touched.
            said = self.command("restore", manifest["runID"], "--execute", "--yes", *SERVICE, code=1)
            self.assertIn(f"the configuration has `cluster-init` ({config})", said)
            self.assertEqual(server.kubectl("get", "secret", "s", check=False).returncode, 1)
            config.write_text(sqlite_config)
            self.command("restore", manifest["runID"], "--execute", "--yes", *SERVICE)
            self.assertEqual((word(), server.digest(CA)), (first, ca))
            # And over to etcd again.
            server.run(BEDCTL, "stop")
            config.write_text(sqlite_config + "cluster-init: true\n")
            server.run(BEDCTL, "start")
            server.wait_until_ready()
            self.assertEqual((word(), server.digest(CA)), (first, ca))
            self.assertTrue((DB / "etcd/member/wal").is_dir())

    def test_5_by_hand_on_the_living_host(self):
        with self.cluster():
            run_id = self.back_up()["runID"]
            first, ca = word(), server.digest(CA)
            server.kubectl("delete", "secret", "s")
            server.kubectl("create", "configmap", "later")
            self.by_hand(run_id)
            self.assertEqual(word(), first)
            self.assertEqual(server.kubectl("get", "configmap", "later", check=False).returncode, 1)
            self.assertEqual(server.digest(CA), ca)
            # What was there lies aside, whole: the guide's own way back needs it.
            (old,) = DB.glob("state-old-*")
            with sqlite3.connect(old / "state.db") as database:
                names = [row[0] for row in database.execute("select name from kine where name like '%configmaps/default/later'")]
            self.assertTrue(names, list(old.iterdir()))
            self.assertTrue((old / "tls").is_dir())

    def test_6_by_hand_on_a_bare_machine(self):
        with self.cluster():
            run_id = self.back_up()["runID"]
            first, ca = word(), server.digest(CA)
            server.wipe()
            self.by_hand(run_id)
            self.assertEqual(word(), first)
            self.assertEqual(server.digest(CA), ca)
            self.assertFalse(list(DB.glob("etcd*")))

    def test_7_by_hand_a_damaged_copy_stops_before_anything_is_touched(self):
        with self.cluster():
            copy = server.BACKUPS / f"sqlite-{self.back_up()['runID']}.db.age"
            whole = copy.read_bytes()
            copy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
            server.kubectl("create", "configmap", "later")
            done = self.operator.follow((server.BACKUPS / "RESTORE.md").read_text())
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(f"{copy.name}: FAILED", done.stdout)
            self.assertEqual(server.kubectl("get", "configmap", "later").returncode, 0)
            self.assertFalse(list(DB.glob("state-old-*")))


if __name__ == "__main__":
    if not os.environ.get("RB_TEST_KUBECONFIG"):
        print("NOT RUN: RB_TEST_KUBECONFIG is not set: run this test inside a bed (tests/k3s/bed.sh)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
