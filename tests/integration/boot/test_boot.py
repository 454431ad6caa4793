"""drill --boot: a server booted from a set, beside the running cluster, which must not notice.

Runs inside a bed without node. Arguments: the program that makes a set here, and railiance-restore.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "kit"))
import server  # noqa: E402
import watch  # noqa: E402

BACKUP_HERE, RESTORE = (sys.argv + ["", ""])[1:3]

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.boot.test}
spec:
  group: boot.test
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


def config_maps(namespace, count):
    return "---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i}, namespace: {namespace}}}\ndata: {{a: 'x{i}'}}\n"
        for i in range(count))


class TestBoot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server.settled()
        cls.operator = server.Operator()
        cls.addClassCleanup(cls.operator.clean)
        server.kubectl("create", "namespace", "boot-test")
        server.kubectl("create", "-f", "-", input=config_maps("boot-test", 600))
        server.kubectl("-n", "boot-test", "create", "secret", "generic", "s", "--from-literal=word=hidden words")
        server.kubectl("create", "-f", "-", input=DEFINITION)
        server.kubectl("wait", "--for=condition=Established", "crd/widgets.boot.test", "--timeout=20s")
        server.kubectl("create", "-f", "-", input="".join(
            f"---\napiVersion: boot.test/v1\nkind: Widget\nmetadata: {{name: w{i}, namespace: boot-test}}\n"
            for i in range(30)))
        cls.run_id = server.back_up(BACKUP_HERE, cls.operator, RESTORE)
        # What comes later is not in the set.
        server.kubectl("-n", "boot-test", "create", "configmap", "later", "--from-literal=a=b")
        cls.before = server.objects()

    @classmethod
    def tearDownClass(cls):
        server.kubectl("delete", "namespace", "boot-test", "--wait=false", check=False)
        server.kubectl("delete", "crd", "widgets.boot.test", "--wait=false", check=False)

    def tearDown(self):
        self.assertEqual(watch.leftovers(), [])

    def drill(self, *arguments, check=True):
        return server.run(RESTORE, "drill", "--boot", "-i", self.operator.keys, *arguments, check=check)

    def test_1_a_set_is_proven_and_the_running_cluster_does_not_notice(self):
        started = server.run("/bin/cat", "/run/k3s/bed-server.pid").stdout
        token = (server.DATA / "server/token").read_text().strip()
        with watch.ApiWatch() as running:
            done = self.drill("--output", "json")
        self.assertEqual(running.failures, [])
        self.assertGreater(len(running.answers), 10)
        record = json.loads(done.stdout)
        self.assertEqual(record["runID"], self.run_id)
        self.assertEqual(record["boot"]["result"], "Passed")
        self.assertGreaterEqual(record["boot"]["objects"], 631)
        self.assertGreater(record["boot"]["peakMemoryBytes"], 50 << 20)
        stored = json.loads((server.BACKUPS / ".last-drill").read_text())
        self.assertEqual(stored["boot"]["objects"], record["boot"]["objects"])
        self.assertEqual(server.run("/bin/cat", "/run/k3s/bed-server.pid").stdout, started)
        self.assertEqual(server.objects(), self.before)
        self.assertNotIn(token.rsplit(":", 1)[1], done.stdout + done.stderr)
        self.assertNotIn("hidden words", done.stdout + done.stderr)
        print(f"  {record['boot']}, {len(running.answers)} polls, slowest {max(running.answers):.3f} s", file=sys.stderr)

    def test_2_another_scratch_directory(self):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as parent:
            done = self.drill("--scratch-dir", parent)
            self.assertIn("objects of", done.stderr)
            self.assertIn(parent, done.stderr)
            self.assertEqual(os.listdir(parent), [])

    def test_3_interrupted_nothing_is_left(self):
        for ending, step in ((signal.SIGINT, "restoring the snapshot"), (signal.SIGTERM, "starting it")):
            program = subprocess.Popen([RESTORE, "drill", "--boot", "-i", str(self.operator.keys)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            while step not in program.stderr.readline():
                self.assertIsNone(program.poll())
            time.sleep(0.5)
            program.send_signal(ending)
            said = program.communicate(timeout=30)[1]
            self.assertNotEqual(program.returncode, 0, said)
            self.assertIn("told to stop", said)
            self.assertEqual(watch.leftovers(), [])

    def test_4_killed_the_kernel_ends_the_server_and_the_next_drill_clears_up(self):
        program = subprocess.Popen([RESTORE, "drill", "--boot", "-i", str(self.operator.keys)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(5)
        program.kill()
        program.wait()
        time.sleep(1)
        self.assertEqual(watch.processes("railiance-boot-"), [])
        self.assertEqual(watch.processes("boot-namespace"), [])
        self.assertTrue(list(watch.SCRATCH_PARENT.glob("railiance-boot-*")))
        self.drill()

    @server.needs_standin
    def test_5_a_server_that_does_not_come_up_is_no_proof(self):
        broken = self.operator.home / "k3s"
        broken.write_text('#!/bin/sh\ncase "$*" in *cluster-reset*|kubectl*) ;; *) export K3S_STANDIN_FAULT='
                          '"${0##*/}" ;; esac\nexec /usr/local/bin/k3s "$@"\n')
        for fault, words in (("start-fails", "injected: the server does not start"), ("never-ready", "is not ready after")):
            program = self.operator.home / fault
            program.write_text(broken.read_text())
            program.chmod(0o755)
            # Long enough for a reset at the lowest priority beside other beds.
            done = self.drill("--k3s", program, "--timeout", "45", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
            record = json.loads((server.BACKUPS / ".last-drill").read_text())
            self.assertNotEqual(record["boot"]["result"], "Passed")
            self.assertEqual(watch.leftovers(), [])

    def test_6_no_program_and_no_room(self):
        done = self.drill("--k3s", "/nowhere/k3s", check=False)
        self.assertIn("/nowhere/k3s: no such program on this host", done.stderr)
        tiny = self.operator.home / "tiny"
        tiny.mkdir()
        server.run("/bin/mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", tiny)
        try:
            done = self.drill("--scratch-dir", tiny, check=False)
        finally:
            server.run("/bin/umount", tiny)
        self.assertIn("MiB free, a scratch server needs", done.stderr)
        self.assertNotEqual(done.returncode, 0)

    def test_7_a_k3s_that_is_too_old_is_not_tried(self):
        old = self.operator.home / "old-k3s"
        old.write_text('#!/bin/sh\necho "k3s version v1.33.7+k3s1 (abc)"\n')
        old.chmod(0o755)
        done = self.drill("--k3s", old, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("etcd 3.5 of this k3s does not start on them", done.stderr)
        self.assertIn("name another k3s with --k3s, or install", done.stderr)


class TestEncrypted(unittest.TestCase):
    """A cluster whose Secrets are encrypted in etcd: the scratch server decrypts them with the keys that the
    snapshot holds."""

    def test_a_set_is_proven(self):
        operator = server.Operator()
        self.addCleanup(operator.clean)
        with server.another_cluster("secrets-encryption: true"):
            for number in range(20):
                server.kubectl("create", "secret", "generic", f"s{number}", "--from-literal=word=hidden words")
            run_id = server.back_up(BACKUP_HERE, operator, RESTORE)
            done = server.run(RESTORE, "drill", "--boot", "-i", operator.keys, "--output", "json")
        record = json.loads(done.stdout)
        self.assertEqual((record["runID"], record["boot"]["result"]), (run_id, "Passed"))
        self.assertEqual(watch.leftovers(), [])
        self.assertNotIn("hidden words", done.stdout + done.stderr)


if __name__ == "__main__":
    if not os.environ.get("RB_TEST_KUBECONFIG"):
        print("NOT RUN: RB_TEST_KUBECONFIG is not set: run this test inside a bed (tests/k3s/bed.sh)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
