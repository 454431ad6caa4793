#!/bin/bash
# run.sh BUILD [PART...]: the whole fault suite with the programs in BUILD. Parts: ctest (labels fault
# and fault_long; of a campaign that has a long form only that one, as of the scripted API server), bed
# (a real API server), api (a scripted one, beside the others). Prints the counts of each campaign as
# they come ("FAULTS what: tried N, failures found M"), their sum, and "N passed, N failed".
# Environment: RB_SEED (a number; else each campaign draws one and prints it), JOBS.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/common.sh"
build=${1:?the build directory}
shift
parts=${*:-ctest bed api}
LOGS=$CACHE/logs
mkdir -p "$LOGS"
log=$LOGS/fault-all.log
: >"$log"
passed=0
failed=0
export PYTHONDONTWRITEBYTECODE=1

# count CODE NAME
count() {
  if [ "$1" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    note "$2 failed; see $log"
  fi
}

ctest_part() {
  local junit=$LOGS/fault-all.xml tests bad short
  short=$(cd "$build" && ctest -N -L '^fault_long$' | sed -n 's/.*: \(fault_.*\)_long$/\1/p' | paste -sd'|')
  (cd "$build" && ctest -L '^fault(_long)?$' -E "^(fault_api|$short)\$" -j "${JOBS:-2}" \
    --output-on-failure --output-junit "$junit" --test-output-size-passed 200000) >>"$log" 2>&1
  grep -o 'FAULTS [^&]*\|NOT RUN: .*' "$junit" | tee -a "$log"
  tests=$(grep -c '<testcase ' "$junit")
  bad=$(grep -c 'status="fail"' "$junit")
  passed=$((passed + tests - bad))
  failed=$((failed + bad))
  sed -n 's/.*<testcase name="\([^"]*\)".*status="fail".*/   \1 failed/p' "$junit" >&2
}

# Its runs mostly wait: its parts go on beside each other and the rest.
API_PARTS=("calls --share 1/2" "calls --share 2/2" episodes)
begin_api() {
  local i
  for i in "${!API_PARTS[@]}"; do
    # shellcheck disable=SC2086
    /usr/bin/python3 "$here/api/run.py" --bin "$build" --long --only ${API_PARTS[i]} ${RB_SEED:+--seed "$RB_SEED"} \
      >"$LOGS/fault-api-$i.log" 2>&1 &
    api_pids[i]=$!
  done
}

api_part() {
  local i code
  for i in "${!API_PARTS[@]}"; do
    code=0
    wait "${api_pids[i]}" || code=$?
    unset "api_pids[i]"
    tee -a "$log" <"$LOGS/fault-api-$i.log"
    count "$code" "the scripted API server (${API_PARTS[i]})"
  done
}

bed_part() {
  local bed=$ROOT/tests/k3s/bed.sh
  begun=(fault-suite)
  if ! "$bed" up fault-suite >>"$log" 2>&1; then
    count 1 "the bed"
    return
  fi
  "$bed" exec fault-suite /usr/bin/python3 "$here/api/real.py" --bin "$build" ${RB_SEED:+--seed "$RB_SEED"} \
    2>&1 | tee -a "$log"
  count "${PIPESTATUS[0]}" "the real API server"
  "$bed" down fault-suite >>"$log" 2>&1
  begun=()
}

[ "$(id -u)" = 0 ] || die "needs root (tmpfs, loop devices, ptrace, beds): sudo make fault"
api_pids=()
begun=()
clean_up() {
  [ ${#api_pids[@]} = 0 ] || kill "${api_pids[@]}" 2>/dev/null
  [ ${#begun[@]} = 0 ] || "$ROOT/tests/k3s/bed.sh" down "${begun[@]}" >>"$log" 2>&1
}
trap clean_up EXIT
trap 'exit 130' INT TERM
[[ " $parts " != *" api "* ]] || begin_api
for part in $parts; do
  say "Faults: $part"
  "${part}_part"
done
awk '/FAULTS .*: tried [0-9]+, failures found [0-9]+/ && !seen[$0]++ {
       match($0, /tried [0-9]+/); tried += substr($0, RSTART + 6, RLENGTH - 6)
       match($0, /found [0-9]+/); found += substr($0, RSTART + 6, RLENGTH - 6) }
     END { printf "in all: tried %d, failures found %d\n", tried, found }' "$log"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
