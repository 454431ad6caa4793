#!/usr/bin/env bash
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

# Once each: what many tests leave out for one reason is said once.
skip() {
  local one
  for one in "${skipped[@]}"; do
    [ "$one" != "$1: $2" ] || return 0
  done
  skipped+=("$1: $2")
}

build() {
  say "Building (the first time takes some minutes)"
  "$ROOT/scripts/build.sh" dev test >/dev/null
}

wants() {
  [ ${#suites[@]} = 0 ] || [[ " ${suites[*]} " == *" $1 "* ]]
}

# The suites of CTest in one run, so that no core waits for the last test of a label; with four tests more than cores,
# since some mostly wait, and those begin first.
ctest_suites() {
  local label labels=()
  for label in $CTEST_LABELS; do
    if wants "$label"; then labels+=("$label"); fi
  done
  [ ${#labels[@]} -gt 0 ] || return 0
  say "Running: ${labels[*]}"
  label=$(IFS="|" && echo "${labels[*]}")
  run_ctest "$BUILD" ctest ctest -j "$((JOBS + 4))" -L "^($label)\$"
  tell_labels ctest "${labels[@]}"
}

# What takes minutes of work is made at a low priority behind tests that mostly wait, and so run the suites that nobody
# waits for (behind.sh): the build roots behind the compiling, the k3s stand-in and the image behind CTest's suites and
# what follows, the suites behind integration and e2e. Whoever needs one of them waits for it (all are made under a
# lock), and says what went wrong with it.
behind=()
do_behind() {
  [ "$(id -u)" = 0 ] || return 0
  note "behind the tests: $*"
  setsid "$ROOT/scripts/behind.sh" "$@" >"$LOGS/behind-${#behind[@]}.log" 2>&1 </dev/null &
  behind+=($!) # also the number of the group of what it starts
}

roots_behind() {
  local work=()
  if wants root || wants e2e || wants release; then work+=("scripts/root.sh"); fi
  if wants arm64; then work+=("scripts/root.sh arm64"); fi
  [ ${#work[@]} = 0 ] || do_behind "${work[@]}"
}

# The one first that is needed first: together they would only hold each other up.
made_behind() {
  local work=()
  if wants integration || wants e2e; then work+=(tests/k3s/build.sh); fi
  if wants e2e; then work+=(scripts/image.sh); fi
  [ ${#work[@]} = 0 ] || do_behind "${work[@]}"
}

# The suites that nobody waits for. After the image, which e2e waits for, and whose objects `root` takes; where neither
# integration nor e2e is to run, they run by themselves.
apart=()
apart_runs_behind=
apart_behind() {
  local suite work=()
  [ -z "$apart_runs_behind" ] && [ "$(id -u)" = 0 ] || return 0
  apart_runs_behind=1
  if wants e2e; then work+=(scripts/image.sh); fi # done or on its way: it is waited for
  for suite in "${apart[@]}"; do
    rm -f "$LOGS/$suite.log" "$LOGS/$suite.ended"
    work+=("suite:$suite")
  done
  [ ${#work[@]} = 0 ] || do_behind "${work[@]}"
}

clean_up() {
  local pid
  for pid in "${behind[@]}"; do
    kill -- "-$pid" 2>/dev/null || continue
    wait "$pid" 2>/dev/null || true
  done
  end_servers
  end_integration_beds
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# A suite with a script of its own.
script_suite() {
  local suite=$1 start code=0
  if [ ! -x "$ROOT/tests/$suite/run.sh" ]; then
    skip "$suite" "there is no tests/$suite/run.sh"
    return
  fi
  if [ "$(id -u)" != 0 ]; then
    skip "$suite" "it needs root: sudo make test"
    return
  fi
  start=$(date +%s)
  say "Running: $suite"
  # tee outlives an interrupt, so that the suite can clean up: a message to nobody would end it (SIGPIPE).
  "$ROOT/tests/$suite/run.sh" 2>&1 | (trap '' INT TERM && exec tee "$LOGS/$suite.log" >&2) || code=$?
  tell_suite "$suite" "$code" $(($(date +%s) - start))
}

# One that ran behind the others.
told_from_behind() {
  local suite=$1 code=1 seconds=0
  say "Ran behind the others: $suite"
  touch "$LOGS/$suite.log"
  cat "$LOGS/$suite.log" >&2
  read -r code seconds 2>/dev/null <"$LOGS/$suite.ended" || note "it did not end"
  tell_suite "$suite" "$code" "$seconds"
}

# tell_suite SUITE EXIT-CODE SECONDS: what its log says.
tell_suite() {
  local suite=$1 code=$2 log=$LOGS/$1.log counts
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
  count "$suite" $counts "$3"
}

suites=("$@")
for suite in root arm64 release; do
  if wants "$suite"; then apart+=("$suite"); fi
done
roots_behind
"$ROOT/tests/tools/install.sh" helm age etcdutl >/dev/null || skip tools "helm, age or etcdutl could not be installed"
RB_AGE_TESTKIT_DIR=$("$ROOT/tests/tools/install.sh" age-testkit) || RB_AGE_TESTKIT_DIR=
export RB_AGE_TESTKIT_DIR
build
made_behind
ctest_suites
if wants integration; then integration_suite; fi
if wants e2e; then
  apart_behind
  script_suite e2e
fi
tell_integration
if [ -n "$apart_runs_behind" ]; then
  wait "${behind[@]}" || true
  for suite in "${apart[@]}"; do told_from_behind "$suite"; done
else
  for suite in "${apart[@]}"; do script_suite "$suite"; done
fi

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
