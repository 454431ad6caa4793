#!/bin/bash
# Packs the bundle (bundle.sh) into a tarball for any Linux of this architecture, and prints its path:
# unpacked anywhere, railiance-backup/bin/railiance-backup runs.
set -euo pipefail
. "$(dirname "$0")/common.sh"

bundle=$("$ROOT/scripts/bundle.sh")
target=$CACHE/bundle/railiance-backup-$VERSION-linux-$(uname -m).tar.gz
"$ROOT/bundle/pack.py" tarball "$bundle" "$target.part" >/dev/null
mv "$target.part" "$target"
echo "$target"
