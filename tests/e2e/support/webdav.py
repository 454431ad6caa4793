"""A real WebDAV server on the node's address, where pods reach it: rclone's, with a password."""

import pathlib
import secrets
import subprocess

from .bed import wait_for

NODE_ADDRESS, PORT = "172.31.99.1", 8765


class WebDav:
    """Its files lie below `files`, of the host and of the bed alike."""

    def __init__(self, bed, directory):
        self.bed = bed
        self.directory = pathlib.Path(directory)
        self.files = self.directory / "files"
        self.files.mkdir()
        self.pid_file = self.directory / "server.pid"
        self.user, self.password = "operator", "pass-" + secrets.token_hex(8)
        self.process = None

    def start(self):
        serve = (f"echo $$ >{self.pid_file}; exec /usr/bin/rclone serve webdav {self.files} --addr {NODE_ADDRESS}:{PORT} "
                 f"--user {self.user} --pass {self.password} --config /dev/null >>{self.directory}/server.log 2>&1")
        self.process = self.bed.start("sh", "-c", serve)
        wait_for("the WebDAV server", self.answers, 30)

    def answers(self):
        return self.bed.run("curl", "-so", "/dev/null", f"http://{NODE_ADDRESS}:{PORT}/", check=False).returncode == 0

    def stop(self):
        if self.process is not None:
            self.bed.run("kill", self.pid_file.read_text().strip(), check=False)
            self.process.communicate(timeout=30)
            self.process = None

    def rclone_config(self):
        """The text of an rclone.conf with the remote `nextcloud`."""
        obscured = subprocess.run(["/usr/bin/rclone", "obscure", self.password], check=True, capture_output=True, text=True,
                                  env={"RCLONE_CONFIG": "/dev/null"}).stdout.strip()
        return (f"[nextcloud]\ntype = webdav\nurl = http://{NODE_ADDRESS}:{PORT}/\nvendor = other\n"
                f"user = {self.user}\npass = {obscured}\n")
