#!/usr/bin/env bash
# package.sh [ARCH]: lays out what an installation without a network needs, below $RAILIANCE_CACHE/package, and prints that
# directory: the bundle (bundle.sh), and in its share/ the archive of the image and the manifests that ask for it by a
# name that holds its digest (cli/install/package.hpp). What a release has is laid out by the same lay-out.sh.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/lay-out.sh"

arch=${1:-$NATIVE_ARCH}
suffix=$(suffix_of "$arch")
bundle=$("$ROOT/scripts/bundle.sh" "$arch")
made=$CACHE/package$suffix
mkdir -p "$made"
exec 9>"$made/lock"
flock 9

target=$made/railiance-backup
inputs="$(cat "$CACHE/bundle$suffix/inputs") $(digest_of deploy/railiance-backup.yaml bundle/pack.py scripts/package.sh scripts/lay-out.sh packaging/documents.sh README.md SECURITY.md docs)"
if [ ! -d "$target" ] || [ "$(cat "$made/inputs" 2>/dev/null)" != "$inputs" ]; then
  image=$("$ROOT/scripts/image.sh" "$arch")
  unique=$(unique_name "$image")
  "$ROOT/bundle/pack.py" image "$IMAGE,$unique" "$made/image.tar" "$(dirname "$bundle")" >/dev/null
  manifests_of "$unique" >"$made/railiance-backup.yaml"
  rm -rf "$target.new"
  lay_out "$target.new" "$bundle" "$made/image.tar" "$made/railiance-backup.yaml"
  rm -rf "$target"
  mv "$target.new" "$target"
  rm "$made/image.tar" "$made/railiance-backup.yaml"
  printf '%s\n' "$inputs" >"$made/inputs"
fi
echo "$target"
