#!/bin/bash
# Makes $RAILIANCE_CACHE/base/debian-bookworm-slim.tar: a minimal Debian 12 root file system from the
# distribution's own packages, for machines that reach no image registry. `docker import` of it
# stands in for debian:bookworm-slim. Does nothing when the file is there.
set -euo pipefail
. "$(dirname "$0")/common.sh"

target=$CACHE/base/debian-bookworm-slim.tar
if [ -f "$target" ]; then
  echo "$target"
  exit 0
fi
command -v mmdebstrap >/dev/null || die "mmdebstrap is not installed (run: make deps)"
mkdir -p "$CACHE/base"
say "Making a Debian 12 base image (about a minute)"
# As the published slim image: no documentation, no translations, no package lists.
mmdebstrap --quiet --format=tar --variant=minbase \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --aptopt='Acquire::Languages "none"' \
  --components=main \
  bookworm "$target.part" >&2
mv "$target.part" "$target"
echo "$target"
