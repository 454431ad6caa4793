#!/bin/bash
# Compiles what is shipped, in the build root (root.sh), and prints the directory of the bundle: programs,
# their libraries and the loader, which run on any Linux from wherever they lie (bundle/build.sh). What
# lies beside it is the rest of the image's root. Does nothing when nothing of its sources has changed.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/in-root.sh"

mkdir -p "$CACHE/bundle"
exec 9>"$CACHE/bundle/lock"
flock 9

out=$CACHE/bundle/root
digest=$(digest_of bundle CMakeLists.txt cmake lib controller hostagent cli scripts/bundle.sh scripts/in-root.sh scripts/root.sh)
if [ -d "$out/railiance-backup" ] && [ "$(cat "$CACHE/bundle/inputs" 2>/dev/null)" = "$digest" ]; then
  echo "$out/railiance-backup"
  exit 0
fi
[ "$(id -u)" = 0 ] || die "the bundle is compiled in a root of its own, which only root can enter: use sudo"
root=$("$ROOT/scripts/root.sh")

# Another checkout's objects are no measure of this one's; ccache has what is the same.
build=$CACHE/build/bundle
if [ "$(cat "$build/.made-in" 2>/dev/null)" != "$ROOT $root" ]; then
  rm -rf "$build"
fi
mkdir -p "$build" "$CACHE/ccache"
echo "$ROOT $root" >"$build/.made-in"
rm -rf "$out.new"
mkdir "$out.new"

say "Compiling what is shipped (the first time, about 10 minutes on 2 cores)"
started=$(date +%s)
if ! in_root "$root" "$ROOT:/source" "$build:/build" "$CACHE/ccache:/ccache" "$out.new:/out" -- \
  "JOBS=${JOBS:-2}" CCACHE_DIR=/ccache \
  bash /source/bundle/build.sh /source /build /out >"$CACHE/bundle/build.log" 2>&1 9>&-; then
  grep -hE 'error|Error|FAILED' -A5 "$CACHE/bundle/build.log" | tail -30 >&2
  die "what is shipped could not be built; the whole log: $CACHE/bundle/build.log"
fi
rm -rf "$out"
mv "$out.new" "$out"
printf '%s\n' "$digest" >"$CACHE/bundle/inputs"
note "$out/railiance-backup: $(du -sm "$out" | cut -f1) MB, made in $(($(date +%s) - started)) s"
echo "$out/railiance-backup"
