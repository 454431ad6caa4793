#!/usr/bin/python3
"""The host's timer: what drill-timer.sh installs is valid to systemd, hardened, and has the paths of
the host; what cannot be a unit is refused. Nothing of this host is touched."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts/drill-timer.sh"
# systemd's own score, times ten: 20 is "OK" and better (systemd-analyze(1), "security").
EXPOSURE_LIMIT = 20


def run(*argv, check=True, path="/usr/bin:/bin"):
    environment = {"PATH": path, "HOME": "/root"}
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=60)
    if check and done.returncode != 0:
        sys.exit(f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def main():
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        key = root / "keys.txt"
        key.write_text("# not a key\n")
        install = [str(SCRIPT), "--root", directory, "--key", str(key), "--backup-dir", "/srv/backups"]
        warned = run(*install)
        assert "warning: there is no directory /srv/backups" in warned.stderr, warned
        units = root / "etc/systemd/system"
        service = (units / "railiance-drill.service").read_text()
        assert f"LoadCredential=keys.txt:{key}\n" in service
        assert "ReadWritePaths=/srv/backups\n" in service
        assert "RequiresMountsFor=/srv/backups\n" in service  # a disk of USB or NFS comes late after a boot
        assert "drill --backup-dir /srv/backups -i ${CREDENTIALS_DIRECTORY}/keys.txt\n" in service
        assert "/opt/backup" not in service and "/root" not in service
        assert "OnCalendar=*-*-* 05:30:00\n" in (units / "railiance-drill.timer").read_text()

        for bad in (["--key", str(root / "no-keys.txt")], ["--key", directory], ["--key", "keys.txt"], ["--backup-dir", "/a b"],
                    ["--backup-dir", "/a|b"]):
            refused = run(*install, *bad, check=False)
            assert refused.returncode == 1 and "hint: " in refused.stderr, (bad, refused)
        assert run(str(SCRIPT), "--what", check=False).returncode == 2

        # On the server that makes the backups no key is asked for, none is taken unasked, and what runs is verify.
        server = root / "server"
        (server / "var/lib/railiance-backup").mkdir(parents=True)
        (server / "var/lib/railiance-backup/signing.key").write_text("")
        on_server = [str(SCRIPT), "--root", str(server), "--backup-dir", "/srv/backups"]
        refused = run(*on_server, "--key", str(key), check=False)
        assert refused.returncode == 1 and "does not belong on it" in refused.stderr, refused
        assert not (server / "etc").exists()
        run(*on_server)
        there = server / "etc/systemd/system"
        assert sorted(path.name for path in there.iterdir()) == ["railiance-verify.service", "railiance-verify.timer"]
        keyless = (there / "railiance-verify.service").read_text()
        assert "railiance-restore verify --all --record --backup-dir /srv/backups\n" in keyless
        assert "RequiresMountsFor=/srv/backups\n" in keyless
        assert "ReadWritePaths=/srv/backups\n" in keyless and "/opt/backup" not in keyless
        assert "keys.txt" not in keyless and "Credential" not in keyless
        # Where nobody says which sets, they are those of the agent.
        (server / "var/lib/railiance-backup/backup-directory").write_text("/mnt/usb/backups\n")
        run(*on_server[:-2])
        noted = (there / "railiance-verify.service").read_text()
        assert "verify --all --record --backup-dir /mnt/usb/backups\n" in noted and "/opt/backup" not in noted
        run(*on_server, "--remove")
        assert not list(there.iterdir())
        run(*on_server, "--key", str(key), "--key-on-this-server")
        assert "LoadCredential=" in (there / "railiance-drill.service").read_text()

        # A copy in somebody's home, which is theirs: the unit sees it, nothing else there, and may read it.
        copy = root / "home/alice/backups"
        copy.mkdir(parents=True)
        os.chown(copy, 1000, 1000)
        at_home = [*install[:-1], "/home/alice/backups"]
        assert "warning" not in run(*at_home).stderr
        private = (units / "railiance-drill.service").read_text().splitlines()
        for line in ("ProtectHome=tmpfs", "BindPaths=/home/alice/backups", "ReadWritePaths=/home/alice/backups", "User=1000"):
            assert line in private, (line, private)
        assert "ProtectHome=yes" not in private and "User=root" not in private

        # A systemd that has no credentials gets the path of the key; one that knows too little refuses.
        old = root / "old"
        old.mkdir()
        (old / "systemctl").write_text("#!/bin/sh\necho 'systemd 239 (239-82.el8)'\n")
        (old / "systemctl").chmod(0o755)
        run(*install, path=f"{old}:/usr/bin:/bin")
        direct = (units / "railiance-drill.service").read_text()
        assert f"drill --backup-dir /srv/backups -i {key}\n" in direct and "redential=" not in direct and "CREDENTIALS" not in direct
        refused = run(*at_home, check=False, path=f"{old}:/usr/bin:/bin")
        assert refused.returncode == 1 and "nobody but its owner" in refused.stderr, refused
        (old / "systemctl").write_text("#!/bin/sh\necho 'systemd 237'\n")
        refused = run(*install, check=False, path=f"{old}:/usr/bin:/bin")
        assert refused.returncode == 1 and "crontab -e, and the line: 30 5 * * * /usr/local/bin/railiance-restore verify" in refused.stderr, refused
        assert "--backup-dir /srv/backups" in refused.stderr, refused

        # Without systemd (Alpine, Void): a line that root's crontab takes, with the directory.
        tools = root / "tools"
        tools.mkdir()
        for tool in ("sh", "dirname"):
            (tools / tool).symlink_to(shutil.which(tool))
        refused = run(str(SCRIPT), "--backup-dir", "/srv/backups", check=False, path=str(tools))
        assert refused.returncode == 1 and "30 5 * * * /" in refused.stderr and "* root " not in refused.stderr, refused

        # Nobody types a passphrase at night.
        locked = root / "locked.txt"
        for text in ("age-encryption.org/v1\n-> scrypt", "-----BEGIN AGE ENCRYPTED FILE-----\n"):
            locked.write_text(text)
            refused = run(*install, "--key", str(locked), check=False)
            assert refused.returncode == 1 and "passphrase" in refused.stderr, refused

        if not shutil.which("systemd-analyze"):
            sys.exit("systemd-analyze is not installed; run: sudo make deps")
        # The program need not be installed where the tests run.
        program = root / "railiance-restore"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        path = units / "railiance-drill.service"
        path.write_text("\n".join(private).replace("/usr/local/bin/railiance-restore", str(program)) + "\n")
        run("systemd-analyze", "verify", "--man=no", str(path))
        path.write_text(service.replace("/usr/local/bin/railiance-restore", str(program)))
        verified = run("systemd-analyze", "verify", "--man=no", str(path), str(units / "railiance-drill.timer"))
        assert "railiance-drill" not in verified.stderr, verified.stderr
        score = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_LIMIT}",
                    "--no-pager", str(path), check=False)
        print(score.stdout.strip().splitlines()[-1])
        assert score.returncode == 0, score.stdout + score.stderr

        run(*install, "--remove")
        assert not list(units.iterdir())


if __name__ == "__main__":
    os.umask(0o022)
    main()
