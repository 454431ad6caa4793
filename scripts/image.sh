#!/bin/bash
# Builds the image from the Dockerfile and writes it to $RAILIANCE_CACHE/image/image.tar, whose path
# it prints. Does nothing when what the image is made from has not changed.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/docker.sh"

# One at a time: the private daemon ends with the script that started it.
mkdir -p "$CACHE"
exec 9>"$CACHE/image.lock"
flock 9

INPUTS="Dockerfile .dockerignore CMakeLists.txt CMakePresets.json cmake lib controller hostagent cli"
target=$CACHE/image/image.tar
# shellcheck disable=SC2086
digest=$(digest_of $INPUTS)

if [ -s "$target" ] && [ "$(cat "$CACHE/image/inputs" 2>/dev/null)" = "$digest" ]; then
  echo "$target"
  exit 0
fi

docker_start
base=debian:bookworm-slim
if ! docker image inspect "$base" >/dev/null 2>&1; then
  say "Fetching $base"
  if ! timeout 60 docker pull --quiet "$base" >/dev/null 2>&1; then
    note "no registry is reached: it is made from Debian's packages instead"
    tar=$("$ROOT/scripts/base-image.sh")
    docker import --change 'CMD ["bash"]' "$tar" "$base" >/dev/null
  fi
fi

say "Building the image $IMAGE (10 to 15 minutes on 2 cores when everything is new)"
mkdir -p "$CACHE/image"
started=$(date +%s)
# The classic builder: it is in every Docker, and the private daemon has no bridge for the build.
if ! DOCKER_BUILDKIT=0 docker build --network=host --build-arg "JOBS=${JOBS:-2}" \
  -t "$IMAGE" "$ROOT" >"$CACHE/image/build.log" 2>&1; then
  tail -30 "$CACHE/image/build.log" >&2
  die "the image could not be built; the whole log: $CACHE/image/build.log"
fi
docker save -o "$target.part" "$IMAGE"
mv "$target.part" "$target"
printf '%s\n' "$digest" >"$CACHE/image/inputs"
docker image inspect --format '{{.Size}}' "$IMAGE" >"$CACHE/image/size_bytes"
note "$IMAGE: $(($(cat "$CACHE/image/size_bytes") / 1000000)) MB, built in $(($(date +%s) - started)) s"
echo "$target"
