#!/bin/bash
# Compiles the tests of lib/age in the build root (scripts/root.sh) and runs them there: with the compiler
# and the OpenSSL of what is shipped, which has ML-KEM, whatever this machine has. Needs root. Ends with
# "N passed, N failed".
set -euo pipefail
. "$(dirname "$0")/../../scripts/common.sh"
. "$ROOT/scripts/in_root.sh"

TESTS="unit_age conformance_age_testkit conformance_age_interop prop_age"
REPLAYS="fuzz_age_bech32 fuzz_age_header fuzz_age_stanza fuzz_keys_file fuzz_openssh_key fuzz_sops_yaml"
passed=0
failed=0

"$ROOT/tests/tools/install.sh" age >/dev/null
testkit=$("$ROOT/tests/tools/install.sh" age-testkit)
mkdir -p "$CACHE/bundle" "$CACHE/ccache" "$CACHE/build/root" "$CACHE/logs"
root=$(flock "$CACHE/bundle/lock" "$ROOT/scripts/root.sh")
build=$CACHE/build/root
if [ "$(cat "$build/.made-in" 2>/dev/null)" != "$ROOT $root" ]; then
  rm -rf "$build"
  mkdir "$build"
  echo "$ROOT $root" >"$build/.made-in"
fi

inside() {
  in_root "$root" "$ROOT:/source" "$build:/build:rw" "$CACHE/ccache:/ccache:rw" "$testkit:/testkit" "$CACHE/bin:/tools" -- \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C.UTF-8 CCACHE_DIR=/ccache \
    RB_AGE_TESTKIT_DIR=/testkit RB_AGE=/tools/age "$@"
}

say "Compiling the tests of lib/age in the build root"
# RB_WERROR: as for what is shipped (bundle/build.sh).
# shellcheck disable=SC2086
if ! { inside cmake -S /source -B /build -G Ninja -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1" \
  -DRB_DISK_TOOLS_ONLY=ON -DRB_WERROR=OFF -DRB_PRECOMPILE=ON &&
  inside cmake --build /build -j "${JOBS:-2}" --target $TESTS $REPLAYS; } >"$CACHE/logs/root-build.log" 2>&1; then
  grep -hE 'error|Error|FAILED' -A5 "$CACHE/logs/root-build.log" | tail -30 >&2
  echo "the tests could not be built in the build root; the whole log: $CACHE/logs/root-build.log"
  echo "0 passed, 1 failed"
  exit 1
fi

built() { find "$build" -type f -name "$1" -perm -u+x -printf '/build/%P\n'; }
log=$CACHE/logs/root-run.log
ml_kem=no

# The cases of doctest; a program that ends badly without naming one is a failure, too.
run_test() {
  local code=0 good bad
  inside "$(built "$1")" --no-intro >"$log" 2>&1 || code=$?
  read -r good bad <<<"$(sed -n 's/^\[doctest\] test cases: *[0-9]* | *\([0-9]*\) passed | *\([0-9]*\) failed.*/\1 \2/p' "$log")"
  if [ -z "$good" ] || { [ "$code" != 0 ] && [ "$bad" = 0 ]; }; then
    good=${good:-0} bad=1
  fi
  [ "$bad" = 0 ] || tail -60 "$log"
  grep -E '^NOT RUN: |vectors: |wrap .* ms|opened by ' "$log" | sed -e "s/^/$1: /" -e 's/^.*NOT RUN: /SKIPPED: /' || true
  if grep -q 'with ML-KEM: yes' "$log"; then ml_kem=yes; fi
  echo "$1: $good passed, $bad failed in the build root"
  passed=$((passed + good))
  failed=$((failed + bad))
}

run_replay() {
  if inside "$(built "$1")" "/source/tests/fuzz/corpus/$1" >"$log" 2>&1; then
    passed=$((passed + 1))
  else
    tail -20 "$log"
    echo "$1: failed in the build root"
    failed=$((failed + 1))
  fi
}

for test in $TESTS; do run_test "$test"; done
for replay in $REPLAYS; do run_replay "$replay"; done
# Without it everything above would hold by refusing post-quantum keys.
if [ "$ml_kem" = no ]; then
  echo "the OpenSSL of the build root has no ML-KEM"
  failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
