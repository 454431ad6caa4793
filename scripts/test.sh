#!/bin/bash
# test.sh [SUITE...]: builds, runs the suites (default: all), and says at the end what ran, what
# failed, and what did not run and why. The last line is "N passed, N failed"; the exit code is 0 when
# nothing failed.
#
# Suites: unit property golden conformance fuzz fault (CTest labels), integration (the real API
# server and etcd of the test bed), e2e (pods). A suite tests/NAME/run.sh prints "SKIPPED: reason"
# for what it leaves out, and "N passed, N failed" at its end.
set -euo pipefail
. "$(dirname "$0")/common.sh"

JOBS=${JOBS:-$(nproc)}
export JOBS
CTEST_LABELS="unit property golden conformance fuzz fault"
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
#   ctest_suite LABEL [COMMAND...]: the command runs ctest (in the bed, for example)
ctest_suite() {
  local label=$1 start junit good bad
  shift
  start=$(date +%s)
  junit=$LOGS/$label.xml
  say "Running: $label"
  (cd "$BUILD" && "$@" ctest -L "^$label\$" -j "$JOBS" --output-on-failure --test-output-size-passed 100000 \
    --output-junit "$junit") >"$LOGS/$label.log" 2>&1 || true
  if grep -q 'No tests were found' "$LOGS/$label.log"; then
    skip "$label" "there are no such tests"
    return
  fi
  grep -E '\*\*\*|ERROR:' "$LOGS/$label.log" | grep -v Skipped >&2 || true
  good=$(sed -n 's/.*\[doctest\] test cases: *[0-9]* *| *\([0-9]*\) passed.*/\1/p' "$junit" | paste -sd+ - | bc)
  bad=$(sed -n 's/.*\[doctest\] test cases:.*| *\([0-9]*\) failed.*/\1/p' "$junit" | paste -sd+ - | bc)
  while read -r reason; do
    [ -z "$reason" ] || skip "$label" "$reason"
  done <<<"$(sed -n 's/.*NOT RUN: //p' "$junit")"
  # What campaigns of faults tried and found.
  while read -r tally; do
    [ -z "$tally" ] || note "$tally"
  done <<<"$(sed -n 's/^FAULTS //p' "$junit")"
  # Tests without doctest's line, and programs that ended otherwise than by a failed case.
  local plain_good plain_bad
  read -r plain_good plain_bad <<<"$(count_plain "$junit")"
  while read -r name; do
    [ -z "$name" ] || skip "$label/$name" "$(skip_reason "$name")"
  done <<<"$(sed -n 's/.*<testcase name="\([^"]*\)".*status="notrun".*/\1/p' "$junit")"
  count "$label" $((${good:-0} + plain_good)) $((${bad:-0} + plain_bad)) $(($(date +%s) - start))
}

# "GOOD BAD" over the test cases of a JUnit file whose output has no line of doctest, and over those
# that failed without a failed case in it.
count_plain() {
  awk 'BEGIN { RS = "</testcase>" }
    /<testcase / {
      doctest = /\[doctest\] test cases:/
      bad_case = /\[doctest\] test cases:[^\n]*\| *[1-9][0-9]* failed/
      if (/status="run"/ && !doctest) good++
      if (/status="fail"/ && !bad_case) bad++
    }
    END { print good + 0, bad + 0 }' "$1"
}

skip_reason() {
  case $1 in
    golden_chart) echo "helm is not installed (tests/tools/install.sh helm)" ;;
    *) echo "it said so; see $LOGS" ;;
  esac
}

# The tests that need the API server and etcd, inside a bed without node.
integration_suite() {
  local bed=$ROOT/tests/k3s/bed.sh
  if [ "$(id -u)" != 0 ]; then
    skip integration "the test bed needs root: sudo make test"
    return
  fi
  say "Starting a test bed without node (the first time, its k3s stand-in is built: about 10 minutes)"
  if ! "$bed" up integration >"$LOGS/bed.log" 2>&1; then
    tail -20 "$LOGS/bed.log" >&2
    note "the bed does not start"
    count integration 0 1 0
    return
  fi
  # JOBS=1: the tests share one API server, and one of them restarts it.
  JOBS=1 ctest_suite integration "$bed" exec integration env \
    RB_TEST_KUBECONFIG=/etc/rancher/k3s/k3s.yaml "RB_TEST_API_RESTART=/usr/local/bin/bedctl restart"
  "$bed" down integration >>"$LOGS/bed.log" 2>&1 || true
}

# The image takes minutes of work, the integration tests mostly wait: the one is built behind the
# other, at a low priority. tests/e2e/run.sh waits for it, and says what went wrong with it.
image_pid=
build_image_behind() {
  [ "$(id -u)" = 0 ] || return 0
  say "Building the image behind the integration tests"
  nice -n 15 "$ROOT/scripts/image.sh" >"$LOGS/image.log" 2>&1 &
  image_pid=$!
}

end_image_build() {
  if [ -n "$image_pid" ] && kill "$image_pid" 2>/dev/null; then
    wait "$image_pid" 2>/dev/null || true
  fi
}
trap end_image_build EXIT
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
    skip "$suite" "the test bed needs root: sudo make test"
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
  if wants "$label"; then ctest_suite "$label"; fi
done
if wants integration && wants e2e; then build_image_behind; fi
if wants integration; then integration_suite; fi
if wants e2e; then script_suite e2e; fi

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
