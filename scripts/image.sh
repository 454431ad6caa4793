#!/bin/bash
# Packs the bundle (bundle.sh) as a container image into $RAILIANCE_CACHE/image/image.tar, whose path it
# prints: `k3s ctr images import` and `docker load` take it. Does nothing when the bundle has not changed.
set -euo pipefail
. "$(dirname "$0")/common.sh"

bundle=$("$ROOT/scripts/bundle.sh")
mkdir -p "$CACHE/image"
exec 9>"$CACHE/image/lock"
flock 9

target=$CACHE/image/image.tar
if [ ! -s "$target" ] || ! cmp -s "$CACHE/bundle/inputs" "$CACHE/image/inputs"; then
  say "Packing the image $IMAGE"
  "$ROOT/bundle/pack.py" image "$(dirname "$bundle")" "$IMAGE" "$target.part" >"$CACHE/image/size_bytes"
  mv "$target.part" "$target"
  cp "$CACHE/bundle/inputs" "$CACHE/image/inputs"
  note "$target: $(($(stat -c %s "$target") / 1000000)) MB, unpacked $(($(cat "$CACHE/image/size_bytes") / 1000000)) MB"
fi
echo "$target"
