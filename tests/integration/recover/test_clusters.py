"""`railiance-restore restore` of clusters that are not as usual: in the place of another one, with encrypted
Secrets, in a data directory of their own.

Runs inside a bed without node. Arguments: the program that makes a set here, and railiance-restore.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kit"))
import server  # noqa: E402

BACKUP_HERE, RESTORE = (sys.argv + ["", ""])[1:3]
BEDCTL = "/usr/local/bin/bedctl"
SERVICE = ["--start-command", f"{BEDCTL} start", "--stop-command", f"{BEDCTL} stop", "--status-command", f"{BEDCTL} status"]
CA = server.DATA / "server/tls/server-ca.crt"


def secret():
    done = server.kubectl("get", "secret", "s", "-o", "jsonpath={.data.word}", check=False)
    return done.stdout if done.returncode == 0 else None


class TestClusters(unittest.TestCase):
    def setUp(self):
        self.operator = server.Operator()
        self.addCleanup(self.operator.clean)

    def words(self, *arguments):
        words = RESTORE, "restore", *arguments, "--backup-dir", server.BACKUPS, *SERVICE, "-i", self.operator.keys
        return [str(word) for word in words]

    def restore(self, *arguments, code=0):
        done = server.run(*self.words(*arguments), check=False, cwd="/",
                          env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def killed_at(self, step, *arguments):
        with subprocess.Popen(self.words(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True) as process:
            for line in process.stderr:
                if line.startswith(f"step: {step}"):
                    process.send_signal(signal.SIGKILL)
                    return
        self.fail(f"{step}: never came")

    def make_secret(self, word):
        server.kubectl("create", "secret", "generic", "s", f"--from-literal=word={word}")
        return secret()

    def test_1_in_the_place_of_another_cluster_and_back(self):
        with server.another_cluster():
            first = self.make_secret("first")
            first_ca = server.digest(CA)
            server.back_up(BACKUP_HERE, self.operator, RESTORE)
            server.run(BEDCTL, "stop")
            shutil.rmtree(server.DATA)
            server.run(BEDCTL, "start")
            server.wait_until_ready()
            second = self.make_secret("second")
            second_ca = server.digest(CA)
            self.assertNotEqual(first_ca, second_ca)

            said = self.restore("latest", "--execute", "--yes", code=1)
            self.assertIn("this host has another cluster", said)
            self.assertIn("--replace-cluster", said)
            self.assertEqual((secret(), server.digest(CA)), (second, second_ca))

            self.restore("latest", "--execute", "--yes", "--replace-cluster")
            self.assertEqual((secret(), server.digest(CA)), (first, first_ca))
            self.restore("--rollback", "--yes")
            self.assertEqual((secret(), server.digest(CA)), (second, second_ca))

    def test_2_with_encrypted_secrets(self):
        with server.another_cluster("secrets-encryption: true"):
            word = self.make_secret("hidden")
            server.back_up(BACKUP_HERE, self.operator, RESTORE)
            server.kubectl("delete", "secret", "s")
            self.assertIn("secrets-encryption: on, and carried over", self.restore("latest", "--dry-run"))
            self.restore("latest", "--execute", "--yes")
            self.assertEqual(secret(), word)

            server.wipe()
            self.restore("latest", "--execute", "--yes")
            self.assertEqual(secret(), word)

            # A configuration that has lost it: the server could not read its Secrets.
            config = pathlib.Path("/etc/rancher/k3s/config.yaml")
            config.write_text(config.read_text().replace("secrets-encryption: true\n", ""))
            self.assertIn("Secrets were encrypted at the backup", self.restore("latest", "--execute", "--yes", code=1))

    def test_3_a_data_directory_that_only_the_set_names(self):
        data = server.DATA.with_name("elsewhere")
        self.addCleanup(shutil.rmtree, data, ignore_errors=True)
        place = server.DATA.with_name("railiance-restore.place")
        self.addCleanup(place.unlink, missing_ok=True)
        with server.another_cluster(f"data-dir: {data}"):
            word = self.make_secret("elsewhere")
            server.back_up(BACKUP_HERE, self.operator, RESTORE, data)
            server.wipe()
            self.assertIn("no restore was cut off here", self.restore("--resume", code=4))
            self.killed_at("save-state", "latest", "--execute", "--yes")
            self.assertEqual(server.mode_of(place), 0o600)
            self.restore("--rollback", "--yes")
            self.assertFalse((data / "server/token").exists())

            self.killed_at("put-back", "latest", "--execute", "--yes")
            self.assertIn("continuing the restore", self.restore("--resume"))
            self.assertEqual(secret(), word)
            self.assertTrue((data / "server/token").exists())
            self.assertFalse((server.DATA / "server").exists())


if __name__ == "__main__":
    if not os.environ.get("RB_TEST_KUBECONFIG"):
        print("NOT RUN: RB_TEST_KUBECONFIG is not set: run this test inside a bed (tests/k3s/bed.sh)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
