#!/usr/bin/env bash
# tarball.sh [ARCH]: packs programs, image and manifests (package.sh) into a tarball for any Linux of that architecture, and
# prints its path: unpacked anywhere, railiance-backup/bin/railiance-backup runs, and installs on a k3s server.
set -euo pipefail
. "$(dirname "$0")/common.sh"

arch=${1:-$NATIVE_ARCH}
package=$("$ROOT/scripts/package.sh" "$arch")
target=$CACHE/bundle/railiance-backup-$VERSION-linux-$arch.tar.gz
mkdir -p "$CACHE/bundle"
"$ROOT/bundle/pack.py" tarball "$package" "$target.part" >/dev/null
mv "$target.part" "$target"
echo "$target"
