#!/usr/bin/python3
"""pack.py image TAG[,TAG...] TARGET ROOT...: each directory ROOT as a container image of one layer; several, one for
       each architecture, are one image.
   pack.py digest ARCHIVE: the digest of such an image.
   pack.py tarball DIRECTORY TARGET: a directory as NAME.tar.gz.
   pack.py again ARCHIVE TARGET: a .tar.gz that somebody else packed, without times and owners.

The same files give the same bytes: names in order, owners 0, times 0. The image is written as an OCI layout; of one
architecture it has Docker's manifest.json, too, so `ctr images import`, `docker load`, podman and skopeo take it.
`image` and `tarball` print how many bytes the files have."""

import gzip
import hashlib
import io
import json
import pathlib
import struct
import sys
import tarfile

MACHINES = {62: "amd64", 183: "arm64"}  # e_machine of ELF
EPOCH = "1970-01-01T00:00:00Z"
CONFIG = {
    "User": "65532:65532",
    "Env": ["PATH=/railiance-backup/bin"],
    "Entrypoint": ["/railiance-backup/bin/railiance-backup"],
    "Labels": {
        "org.opencontainers.image.title": "railiance-backup",
        "org.opencontainers.image.description": "Encrypted, verified backups of a k3s cluster",
        "org.opencontainers.image.licenses": "Apache-2.0",
    },
}


def nameless(entry):
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def for_all(entry):
    entry.mode = 0o755
    return nameless(entry)


def packed(directory, prefix):
    """The tar archive of a directory, in memory: a bundle has some 60 MB."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        if prefix:  # else the umask of who unpacks it decides who gets in
            archive.add(directory, arcname=prefix.rstrip("/"), recursive=False, filter=for_all)
        for path in sorted(directory.rglob("*")):
            archive.add(path, arcname=prefix + path.relative_to(directory).as_posix(), recursive=False, filter=nameless)
    return buffer.getvalue()


def architecture(root):
    program = root / "railiance-backup/bin/railiance-restore"
    with program.open("rb") as file:
        return MACHINES[struct.unpack_from("<H", file.read(20), 18)[0]]


def full_name(tag):
    """As containerd knows an image that a pod asks for as `tag`."""
    return tag if "/" in tag else "docker.io/library/" + tag


class Layout:
    """The blobs of an image, and what names them."""

    def __init__(self):
        self.files = {}

    def blob(self, media_type, content):
        digest = hashlib.sha256(content).hexdigest()
        self.files["blobs/sha256/" + digest] = content
        return {"mediaType": "application/vnd.oci.image." + media_type, "digest": "sha256:" + digest, "size": len(content)}

    def json(self, name, value):
        self.files[name] = as_json(value)

    def write(self, target):
        with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
            for name, content in sorted(self.files.items()):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))


def as_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def path_of(descriptor):
    return "blobs/" + descriptor["digest"].replace(":", "/")


def add_image(layout, root):
    """The image of one architecture: the descriptors of manifest, configuration and layer, and the bytes of its files."""
    files = packed(root, "")
    platform = {"architecture": architecture(root), "os": "linux"}
    layer = layout.blob("layer.v1.tar+gzip", gzip.compress(files, 6, mtime=0))
    config = layout.blob("config.v1+json", as_json({
        **platform, "created": EPOCH, "config": CONFIG,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(files).hexdigest()]},
        "history": [{"created": EPOCH, "created_by": "bundle/pack.py"}]}))
    manifest = layout.blob("manifest.v1+json", as_json({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [layer]}))
    return {**manifest, "platform": platform}, config, layer, len(files)


def named(descriptor, tag):
    return {**descriptor, "annotations": {
        "io.containerd.image.name": full_name(tag), "org.opencontainers.image.ref.name": tag.rpartition(":")[2]}}


def image(tags, target, roots):
    layout = Layout()
    images = [add_image(layout, root) for root in roots]
    if len(images) == 1:
        top, config, layer, _ = images[0]
        layout.json("manifest.json", [{"Config": path_of(config), "RepoTags": tags, "Layers": [path_of(layer)]}])
    else:
        media_type = "application/vnd.oci.image.index.v1+json"
        top = layout.blob("index.v1+json", as_json({
            "schemaVersion": 2, "mediaType": media_type, "manifests": [manifest for manifest, *_ in images]}))
    layout.json("oci-layout", {"imageLayoutVersion": "1.0.0"})
    layout.json("index.json", {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [named(top, tag) for tag in tags]})
    layout.write(target)
    return sum(size for *_, size in images)


def digest(archive):
    with tarfile.open(archive) as layout:
        return json.load(layout.extractfile("index.json"))["manifests"][0]["digest"]


def tarball(directory, target):
    files = packed(directory, directory.name + "/")
    pathlib.Path(target).write_bytes(gzip.compress(files, 9, mtime=0))
    return len(files)


def again(archive, target):
    buffer = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as new:
        for entry in sorted(old.getmembers(), key=lambda entry: entry.name):
            entry.pax_headers = {}
            new.addfile(nameless(entry), old.extractfile(entry))
    pathlib.Path(target).write_bytes(gzip.compress(buffer.getvalue(), 9, mtime=0))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["image", tags, target, *roots] if roots:
            print(image(tags.split(","), target, [pathlib.Path(root) for root in roots]))
        case ["digest", archive]:
            print(digest(archive))
        case ["tarball", directory, target]:
            print(tarball(pathlib.Path(directory), target))
        case ["again", archive, target]:
            again(archive, target)
        case _:
            sys.exit(__doc__)
