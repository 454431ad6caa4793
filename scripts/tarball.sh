#!/bin/bash
# tarball.sh [ARCH]: packs the bundle (bundle.sh) into a tarball for any Linux of that architecture, and prints its path:
# unpacked anywhere, railiance-backup/bin/railiance-backup runs.
set -euo pipefail
. "$(dirname "$0")/common.sh"

arch=${1:-$NATIVE_ARCH}
bundle=$("$ROOT/scripts/bundle.sh" "$arch")
target=$CACHE/bundle/railiance-backup-$VERSION-linux-$arch.tar.gz
mkdir -p "$CACHE/bundle"
"$ROOT/bundle/pack.py" tarball "$bundle" "$target.part" >/dev/null
mv "$target.part" "$target"
echo "$target"
