#!/usr/bin/python3
"""image.py ARCHIVE ARCHITECTURE... NAME...: every blob of the archive is what its name says, the image is for these
architectures (words without a colon), has these names, and its layers unpack to the programs."""

import gzip
import hashlib
import io
import json
import sys
import tarfile

archive, *words = sys.argv[1:]
names = {word for word in words if ":" in word}
blobs = {}
with tarfile.open(archive) as layout:
    for entry in layout:
        content = layout.extractfile(entry).read()
        if entry.name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == entry.name.rpartition("/")[2], entry.name
        blobs[entry.name] = content


def blob(descriptor):
    content = blobs["blobs/" + descriptor["digest"].replace(":", "/")]
    assert len(content) == descriptor["size"], descriptor
    return content


top = json.loads(blobs["index.json"])["manifests"]
assert {one["annotations"]["io.containerd.image.name"] for one in top} == {"docker.io/library/" + name for name in names}, top
assert len({one["digest"] for one in top}) == 1, "several images"
manifests = [top[0]] if top[0]["mediaType"].endswith("manifest.v1+json") else json.loads(blob(top[0]))["manifests"]
if len(manifests) == 1:
    assert set(json.loads(blobs["manifest.json"])[0]["RepoTags"]) == names
architectures = []
for descriptor in manifests:
    manifest = json.loads(blob(descriptor))
    config = json.loads(blob(manifest["config"]))
    assert descriptor["platform"]["architecture"] == config["architecture"]
    architectures.append(config["architecture"])
    for layer, expected in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        files = gzip.decompress(blob(layer))
        assert "sha256:" + hashlib.sha256(files).hexdigest() == expected
        entries = {entry.name: entry for entry in tarfile.open(fileobj=io.BytesIO(files))}
        assert "railiance-backup/libexec/railiance-backup-agent" in entries
        assert not any(entry.uid or entry.gid or entry.mtime for entry in entries.values()), "an owner or a time"
assert sorted(architectures) == sorted(word for word in words if ":" not in word), architectures
