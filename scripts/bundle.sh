#!/usr/bin/env bash
# bundle.sh [ARCH]: compiles what is shipped, in the build root (root.sh), and prints the directory of the bundle:
# programs, their libraries and the loader, which run on any Linux from wherever they lie (bundle/build.sh). What
# lies beside it is the rest of the image's root. Does nothing when nothing of its sources has changed.
#
# ARCH: amd64 or arm64; default: this machine's. RB_COMMIT: the commit that the programs name; where it is not
# given, a bundle whose sources have not changed since keeps the one that it has.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/in-root.sh"

arch=${1:-$NATIVE_ARCH}
name=bundle$(suffix_of "$arch")
made=$CACHE/$name
mkdir -p "$made"
exec 9>"$made/lock"
flock 9

out=$made/root
sources="bundle CMakeLists.txt cmake lib controller hostagent cli"
# shellcheck disable=SC2086
digest=$(digest_of $sources scripts/bundle.sh scripts/in-root.sh scripts/root.sh)
have=$(cat "$made/inputs" 2>/dev/null || true) # of what lies there: the digest, and the commit that it names
if [ -d "$out/railiance-backup" ] && [ "${have%% *}" = "$digest" ] && { [ -z "${RB_COMMIT:-}" ] || [ "${have#* }" = "$RB_COMMIT" ]; }; then
  echo "$out/railiance-backup"
  exit 0
fi
[ "$(id -u)" = 0 ] || die "the bundle is compiled in a root of its own, which only root can enter: use sudo"
root=$("$ROOT/scripts/root.sh" "$arch")
# shellcheck disable=SC2086
commit=${RB_COMMIT:-$(commit_of $sources)}

# Another checkout's objects are no measure of this one's; ccache has what is the same.
build=$CACHE/build/$name
if [ "$(cat "$build/.made-in" 2>/dev/null)" != "$ROOT $root" ]; then
  rm -rf "$build"
fi
mkdir -p "$build" "$CACHE/ccache"
forget_precompiled "$build"
echo "$ROOT $root" >"$build/.made-in"
rm -rf "$out.new"
mkdir -m 0755 "$out.new"

say "Compiling what is shipped for $arch (the first time, about 10 minutes on 2 cores)"
started=$(date +%s)
if ! in_root "$root" "$ROOT:/source" "$build:/build" "$CACHE/ccache:/ccache" "$out.new:/out" -- \
  "JOBS=${JOBS:-2}" CCACHE_DIR=/ccache ${CCACHE_DISABLE:+"CCACHE_DISABLE=$CCACHE_DISABLE"} "RB_COMMIT=$commit" \
  bash /source/bundle/build.sh /source /build /out "$arch" >"$made/build.log" 2>&1 9>&-; then
  grep -hE 'error|Error|FAILED' -A5 "$made/build.log" | tail -30 >&2
  die "what is shipped could not be built for $arch; the whole log: $made/build.log"
fi
rm -rf "$out"
mv "$out.new" "$out"
printf '%s %s\n' "$digest" "$commit" >"$made/inputs"
note "$out/railiance-backup: $(du -sm "$out" | cut -f1) MB, made in $(($(date +%s) - started)) s"
echo "$out/railiance-backup"
