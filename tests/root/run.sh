#!/bin/bash
# run.sh [all]: compiles the tests of lib/age in the build root (scripts/root.sh) and runs them there: with the compiler
# and the OpenSSL of what is shipped, which has ML-KEM, whatever this machine has. "all": every unit test, too (Debian 13,
# g++ 14). Needs root. Ends with "N passed, N failed".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/common.sh"
. "$ROOT/scripts/in-root.sh"
. "$ROOT/scripts/ctest.sh"

TESTS="unit_age conformance_age_testkit conformance_age_interop prop_age"
REPLAYS="fuzz_age_bech32 fuzz_age_header fuzz_age_stanza fuzz_keys_file fuzz_openssh_key fuzz_sops_yaml"
LOGS=$CACHE/logs
mkdir -p "$LOGS" "$CACHE/ccache"
skip() { echo "SKIPPED: $2"; } # for ctest.sh
tools_only=ON # without what talks to the API
if [ "${1:-}" = all ]; then
  tools_only=OFF
  TESTS+=" $(grep -rhoE 'rb_test\(unit_[a-z0-9_]+' "$ROOT/tests/unit" --include=CMakeLists.txt | sed 's/rb_test(//' |
    grep -vx unit_age | sort -u | paste -sd' ')"
fi

"$ROOT/tests/tools/install.sh" age >/dev/null
testkit=$("$ROOT/tests/tools/install.sh" age-testkit)
root=$("$ROOT/scripts/root.sh")
build=$CACHE/build/root
if [ "$(cat "$build/.made-in" 2>/dev/null)" != "$ROOT $root" ]; then rm -rf "$build"; fi
mkdir -p "$build"
forget_precompiled "$build"
[ -e "$root/etc/hosts" ] || echo "127.0.0.1 localhost" >"$root/etc/hosts" # mmdebstrap makes none
echo "$ROOT $root" >"$build/.made-in"
inside() {
  in_root "$root" "$ROOT:/source" "$build:/build" "$CACHE/ccache:/ccache" "$CACHE/bin:/tools" "$testkit:/testkit" -- \
    CCACHE_DIR=/ccache RB_AGE=/tools/age RB_AGE_TESTKIT_DIR=/testkit "$@"
}

say "Compiling $(wc -w <<<"$TESTS $REPLAYS") test programs in the build root"
# With the flags of what is shipped (bundle/build.sh), so that ccache has the bundle's objects; the tests' own files
# without optimisation, which _FORTIFY_SOURCE would complain of.
# shellcheck disable=SC2086
if ! { inside cmake -S /source -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release "-DRB_TEST_FLAGS=-O0;-U_FORTIFY_SOURCE" \
  -DRB_DISK_TOOLS_ONLY=$tools_only -DRB_WERROR=OFF -DRB_PRECOMPILE=ON &&
  inside cmake --build /build -j "${JOBS:-2}" --target $TESTS $REPLAYS; } >"$LOGS/root-build.log" 2>&1; then
  grep -hE 'error|Error|FAILED' -A5 "$LOGS/root-build.log" | tail -30 >&2
  die "the tests do not compile in the build root; the whole log: $LOGS/root-build.log"
fi

say "Running them there"
names="$TESTS ${REPLAYS// /_replay }_replay"
rm -f "$build/junit.xml"
inside ctest --test-dir /build -R "^(${names// /|})\$" -j "${JOBS:-2}" --output-on-failure --test-output-size-passed 100000 \
  --output-junit /build/junit.xml >"$LOGS/root-ctest.log" 2>&1 || true
tell_failures "$LOGS/root-ctest.log"
tell_junit root "$build/junit.xml"
grep -E 'vectors: |: wrap .* ms|opened by ' "$build/junit.xml" || true
read -r passed failed <<<"$(count_cases "$build/junit.xml")"
# Where it has none, the tests above hold that post-quantum keys are refused, and all would be well.
if ! grep -q 'with ML-KEM: yes' "$build/junit.xml"; then
  note "FAILED: the OpenSSL of the build root has no ML-KEM"
  failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
