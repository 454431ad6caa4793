#!/usr/bin/env bash
# image.sh [ARCH]: packs the bundle (bundle.sh) as a container image into $RAILIANCE_CACHE/image/image.tar, whose path
# it prints: `k3s ctr images import` and `docker load` take it. Does nothing when the bundle has not changed.
set -euo pipefail
. "$(dirname "$0")/common.sh"

arch=${1:-$NATIVE_ARCH}
suffix=$(suffix_of "$arch")
bundle=$("$ROOT/scripts/bundle.sh" "$arch")
made=$CACHE/image$suffix
mkdir -p "$made"
exec 9>"$made/lock"
flock 9

target=$made/image.tar
if [ ! -s "$target" ] || ! cmp -s "$CACHE/bundle$suffix/inputs" "$made/inputs"; then
  say "Packing the image $IMAGE for $arch"
  "$ROOT/bundle/pack.py" image "$IMAGE" "$target.part" "$(dirname "$bundle")" >"$made/size_bytes"
  mv "$target.part" "$target"
  cp "$CACHE/bundle$suffix/inputs" "$made/inputs"
  note "$target: $(($(stat -c %s "$target") / 1000000)) MB, unpacked $(($(cat "$made/size_bytes") / 1000000)) MB"
fi
echo "$target"
