"""Copies of a backup directory, each wrong in one way."""

import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kit"))
import server  # noqa: E402


class Sets:
    def __init__(self, backups, operator, run_id, other_run_id):
        self.backups, self.operator, self.run_id, self.other_run_id = backups, operator, run_id, other_run_id

    def other_keys(self):
        path = self.operator.home / "other-keys.txt"
        if not path.exists():
            server.run(server.tool("age-keygen"), "-o", path)
        return path

    def copy(self, name):
        path = self.operator.home / name
        shutil.copytree(self.backups, path)
        return path

    def with_flipped_bit(self):
        path = self.copy("flipped")
        file = path / f"etcd-{self.run_id}.snap.age"
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 4
        file.write_bytes(content)
        return path

    def with_swapped_snapshot(self):
        path = self.copy("swapped")
        shutil.copy(path / f"etcd-{self.other_run_id}.snap.age", path / f"etcd-{self.run_id}.snap.age")
        # The size is right, too: only the digest tells.
        size = (path / f"etcd-{self.run_id}.snap.age").stat().st_size
        self.edit(path, lambda manifest: self.artifact(manifest, "EtcdSnapshot").update(sizeBytes=size))
        return path

    def without_host_state(self):
        path = self.copy("stateless")
        (path / f"host-state-{self.run_id}.tar.gz.age").unlink()

        def edit(manifest):
            manifest["artifacts"].remove(self.artifact(manifest, "HostState"))
            manifest["missing"] = [{"type": "HostState", "reason": "HostStateMissing", "message": "for a test"}]
            manifest["complete"] = False
        self.edit(path, edit)
        for file in path.glob(f"*{self.other_run_id}*"):
            file.unlink()
        return path

    def with_changed_manifest(self):
        path = self.copy("changed")
        self.edit(path, lambda manifest: manifest.update(notCovered=["nothing"]))
        return path

    def planted(self):
        """All that somebody needs who has the public key: no signature, and a manifest that says nothing of one."""
        path = self.copy("planted")

        def edit(manifest):
            for field in ("signedBy", "previous", "catalogue"):
                manifest.pop(field, None)
        self.edit(path, edit)
        (path / f"manifest-{self.run_id}.json.minisig").unlink()
        return path

    def with_other_token(self):
        """The host state of another cluster, with a manifest that agrees with it."""
        path = self.copy("foreign")
        file = path / f"host-state-{self.run_id}.tar.gz.age"
        plain = subprocess.run([server.tool("age"), "-d", "-i", self.operator.keys, file], capture_output=True, check=True).stdout
        token_hash = hashlib.sha256(b"another").hexdigest()[:12]
        packed = self.repack(plain, token_hash)
        recipient = re.search(r"age1\w+", self.operator.sops.read_text()).group()
        sealed = subprocess.run([server.tool("age"), "-r", recipient], input=packed, capture_output=True, check=True).stdout
        file.write_bytes(sealed)

        def edit(manifest):
            self.artifact(manifest, "HostState").update(sizeBytes=len(sealed), sha256=hashlib.sha256(sealed).hexdigest())
            manifest["k3s"]["tokenHash"] = token_hash
        self.edit(path, edit)
        return path

    @staticmethod
    def repack(plain, token_hash):
        out = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(plain)) as old, tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as new:
            for member in old.getmembers():
                content = old.extractfile(member).read()
                if member.name.endswith("/server/token"):
                    content = b"another\n"
                if member.name == "host.json":
                    content = json.dumps(json.loads(content) | {"tokenHash": token_hash}).encode()
                member.size = len(content)
                member.pax_headers = {}
                new.addfile(member, io.BytesIO(content))
        return out.getvalue()

    def edit(self, path, change):
        file = path / f"manifest-{self.run_id}.json"
        manifest = json.loads(file.read_text())
        change(manifest)
        file.write_text(json.dumps(manifest))

    @staticmethod
    def artifact(manifest, kind):
        return next(one for one in manifest["artifacts"] if one["type"] == kind)
