#!/bin/bash
# test.sh [SUITE...]: builds, runs the suites (default: all), and says at the end what ran, what
# failed, and what did not run and why. The last line is "N passed, N failed"; the exit code is 0 when
# nothing failed.
#
# Suites: unit property golden conformance fuzz cases hostile fault (CTest labels), root (the tests of lib/age
# with the OpenSSL that is shipped), integration (the real API server and etcd of the test bed), e2e (pods),
# arm64 (cross-compiled, run by qemu), release (what people install from). A suite tests/NAME/run.sh prints "SKIPPED: reason"
# for what it leaves out, and "N passed, N failed" at its end.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/ctest.sh"
. "$(dirname "$0")/integration.sh"

JOBS=${JOBS:-$(nproc)}
export JOBS
CTEST_LABELS="unit property golden conformance fuzz cases hostile fault"
BUILD=$CACHE/build/test
LOGS=$CACHE/logs
mkdir -p "$LOGS"
passed=0
failed=0
ran=()
skipped=()

# count SUITE PASSED FAILED SECONDS
count() {
  passed=$((passed + $2))
  failed=$((failed + $3))
  ran+=("$(printf '%-12s %5d passed %3d failed %5d s' "$1" "$2" "$3" "$4")")
}

skip() {
  skipped+=("$1: $2")
}

build() {
  say "Building (the first time takes some minutes)"
  "$ROOT/scripts/build.sh" dev test >/dev/null
}

# Cases of doctest, and one for each test that is no doctest program.
ctest_suite() {
  local start
  start=$(date +%s)
  say "Running: $1"
  run_ctest "$BUILD" "$1" ctest -j "$JOBS" -L "^$1\$"
  tell_ctest "$1" $(($(date +%s) - start)) "$1"
}

# What takes minutes of work is made at a low priority behind tests that mostly wait: the k3s stand-in
# behind the faults, the image behind the integration tests. Whoever needs one of them waits for it
# (both are made under a lock), and says what went wrong with it.
behind=()
make_behind() {
  local what=$1
  shift
  [ "$(id -u)" = 0 ] || return 0
  say "Making $what behind the tests"
  setsid nice -n 15 "$@" >"$LOGS/behind-${#behind[@]}.log" 2>&1 &
  behind+=($!) # also the number of the group of what it starts
}

# Not before the stand-in is made: they would only hold each other up.
image_behind() {
  if wants e2e; then make_behind "the image" "$ROOT/scripts/image.sh"; fi
}

clean_up() {
  local pid
  for pid in "${behind[@]}"; do
    kill -- "-$pid" 2>/dev/null || continue
    wait "$pid" 2>/dev/null || true
  done
  end_integration_beds
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# A suite with a script of its own.
script_suite() {
  local suite=$1 start log counts
  local script=$ROOT/tests/$suite/run.sh
  log=$LOGS/$suite.log
  if [ ! -x "$script" ]; then
    skip "$suite" "there is no tests/$suite/run.sh"
    return
  fi
  if [ "$(id -u)" != 0 ]; then
    skip "$suite" "it needs root: sudo make test"
    return
  fi
  start=$(date +%s)
  say "Running: $suite"
  local code=0
  "$script" 2>&1 | tee "$log" >&2 || code=$?
  while read -r reason; do
    [ -z "$reason" ] || skip "$suite" "$reason"
  done <<<"$(sed -n 's/^SKIPPED: //p' "$log")"
  counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" | tail -1)
  if [ -z "$counts" ]; then
    note "tests/$suite/run.sh ended with $code before it counted anything"
    counts="0 1"
  elif [ "$code" != 0 ] && [ "${counts#* }" = 0 ]; then
    counts="${counts% *} 1"
  fi
  # shellcheck disable=SC2086
  count "$suite" $counts $(($(date +%s) - start))
}

wants() {
  [ ${#suites[@]} = 0 ] || [[ " ${suites[*]} " == *" $1 "* ]]
}

suites=("$@")
"$ROOT/tests/tools/install.sh" helm age etcdutl >/dev/null || skip tools "helm, age or etcdutl could not be installed"
RB_AGE_TESTKIT_DIR=$("$ROOT/tests/tools/install.sh" age-testkit) || RB_AGE_TESTKIT_DIR=
export RB_AGE_TESTKIT_DIR
build
for label in $CTEST_LABELS; do
  if [ "$label" = fault ] && { wants integration || wants e2e; }; then make_behind "the k3s stand-in" "$ROOT/tests/k3s/build.sh"; fi
  if wants "$label"; then ctest_suite "$label"; fi
done
if wants root; then script_suite root; fi
if wants integration; then integration_suite; fi
if wants arm64 && wants e2e; then make_behind "the build root for arm64" "$ROOT/scripts/root.sh" arm64; fi
for suite in e2e arm64 release; do
  if wants "$suite"; then script_suite "$suite"; fi
done

say "Summary"
printf '   %s\n' "${ran[@]:-nothing ran}" >&2
if [ ${#skipped[@]} -gt 0 ]; then
  note "did not run:"
  printf '     %s\n' "${skipped[@]}" >&2
else
  note "nothing was left out"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
