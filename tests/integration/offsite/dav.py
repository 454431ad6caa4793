"""A real WebDAV server on loopback: Apache's mod_dav, with a password."""
import os
import pathlib
import shutil
import socket
import subprocess
import time

MODULES = pathlib.Path("/usr/lib/apache2/modules")
USER, PASSWORD = "operator", "s3cret-of-the-remote"

CONFIG = """
ServerRoot {root}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {root}/httpd.pid
ErrorLog {root}/error.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authn_file_module {modules}/mod_authn_file.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_basic_module {modules}/mod_auth_basic.so
LoadModule dav_module {modules}/mod_dav.so
LoadModule dav_fs_module {modules}/mod_dav_fs.so
LogFormat "%m %U %>s" short
CustomLog {root}/access.log short
User www-data
Group www-data
DavLockDB {root}/lock/db
DocumentRoot {files}
{extra}
<Directory {files}>
  Dav On
  AuthType Basic
  AuthName off-site
  AuthUserFile {root}/users
  Require valid-user
</Directory>
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Dav:
    """Its files lie in `files`; `folder` is the directory that the remote names."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = self.root / "files"
        self.folder = self.files / "backups" / "cluster"
        self.port = free_port()
        self.process = None
        (self.root / "lock").mkdir(parents=True)
        self.files.mkdir()
        digest = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], check=True,
                                capture_output=True, text=True).stdout.strip()
        (self.root / "users").write_text(f"{USER}:{digest}\n")
        for path in (self.root / "lock", self.files):
            shutil.chown(path, "www-data", "www-data")
        self.root.chmod(0o755)

    def start(self, extra=""):
        text = CONFIG.format(root=self.root, port=self.port, modules=MODULES, files=self.files,
                             extra=extra)
        (self.root / "httpd.conf").write_text(text)
        self.process = subprocess.Popen(
            ["apache2", "-f", str(self.root / "httpd.conf"), "-DFOREGROUND"])
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("apache2 did not start: " + (self.root / "error.log").read_text())

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def puts(self):
        """Names of the files that were sent and taken, in order."""
        log = self.root / "access.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [os.path.basename(path) for method, path, status in map(str.split, lines)
                if method == "PUT" and status in ("201", "204")]

    def names(self):
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    def rclone_config(self, path, password=PASSWORD):
        """Writes an rclone.conf with the remote `nextcloud`; returns the obscured password."""
        obscured = subprocess.run(["rclone", "obscure", password], check=True, capture_output=True,
                                  text=True, env={"RCLONE_CONFIG": "/nonexistent/rclone.conf"}).stdout.strip()
        pathlib.Path(path).write_text(
            f"[nextcloud]\ntype = webdav\nurl = http://127.0.0.1:{self.port}/\nvendor = other\n"
            f"user = {USER}\npass = {obscured}\n")
        os.chmod(path, 0o600)
        return obscured
