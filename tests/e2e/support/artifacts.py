"""Opens artifacts with stock `age`, as somebody who has never heard of this project would."""

import io
import os
import pathlib
import subprocess
import tarfile

TOOLS = pathlib.Path(os.environ["RB_TOOLS_BIN"])


def decrypt(encrypted, identity_file):
    """The plaintext of `encrypted` (bytes), by `age -d -i`."""
    done = subprocess.run([TOOLS / "age", "-d", "-i", identity_file], input=encrypted, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def untar(archive):
    """{path: content} of a tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers() if member.isfile()}


def file_of(backup, kind):
    """The entry of status.artifacts with that type."""
    return next(item for item in backup["status"]["artifacts"] if item["type"] == kind)


def open_artifact(bed, backup, kind, identity_file, directory="/opt/backup/railiance/cluster"):
    return decrypt(bed.read(f"{directory}/{file_of(backup, kind)['fileName']}"), identity_file)
