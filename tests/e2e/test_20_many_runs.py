"""Several runs: queue, retention, schedule, deletion."""

from support import backups
from support.bed import BACKUP_DIR, NAMESPACE, wait_for


def test_two_requests_at_once_run_one_after_the_other(installed):
    for name in ("twin-a", "twin-b"):
        backups.start(installed, name)
    first, second = (backups.wait(installed, name) for name in ("twin-a", "twin-b"))
    assert [backups.condition(item)["status"] for item in (first, second)] == ["True", "True"]
    early, late = sorted((first["status"], second["status"]), key=lambda status: status["startTime"])
    assert early["completionTime"] <= late["startTime"]
    assert early["runID"] < late["runID"]


def test_nine_runs_leave_seven_sets(installed):
    made = [backups.succeeded(installed, f"nine-{number}")["status"]["runID"] for number in range(9)]
    assert installed.sets() == made[-7:]
    for prefix in ("etcd-", "helm-values-", "kubeconfig-", "host-state-"):
        assert len([name for name in installed.files() if name.startswith(prefix)]) == 7
    for suffix in (".json", ".json.minisig"):
        assert len([name for name in installed.files() if name.startswith("manifest-") and name.endswith(suffix)]) == 7
    assert made[-1] in backups.stamp(installed)


def test_deleting_a_cluster_backup_leaves_the_files(installed):
    before = installed.files()
    installed.kubectl("delete", "clusterbackup", "nine-8", "--timeout=30s")
    wait_for("the order to be collected", lambda: not [
        item for item in installed.get("nodebackups")["items"] if item["spec"]["clusterBackupName"] == "nine-8"])
    assert installed.files() == before


def test_a_run_of_one_artifact_stores_just_that_and_says_so(installed):
    backup = backups.succeeded(installed, "only-kubeconfig", artifacts=["Kubeconfig"])
    assert [item["type"] for item in backup["status"]["artifacts"]] == ["Kubeconfig"]
    assert backups.reason(backup, "SnapshotTaken") == "NotRequested"


def test_the_object_goes_after_its_time_and_the_files_stay(installed):
    backup = backups.succeeded(installed, "short-lived", ttlSecondsAfterFinished=4)
    wait_for("the ClusterBackup to go", lambda: installed.kubectl(
        "get", "clusterbackup", "short-lived", check=False).returncode != 0, 60)
    assert backup["status"]["runID"] in installed.sets()


def test_the_cron_job_makes_a_run(installed):
    cron = installed.get("cronjob", "railiance-backup", "-n", NAMESPACE)
    assert cron["spec"]["schedule"] == "0 2 * * *"
    assert cron["spec"]["timeZone"] == "Etc/UTC"
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    patch = '{"spec":{"schedule":"%s","suspend":%s}}'
    known = {item["metadata"]["name"] for item in installed.get("clusterbackups")["items"]}
    installed.kubectl("patch", "cronjob", "railiance-backup", "-n", NAMESPACE, "--type=merge", "-p", patch % ("* * * * *", "false"))
    try:
        new = wait_for("a scheduled ClusterBackup", lambda: {
            item["metadata"]["name"] for item in installed.get("clusterbackups")["items"]} - known, 100)
    finally:
        installed.kubectl("patch", "cronjob", "railiance-backup", "-n", NAMESPACE, "--type=merge", "-p", patch % ("0 2 * * *", "true"))
    backup = backups.wait(installed, new.pop())
    assert backups.condition(backup)["status"] == "True"
    wait_for("the Job to complete", lambda: [
        job for job in installed.get("jobs", "-n", NAMESPACE)["items"] if job.get("status", {}).get("succeeded") == 1], 60)


def test_the_directory_holds_nothing_unknown(installed):
    known = ("etcd-", "helm-values-", "kubeconfig-", "host-state-", "manifest-", ".last-backup", ".last-drill", ".last-restore",
             "backup.log", "railiance-restore", "RESTORE.md", "railiance-backup.pub", "railiance-backup-image.tar", ".disk-id")
    assert [name for name in installed.files() if not name.startswith(known)] == [], BACKUP_DIR
