#!/usr/bin/env bash
# behind.sh WORK...: for test.sh, which goes on with other suites meanwhile: one after the other, at a low priority,
# and going on where one fails. Needs root. WORK is one of
#
#   a script below the project's root with its arguments, in one word ("scripts/root.sh arm64"): something is made,
#     which whoever needs it would make, too, and waits for by its lock
#   suite:NAME: tests/NAME/run.sh; its output is $RAILIANCE_CACHE/logs/NAME.log, and NAME.ended has its exit code and seconds
set -euo pipefail
. "$(dirname "$0")/common.sh"

LOGS=$CACHE/logs
mkdir -p "$LOGS"

# lower NICE COMMAND...: where the kernel groups processes by session (sched(7), autogroup), a nice value counts within the
# session only, and this is one of its own: the session as a whole gets the same.
lower() {
  local value=$1
  shift
  { echo "$value" >"/proc/$$/autogroup"; } 2>/dev/null || true
  nice -n "$value" "$@"
}

# A suite has limits of time of its own: it gets a share of the processor also where others want all of it, but less
# than a scratch server of the tests before it (nice 10), which has limits, too.
suite() {
  local name=$1 code=0 start
  start=$(date +%s)
  lower 12 "$ROOT/tests/$name/run.sh" >"$LOGS/$name.log" 2>&1 || code=$?
  echo "$code $(($(date +%s) - start))" >"$LOGS/$name.ended"
}

for work; do
  case $work in
    suite:*) suite "${work#suite:}" ;;
    *)
      read -ra command <<<"$work"
      lower 15 "$ROOT/${command[0]}" "${command[@]:1}" || note "$work: ended with $?"
      ;;
  esac
done
