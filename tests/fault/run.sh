#!/bin/bash
# run.sh BUILD [PART...]: the whole fault suite with the programs in BUILD. Parts: ctest (labels fault
# and fault_long; of a campaign that has a long form only that one, as of the scripted API server), bed
# (a real API server), api (a scripted one). bed and api go on beside ctest. Prints the counts of each
# campaign ("FAULTS what: tried N, failures found M"), their sum, and "N passed, N failed".
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
  (cd "$build" && ctest -L '^fault(_long)?$' -E "^(fault_api_.*|$short)\$" -j "${JOBS:-2}" \
    --output-on-failure --output-junit "$junit" --test-output-size-passed 200000) >>"$log" 2>&1
  grep -o 'FAULTS [^&]*\|NOT RUN: .*' "$junit" | tee -a "$log"
  tests=$(grep -c '<testcase ' "$junit")
  bad=$(grep -c 'status="fail"' "$junit")
  passed=$((passed + tests - bad))
  failed=$((failed + bad))
  sed -n 's/.*<testcase name="\([^"]*\)".*status="fail".*/   \1 failed/p' "$junit" >&2
}

# Runs against an API server mostly wait: they go on beside each other and the rest.
API_PARTS=("calls --share 1/2" "calls --share 2/2" episodes)
begin_api() {
  local i
  for i in "${!API_PARTS[@]}"; do
    # shellcheck disable=SC2086
    /usr/bin/python3 "$here/api/run.py" --bin "$build" --long --only ${API_PARTS[i]} ${RB_SEED:+--seed "$RB_SEED"} \
      >"$LOGS/fault-api-$i.log" 2>&1 &
    behind[i]=$!
  done
}

api_part() {
  local i
  for i in "${!API_PARTS[@]}"; do
    end_behind "$i" "$LOGS/fault-api-$i.log" "the scripted API server (${API_PARTS[i]})"
  done
}

bed=$ROOT/tests/k3s/bed.sh
BED=fault-suite
real_server() {
  "$bed" up "$BED" && "$bed" exec "$BED" /usr/bin/python3 "$here/api/real.py" --bin "$build" ${RB_SEED:+--seed "$RB_SEED"}
}

begin_bed() {
  real_server >"$LOGS/fault-bed.log" 2>&1 &
  behind[${#API_PARTS[@]}]=$!
}

bed_part() {
  end_behind ${#API_PARTS[@]} "$LOGS/fault-bed.log" "the real API server"
}

# end_behind INDEX LOG NAME: waits for it, shows what it said and counts it.
end_behind() {
  local code=0
  wait "${behind[$1]}" || code=$?
  unset "behind[$1]"
  tee -a "$log" <"$2"
  count "$code" "$3"
}

[ "$(id -u)" = 0 ] || die "needs root (tmpfs, loop devices, ptrace, beds): sudo make fault"
behind=()
clean_up() {
  [ ${#behind[@]} = 0 ] || kill "${behind[@]}" 2>/dev/null
  [[ " $parts " != *" bed "* ]] || "$bed" down "$BED" >>"$log" 2>&1
}
trap clean_up EXIT
trap 'exit 130' INT TERM
[[ " $parts " != *" api "* ]] || begin_api
[[ " $parts " != *" bed "* ]] || begin_bed
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
