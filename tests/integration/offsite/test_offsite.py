"""New sets go to a real WebDAV server, are read back, and come back from there."""
import json
import os
import stat
import subprocess

from dav import PASSWORD
from world import condition, eventually


def test_a_new_set_is_copied_verified_and_told_and_comes_back(world, dav, root):
    world.start_offsite()
    run_id = world.add_set()
    message = world.replicated(run_id, "True", "Completed")["message"]
    assert "nextcloud:backups/cluster" in message and "read back" in message
    assert condition(world.backup(run_id), "Succeeded")["status"] == "True"
    assert world.remote(run_id) == world.local(run_id)
    # Whoever finds a manifest there finds a whole set.
    assert dav.puts()[-1] == f"manifest-{run_id}.json" and len(dav.puts()) == 5
    assert stat.S_IMODE(world.state.stat().st_mode) == 0o600
    assert set(os.listdir(world.backups)) == set(world.local(run_id))  # nothing was written there

    listed = world.restore_remote("list", "--output", "json")
    assert listed.returncode == 0, listed.stderr
    sets = json.loads(listed.stdout)
    assert sets["directory"] == "nextcloud:backups/cluster"
    assert [(s["runID"], s["state"]) for s in sets["sets"]] == [(run_id, "complete")]
    to = root / "bare-machine"
    fetched = world.fetch("latest", "--to", str(to))
    assert fetched.returncode == 0, fetched.stderr
    assert {path.name: path.read_bytes() for path in to.iterdir()} == world.local(run_id)
    assert stat.S_IMODE(to.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in to.iterdir())
    verified = world.restore("--backup-dir", str(to), "verify", "latest", "--allow-unsigned")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    again = world.fetch(run_id, "--to", str(to), "--output", "json")
    assert again.returncode == 0 and len(json.loads(again.stdout)["alreadyThere"]) == 5


def test_incomplete_sets_stay_here(world, dav):
    world.start_offsite()
    incomplete = world.add_set(complete=False)
    world.replicated(world.add_set(), "True", "Completed")
    assert world.remote(incomplete) == {}
    assert condition(world.backup(incomplete), "Replicated") is None


def test_a_server_that_is_away_is_tried_until_it_is_back(world, dav):
    dav.stop()
    world.start_offsite()
    run_id = world.add_set()
    failed = world.replicated(run_id, "False", "RemoteUnreachable")
    assert "connection refused" in failed["message"]
    assert condition(world.backup(run_id), "Succeeded")["status"] == "True"
    assert world.restore_remote("list").returncode == 8
    dav.start()
    world.replicated(run_id, "True", "Completed", seconds=90)


def test_a_server_that_answers_5xx_is_tried_again(world, dav):
    dav.stop()
    dav.start("RedirectMatch 503 .*")
    world.start_offsite()
    run_id = world.add_set()
    assert "503" in world.replicated(run_id, "False", "RemoteUnreachable")["message"]
    dav.stop()
    dav.start()
    world.replicated(run_id, "True", "Completed", seconds=90)


def test_a_wrong_password_is_named_and_never_told(world, dav):
    obscured = dav.rclone_config(world.config, password="wrong-" + PASSWORD)
    world.start_offsite()
    run_id = world.add_set()
    failed = world.replicated(run_id, "False", "RemoteDenied")
    assert "401" in failed["message"] and "rclone.conf" in failed["message"]
    world.obscured = dav.rclone_config(world.config)
    world.replicated(run_id, "True", "Completed", seconds=90)
    everything = world.log() + json.dumps(world.backup(run_id)) + \
        world.state.read_text()
    for secret in (PASSWORD, obscured, world.obscured):
        assert secret not in everything


def test_no_secret_is_in_arguments_or_environment(world, dav):
    seen = world.root / "seen"
    spy = world.script("spy", f'{{ printf "%s\\n" "$@"; env; }} >>{seen}\nexec /usr/bin/rclone "$@"')
    world.start_offsite(rclone=spy)
    world.replicated(world.add_set(), "True", "Completed")
    text = seen.read_text()
    assert "RCLONE_CONFIG=" in text and "nextcloud:backups/cluster" in text
    assert PASSWORD not in text and world.obscured not in text


def test_a_remote_that_is_not_configured_is_named(world):
    world.config.write_text("[other]\ntype = memory\n")
    world.start_offsite()
    failed = world.replicated(world.add_set(), "False", "RemoteFailed")
    assert "didn't find section in config file" in failed["message"]


def test_a_full_remote_is_named_and_holds_no_manifest(world, dav):
    # Room for the first artifacts only.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=0777", "tmpfs", str(dav.files)],
                   check=True)
    try:
        world.start_offsite()
        run_id = world.add_set(size=100_000)
        world.replicated(run_id, "False", "RemoteFull")
        assert f"manifest-{run_id}.json" not in dav.names()
        assert condition(world.backup(run_id), "Succeeded")["status"] == "True"
        subprocess.run(["mount", "-o", "remount,size=8m", str(dav.files)], check=True)
        world.replicated(run_id, "True", "Completed", seconds=90)
        assert world.remote(run_id) == world.local(run_id)
    finally:
        dav.stop()
        subprocess.run(["umount", "-l", str(dav.files)], check=True)


def test_a_copy_that_is_damaged_over_there_is_noticed_and_sent_again(world, dav):
    # As long as the disk over there is bad, a bit is lost of what arrives.
    bad_disk = world.root / "bad-disk"
    bad_disk.touch()
    hurt = world.script("hurt", f"""
/usr/bin/rclone "$@" || exit
case "$1 $4" in "copyto nextcloud:"*"kubeconfig-"*)
  [ -e {bad_disk} ] || exit 0
  printf X | dd of={dav.folder}/"${{4##*/}}" bs=1 seek=100 conv=notrunc 2>/dev/null;;
esac""")
    world.start_offsite(rclone=hurt)
    run_id = world.add_set()
    failed = world.replicated(run_id, "False", "VerificationFailed")
    assert f"kubeconfig-{run_id}.yaml.age" in failed["message"] and "SHA-256" in failed["message"]
    assert f"manifest-{run_id}.json" not in dav.names()
    bad_disk.unlink()
    world.replicated(run_id, "True", "Completed", seconds=90)
    assert world.remote(run_id) == world.local(run_id)


def test_a_file_that_is_damaged_here_is_called_so(world):
    run_id = world.add_set()
    path = world.backups / f"kubeconfig-{run_id}.yaml.age"
    content = bytearray(path.read_bytes())
    content[3000] ^= 1
    path.write_bytes(content)
    world.start_offsite()
    failed = world.replicated(run_id, "False", "VerificationFailed")
    assert "damaged on this disk" in failed["message"]


def test_what_is_cut_or_removed_over_there_is_sent_again(world, dav):
    world.start_offsite("--offsite-compare-seconds", "2")
    run_id = world.add_set()
    world.replicated(run_id, "True", "Completed")
    os.truncate(dav.folder / f"etcd-{run_id}.snap.age", 100)
    listed = world.restore_remote("list")
    assert "damaged" in listed.stdout
    (dav.folder / f"host-state-{run_id}.tar.gz.age").unlink()
    assert eventually(lambda: world.remote(run_id) == world.local(run_id), 60)


def test_a_restart_sends_nothing_twice(world, dav):
    process = world.start_offsite()
    first = world.add_set()
    world.replicated(first, "True", "Completed")
    world.stop(process)
    sent = dav.puts()
    world.start_offsite()
    second = world.add_set()
    world.replicated(second, "True", "Completed")
    assert dav.puts()[:len(sent)] == sent
    assert not [name for name in dav.puts()[len(sent):] if first in name]
    # Without its memory it compares, and sends nothing either.
    world.stop(world.processes[-1])
    world.state.unlink()
    sent = dav.puts()
    world.start_offsite()
    assert eventually(world.state.exists, 30)
    eventually(lambda: first in world.state.read_text(), 30)
    assert dav.puts() == sent


def test_the_remote_keeps_all_unless_told(world, dav):
    process = world.start_offsite()
    runs = [world.add_set() for _ in range(3)]
    for run_id in runs:
        world.replicated(run_id, "True", "Completed")
    world.stop(process)
    # Retention on the node took two of them.
    for path in list(world.backups.iterdir()):
        if runs[0] in path.name or runs[1] in path.name:
            path.unlink()
    assert len(world.remote(runs[0])) == 5
    world.start_offsite("--offsite-keep-last", "2", "--offsite-compare-seconds", "1")
    assert eventually(lambda: not world.remote(runs[0]), 40)
    assert len(world.remote(runs[1])) == 5 and len(world.remote(runs[2])) == 5


def test_the_kit_goes_along_as_far_as_the_host_signed_it(world, dav):
    world.put_signed("RESTORE.md", b"how to\n")
    world.put_signed("railiance-restore", b"program")
    (world.backups / "railiance-restore").write_bytes(b"somebody else's")
    unsigned = world.add_set()
    world.start_offsite()
    signed = world.add_set(signed=True)
    world.replicated(signed, "True", "Completed")
    assert eventually(lambda: {"RESTORE.md", "RESTORE.md.minisig"} <= set(dav.names()), 30)
    assert not world.remote(unsigned)  # nor is a set that the known key does not vouch for
    assert eventually(lambda: "railiance-restore: not copied" in world.log(), 20)
    assert "railiance-restore" not in dav.names()


def test_fetch_notices_what_rotted_over_there(world, dav, root):
    world.start_offsite()
    run_id = world.add_set()
    world.replicated(run_id, "True", "Completed")
    path = dav.folder / f"etcd-{run_id}.snap.age"
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    to = root / "bare-machine"
    fetched = world.fetch(run_id, "--to", str(to))
    assert fetched.returncode == 6 and "SHA-256 differs" in fetched.stderr
    assert not [name for name in os.listdir(to) if not name.endswith(".age") or "etcd" in name]


def test_what_rots_over_there_without_changing_its_size_is_noticed_and_sent_again(world, dav):
    world.start_offsite("--offsite-reread-seconds", "2", retry=6)
    runs = [world.add_set(), world.add_set()]
    for run_id in runs:
        world.replicated(run_id, "True", "Completed")
    path = dav.folder / f"etcd-{runs[0]}.snap.age"
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    failed = world.replicated(runs[0], "False", "VerificationFailed")
    assert f"etcd-{runs[0]}.snap.age: damaged since it was copied" in failed["message"]
    # The other one is what it was, and so is the backup.
    assert condition(world.backup(runs[1]), "Replicated")["status"] == "True"
    assert condition(world.backup(runs[0]), "Succeeded")["status"] == "True"
    sent = dav.puts()
    world.replicated(runs[0], "True", "Completed")
    assert world.remote(runs[0]) == world.local(runs[0])
    assert dav.puts()[len(sent):] == [path.name]


def test_fetch_latest_passes_over_a_set_whose_proof_failed(world, root):
    world.start_offsite()
    good = world.add_set(proof="Completed")
    failed = world.add_set(proof="ProofFailed")
    for run_id in (good, failed):  # it may be the only one: it is copied as all others are
        world.replicated(run_id, "True", "Completed")
    fetched = world.fetch("latest", "--to", str(root / "to"), "--output", "json")
    assert fetched.returncode == 0, fetched.stderr
    assert f"passing over {failed}: its proof failed: for a test" in fetched.stderr
    told = json.loads(fetched.stdout)
    assert told["runID"] == good and [one["runID"] for one in told["passedOver"]] == [failed]
    named = world.fetch(failed, "--to", str(root / "to"))
    assert named.returncode == 0 and "was to be proven, and is not" in named.stderr


def test_fetch_says_what_is_not_there(world, root):
    missing = world.restore_remote("fetch", "20200101T000000Z", "--to", str(root / "to"))
    assert missing.returncode == 4 and "no set 20200101T000000Z" in missing.stderr
    assert world.restore_remote("list").returncode == 4
    spelled = world.restore("fetch", "latest", "--remote", ":webdav,pass=x:y")
    assert spelled.returncode == 2 and "NAME:PATH" in spelled.stderr
    no_rclone = world.restore("list", "--remote", "a:b", "--rclone", "/nonexistent/rclone")
    assert no_rclone.returncode == 1 and "install rclone" in no_rclone.stderr
