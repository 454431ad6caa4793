"""`railiance-restore restore` on a server node: what it refuses, what it brings back, how it goes back.

Runs inside a bed without node. Arguments: the program that makes a set here, railiance-restore, and a program that watches.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kit"))
import server  # noqa: E402
from faults import Sets  # noqa: E402

BACKUP_HERE, RESTORE, WATCH_HERE = (sys.argv + ["", "", ""])[1:4]
BEDCTL = "/usr/local/bin/bedctl"
SERVICE = ["--start-command", f"{BEDCTL} start", "--stop-command", f"{BEDCTL} stop", "--status-command", f"{BEDCTL} status"]
NAMESPACE = "recover-test"
# What the controller holds while a run goes on, and removes when it has ended.
PAYLOAD = "railiance-backup-payload-0b6f2c1e-0"
# What k3s deletes after a reset, and makes anew when the node registers.
NODE_PASSWORD = "recover-test.node-password.k3s"
JOURNAL = server.DATA / "railiance-restore/journal.json"


def restore(*arguments, keys=None, backups=server.BACKUPS, service=SERVICE, check=None):
    """One command under an empty environment; its exit code is `check` where that is given."""
    command = [RESTORE, "restore", *arguments, "--backup-dir", backups, *service]
    if keys is not None:
        command += ["-i", keys]
    done = server.run(*command, check=False, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}, cwd="/")
    if check is not None and done.returncode != check:
        raise AssertionError(f"{arguments}: exit {done.returncode}, not {check}\n{done.stdout}\n{done.stderr}")
    return done


def server_pid():
    return pathlib.Path("/run/k3s/bed-server.pid").read_text().strip()


def own(objects):
    """Those that this test made."""
    return {key: item for key, item in objects.items() if NAMESPACE in (key[1], key[2])}


class TestRecover(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Other tests may have used this bed before.
        for place in (server.BACKUPS, JOURNAL.parent):
            shutil.rmtree(place, ignore_errors=True)
        cls.operator = server.Operator()
        cls.addClassCleanup(cls.operator.clean)
        cls.keys = cls.operator.keys
        server.kubectl("create", "namespace", NAMESPACE)
        for number in range(5):
            server.kubectl("-n", NAMESPACE, "create", "secret", "generic", f"s{number}", f"--from-literal=word=w{number}")
        server.kubectl("-n", NAMESPACE, "create", "configmap", "settings", "--from-literal=color=blue")
        other = server.back_up(BACKUP_HERE, cls.operator, RESTORE)  # of another state: see "swapped"
        server.kubectl("-n", NAMESPACE, "create", "serviceaccount", "robot")
        server.kubectl("-n", NAMESPACE, "create", "configmap", PAYLOAD, "--from-literal=payload=sealed")
        server.kubectl("-n", "kube-system", "create", "secret", "generic", NODE_PASSWORD, "--from-literal=hash=x", check=False)
        cls.addClassCleanup(server.kubectl, "-n", "kube-system", "delete", "secret", NODE_PASSWORD, check=False)
        time.sleep(1.1)  # the run id is a second
        cls.expected = server.objects()
        cls.kubeconfig = server.KUBECONFIG.read_text()
        cls.run_id = server.back_up(BACKUP_HERE, cls.operator, RESTORE)
        cls.sets = Sets(server.BACKUPS, cls.operator, cls.run_id, other)

    def change(self):
        """What came after the backup: one object changed, one deleted, one added."""
        server.kubectl("-n", NAMESPACE, "create", "configmap", "later", "--from-literal=a=b", check=False)
        server.kubectl("-n", NAMESPACE, "delete", "secret", "s0", check=False)
        server.kubectl("-n", NAMESPACE, "patch", "configmap", "settings", "--type=merge", "-p", '{"data":{"color":"red"}}')

    def expect_as_in_backup(self):
        found = server.objects()
        self.assertEqual(sorted(own(found)), sorted(own(self.expected)))
        for key, item in own(self.expected).items():
            self.assertEqual(found[key], item)
        self.assertEqual(set(self.expected) - set(found), set())

    def refused(self, code, words, *arguments, backups=server.BACKUPS, keys=None, service=SERVICE):
        """Nothing was touched: the same server process, the same objects, no journal."""
        before, pid = own(server.objects()), server_pid()
        done = restore(*arguments, "--execute", "--yes", backups=backups, keys=keys or self.keys, service=service, check=code)
        self.assertIn(words, done.stdout + done.stderr)
        self.assertEqual((own(server.objects()), server_pid()), (before, pid))
        self.assertFalse(JOURNAL.exists())
        self.assertFalse((server.DATA / "railiance-restore/snapshot").exists())

    def test_00_the_guide_changes_nothing(self):
        before = own(server.objects())
        done = restore(keys=self.keys, check=0)
        for words in (self.run_id, "yes", "--execute", "--cluster-reset-restore-path=/", f"{BEDCTL} stop"):
            self.assertIn(words, done.stdout)
        listed = json.loads(restore("--output", "json", keys=self.keys, check=0).stdout)
        self.assertEqual([one["opens"] for one in listed["sets"]], ["yes", "yes"])
        self.assertFalse(listed["guide"]["bareHost"])
        self.assertIn("no", restore(keys=self.sets.other_keys(), check=0).stdout)
        self.assertEqual(own(server.objects()), before)

    def test_01_dry_run_prints_the_plan(self):
        pid = server_pid()
        done = restore("latest", "--dry-run", keys=self.keys, check=0)
        self.assertIn("k3s server --cluster-reset", done.stdout)
        plan = json.loads(restore("latest", "--dry-run", "--output", "json", keys=self.keys, check=0).stdout)
        self.assertFalse(plan["refused"])
        self.assertEqual(server_pid(), pid)
        self.assertFalse(JOURNAL.exists())

    def test_10_wrong_key(self):
        self.refused(5, "none of the identities opens it", keys=self.sets.other_keys())

    def test_11_a_bit_flipped(self):
        self.refused(6, "not authentic", backups=self.sets.with_flipped_bit())

    def test_12_host_state_missing(self):
        self.refused(3, "no host state", "--allow-unsigned", backups=self.sets.without_host_state())

    def test_13_token_of_another_cluster(self):
        self.refused(6, "token", "--allow-unsigned", backups=self.sets.with_other_token())

    def test_14_snapshot_of_another_set(self):
        self.refused(6, "SHA-256", "--allow-unsigned", backups=self.sets.with_swapped_snapshot())

    def test_14b_a_manifest_that_was_changed(self):
        self.refused(6, "the signature is not that of this manifest", backups=self.sets.with_changed_manifest())

    def test_14c_a_set_that_anybody_can_have_made(self):
        self.refused(6, "not signed, though this host signs since", backups=self.sets.planted())

    def test_15_older_k3s(self):
        old = self.operator.home / "old-k3s"
        for version, words in (("v1.33.13+k3s1", "v1.33 is a lower one"),  # etcd 3.6, as the set
                               ("v1.33.7+k3s1", "etcd 3.5 of this k3s does not start on them")):
            old.write_text(f'#!/bin/sh\n[ "$1" != --version ] || {{ echo "k3s version {version} (abc)"; exit; }}\n'
                           'exec /usr/local/bin/k3s "$@"\n')
            old.chmod(0o755)
            self.refused(1, words, "--k3s", old)

    def test_16_k3s_runs_outside_of_the_service_manager(self):
        service = ["--start-command", "/bin/true", "--stop-command", "/bin/true", "--status-command", "/bin/false"]
        self.refused(7, "a k3s server runs", service=service)

    def test_17_the_service_does_not_stop(self):
        service = ["--start-command", f"{BEDCTL} start", "--stop-command", "/bin/true", "--status-command", f"{BEDCTL} status"]
        before, pid = own(server.objects()), server_pid()
        done = restore("--execute", "--yes", keys=self.keys, service=service, check=7)
        self.assertIn("a k3s server process is left", done.stderr)
        self.assertEqual((own(server.objects()), server_pid()), (before, pid))
        self.reset_journal()

    def test_18_full_disk(self):
        small = server.DATA / "railiance-restore"
        small.mkdir()
        server.run("/bin/mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", small)
        try:
            self.refused(1, "no space", "latest")
        finally:
            server.run("/bin/umount", small)
            shutil.rmtree(small)

    def reset_journal(self):
        shutil.rmtree(server.DATA / "railiance-restore", ignore_errors=True)

    def test_20_restore_in_place_and_back(self):
        self.change()
        changed = own(server.objects())
        done = restore("latest", "--execute", "--yes", keys=self.keys, check=0)
        self.expect_as_in_backup()
        self.assertIn("step: compare", done.stderr)
        self.assertFalse((server.DATA / "railiance-restore/snapshot").exists())
        self.assertEqual(server.mode_of(JOURNAL), 0o600)
        self.assertNotIn("K10", JOURNAL.read_text())
        self.assertEqual(json.loads((server.BACKUPS / ".last-restore").read_text())["runID"], self.run_id)
        restore("--rollback", "--yes", check=0)
        self.assertEqual(own(server.objects()), changed)
        self.assertEqual(restore("--rollback", "--yes").returncode, 4)

    @server.needs_standin
    def test_21_a_server_that_never_gets_ready_is_rolled_back(self):
        self.change()
        before = own(server.objects())
        fault = server.DATA / "standin-fault"
        fault.write_text("never-ready when=reset\n")
        try:
            done = restore("latest", "--execute", "--yes", "--ready-timeout", "12", keys=self.keys)
        finally:
            fault.unlink()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("the old cluster runs again", done.stderr)
        self.assertEqual(own(server.objects()), before)

    def test_22_who_watches_through_a_restore_sees_the_restored_cluster(self):
        # So many writes that the restored versions stay below those of before: a watch that goes on hears nothing.
        self.change()
        for number in range(120):
            server.kubectl("-n", NAMESPACE, "create", "configmap", f"later-{number}", "--from-literal=a=b")
        diary = self.operator.home / "diary"
        with open(diary, "wb") as out:
            watching = subprocess.Popen([WATCH_HERE, str(server.KUBECONFIG), NAMESPACE], stdin=subprocess.PIPE, stdout=out,
                                        env={"PATH": "/usr/bin:/bin"})

        def told(*words):
            end = time.monotonic() + 60
            while time.monotonic() < end:
                lines = diary.read_text().split("\n")
                if all(word in lines for word in words):
                    return
                time.sleep(0.2)
            self.fail(f"not told: {[word for word in words if word not in lines]}")
        try:
            told("listed", "have later-119")
            done = restore("latest", "--execute", "--yes", keys=self.keys, check=0)
            told("gone later", "gone later-0", "gone later-119")
            server.kubectl("-n", NAMESPACE, "create", "configmap", "after", "--from-literal=a=b")
            told("have after")
        finally:
            watching.stdin.close()
            watching.wait(20)
        self.assertIn("step: compare", done.stderr)
        server.kubectl("-n", NAMESPACE, "delete", "configmap", "after")

    def restored_by_a_start_that(self, words):
        """`words` are what happens at once in the restored cluster: standing in for a controller that comes up."""
        start = self.operator.home / "start-and-more"
        kubectl = "/usr/local/bin/k3s kubectl"
        start.write_text(f"#!/bin/bash\nPATH={server.BED_PATH}\n{BEDCTL} start\n"
                         f"until {kubectl} get --raw=/readyz >/dev/null 2>&1; do sleep 0.2; done\n"
                         f"{kubectl} -n {NAMESPACE} {words}\n")
        start.chmod(0o755)
        service = ["--start-command", start, "--stop-command", f"{BEDCTL} stop", "--status-command", f"{BEDCTL} status"]
        return restore("latest", "--execute", "--yes", keys=self.keys, service=service)

    def test_23_the_payload_of_the_resurrected_run_is_no_loss(self):
        done = self.restored_by_a_start_that(f"delete configmap {PAYLOAD}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("differs: configmaps", done.stderr)
        self.assertNotIn("--rollback", done.stderr)
        self.assertIn(f"comes and goes by itself: configmaps {NAMESPACE}/{PAYLOAD}: ", done.stderr)
        self.assertFalse((server.DATA / "railiance-restore/api.sock").exists())
        processes = server.run("/bin/ps", "-eo", "args").stdout
        self.assertNotIn("railiance-restore/api.sock", processes)
        self.assertFalse(any(key[2] == PAYLOAD for key in server.objects()))

    def test_24_a_configmap_that_is_missing_is_one(self):
        done = self.restored_by_a_start_that("delete configmap settings")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertRegex(done.stderr, r"differs: configmaps: \d+, the backup has \d+\n")
        self.assertIn(f"the restored cluster has fewer objects than the backup: configmaps {NAMESPACE}/settings\n", done.stderr)
        self.assertIn("--rollback", done.stderr)
        restore("latest", "--execute", "--yes", keys=self.keys, check=0)
        self.expect_as_in_backup()

    def test_25_the_password_of_a_node_is_no_loss(self):
        done = self.restored_by_a_start_that(f"-n kube-system delete secret {NODE_PASSWORD}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"comes and goes by itself: secrets kube-system/{NODE_PASSWORD}: ", done.stderr)
        self.assertNotIn("--rollback", done.stderr)
        restore("latest", "--execute", "--yes", keys=self.keys, check=0)
        self.expect_as_in_backup()

    def killed_at(self, step):
        """False: it ended by itself, since the one that was killed before had come further than was meant."""
        command = [RESTORE, "restore", "latest", "--execute", "--yes", "--backup-dir", server.BACKUPS, "-i", self.keys, *SERVICE]
        said = []
        with subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True) as process:
            for line in process.stderr:
                said.append(line)
                if line.startswith(step):
                    time.sleep(0.3)
                    process.send_signal(signal.SIGKILL)
                    return True
        self.assertEqual(process.returncode, 0, "".join(said))
        return False

    def test_22_killed_in_the_middle_and_continued(self):
        self.change()
        for step in ("step: save-state", "step: reset", "step: ready"):
            self.assertTrue(self.killed_at(step) or self.killed_at(step), f"{step}: never came")
        done = restore("--execute", "--yes", keys=self.keys, check=0)
        self.assertIn("continuing the restore", done.stderr)
        self.expect_as_in_backup()

    def test_30_the_disk_is_wiped(self):
        ca = server.digest(server.DATA / "server/tls/server-ca.crt")
        signing_key = (server.KEY_DIR / "signing.pub").read_text()
        server.wipe()
        done = restore("latest", "--execute", "--yes", keys=self.keys, check=0)
        self.assertIn("step: put-back", done.stderr)
        # Nobody had written the key down: it says so, and to compare it with what.
        self.assertIn("FIRST USE of the key " + signing_key.splitlines()[1], done.stderr)
        # The restored host signs with the key that it had.
        server.back_up(BACKUP_HERE, self.operator, RESTORE)
        self.assertEqual((server.KEY_DIR / "signing.pub").read_text(), signing_key)
        self.assertEqual(server.mode_of(server.KEY_DIR / "signing.key"), 0o600)
        self.assertEqual(server.run(RESTORE, "verify", "--backup-dir", server.BACKUPS, "--all", env={}).returncode, 0)
        self.expect_as_in_backup()
        self.assertEqual(server.digest(server.DATA / "server/tls/server-ca.crt"), ca)
        old = self.operator.home / "old-kubeconfig"
        old.write_text(self.kubeconfig)
        self.assertEqual(server.kubectl("--kubeconfig", old, "get", "--raw=/readyz").stdout, "ok")
        self.assertEqual(server.mode_of(server.DATA / "server/token"), 0o600)
        self.assertTrue(pathlib.Path("/etc/systemd/system/k3s.service").exists())
        server.back_up(BACKUP_HERE, self.operator, RESTORE)

    def test_31_a_bare_host_that_fails_is_bare_again(self):
        server.wipe()
        before = server.paths_of_a_server()
        false = ["--start-command", "/bin/true", "--stop-command", f"{BEDCTL} stop", "--status-command", f"{BEDCTL} status"]
        restore(self.run_id, "--execute", "--yes", "--ready-timeout", "2", keys=self.keys, service=false, check=1)
        self.assertEqual(server.paths_of_a_server(), before)
        restore(self.run_id, "--execute", "--yes", keys=self.keys, check=0)
        self.expect_as_in_backup()


if __name__ == "__main__":
    if not os.environ.get("RB_TEST_KUBECONFIG"):
        print("NOT RUN: RB_TEST_KUBECONFIG is not set: run this test inside a bed (tests/k3s/bed.sh)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
