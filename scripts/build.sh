#!/usr/bin/env bash
# build.sh PRESET NAME [CMAKE ARGUMENTS]: configures and builds into $RAILIANCE_CACHE/build/NAME, and
# prints that directory. A directory that belongs to another checkout is made anew (ccache makes that
# quick). RB_TARGETS: what is built, in words; default: everything.
set -euo pipefail
. "$(dirname "$0")/common.sh"
preset=$1 directory=$CACHE/build/$2
shift 2

# Objects of another checkout with the same contents are taken from ccache.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1
if [ -f "$directory/CMakeCache.txt" ] &&
  ! grep -qx "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$directory/CMakeCache.txt"; then
  rm -rf "$directory"
fi
mkdir -p "$directory"
forget_precompiled "$directory"
log=$directory/build.log
read -ra targets <<<"${RB_TARGETS:-all}"
cd "$ROOT"
if ! { cmake --preset "$preset" -B "$directory" "$@" && cmake --build "$directory" -j "${JOBS:-2}" --target "${targets[@]}"; } \
  >"$log" 2>&1; then
  grep -hE 'error|Error|FAILED' -A5 "$log" | tail -30 >&2
  die "the build failed; its log: $log"
fi
echo "$directory"
