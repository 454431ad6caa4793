# Sourced by test.sh: the suite that needs a real API server and etcd, begun by integration_suite and told by
# tell_integration. Uses BUILD, LOGS, apart_behind, ctest.sh.
# shellcheck shell=bash

# The tests that need the API server and etcd. They mostly wait, and one at a time works on a bed's cluster (some
# restart it, some wipe it): four beds without node share them, about as many minutes for each. What is not named here
# runs in the last.
BED=$ROOT/tests/k3s/bed.sh
beds=()
IN_BED=(
  '^integration_(recover|recover_new_host|kube|kit|drill_timer)$'
  '^integration_(controller|boot|systemd)$'
  '^integration_(agent|offsite|restore_page)$'
)
integration_names=()
integration_seconds=0
servers_run=
integration_suite() {
  local start number runs=()
  if [ "$(id -u)" != 0 ]; then
    skip integration "the test bed needs root: sudo make test"
    return
  fi
  say "Starting test beds without node (the first time, their k3s stand-in is built: about 10 minutes)"
  start=$(date +%s)
  if ! start_beds $((${#IN_BED[@]} + 1)); then
    count integration 0 1 0
    return
  fi
  apart_behind
  say "Running: integration"
  for number in $(seq ${#IN_BED[@]}); do
    integration_in_bed "$number" -R "${IN_BED[$((number - 1))]}" &
    runs+=($!)
  done
  integration_in_bed $((number + 1)) -E "$(IFS="|" && echo "${IN_BED[*]}")" &
  runs+=($!)
  wait "${runs[@]}"
  integration_names=("${beds[@]}" integration-apart)
  integration_seconds=$(($(date +%s) - start))
  end_integration_beds
  # Those that make beds of their own, several servers of one cluster: from inside of a bed no other can be entered.
  # They mostly wait, and nothing waits for them: they go on beside what follows.
  # In a process group of its own, for end_servers.
  set -m
  run_ctest "$BUILD" integration-apart ctest -L '^beds$' &
  set +m
  servers_run=$!
}

# start_beds COUNT: together, since each mostly waits for its server.
beds_starting=()
start_beds() {
  local number bed code=0
  for number in $(seq "$1"); do
    bed=integration-$number
    beds+=("$bed")
    "$BED" up "$bed" --timeout 120 >"$LOGS/$bed.bed.log" 2>&1 &
    beds_starting+=($!)
  done
  for number in $(seq "$1"); do
    wait "${beds_starting[number - 1]}" && continue
    code=1
    tail -20 "$LOGS/integration-$number.bed.log" >&2
    note "the bed integration-$number does not start"
  done
  beds_starting=()
  return $code
}

# Waits for what still runs. The seconds are those of the beds before it.
tell_integration() {
  [ -n "$servers_run" ] || return 0
  wait "$servers_run"
  servers_run=
  tell_ctest integration "$integration_seconds" "${integration_names[@]}"
}

# integration_in_bed NUMBER CTEST-ARGUMENTS...
integration_in_bed() {
  local name=integration-$1 directory=$BUILD/bed-$1
  shift
  # ctest writes into the directory that it is called in.
  mkdir -p "$directory"
  echo "subdirs(\"$BUILD\")" >"$directory/CTestTestfile.cmake"
  run_ctest "$directory" "$name" "$BED" exec "$name" env RB_TEST_KUBECONFIG=/etc/rancher/k3s/k3s.yaml \
    "RB_TEST_API_RESTART=/usr/local/bin/bedctl restart" ctest -L '^integration$' "$@"
}

# After an interrupt: ends the tests with beds of their own, and those beds, which have the test's process id in the name.
end_servers() {
  local name test_id
  [ -n "$servers_run" ] || return 0
  kill -- "-$servers_run" 2>/dev/null || true
  wait "$servers_run" || true
  servers_run=
  "$BED" list | while read -r name; do
    test_id=$(expr "$name" : 'servers-\([0-9]*\)-' || true)
    # One that has ended has no command line, also where nobody has waited for it.
    if [ -n "$test_id" ] && [ -z "$(tr '\0' ' ' 2>/dev/null <"/proc/$test_id/cmdline")" ]; then
      "$BED" down "$name" >>"$LOGS/bed.log" 2>&1 || true
    fi
  done
}

# Also what runs in a bed ends with it. One that is being started is not ended half-way.
end_integration_beds() {
  local name ending=()
  [ ${#beds_starting[@]} = 0 ] || wait "${beds_starting[@]}" || true
  for name in "${beds[@]}"; do
    "$BED" down "$name" >>"$LOGS/bed.log" 2>&1 &
    ending+=($!)
  done
  [ ${#ending[@]} = 0 ] || wait "${ending[@]}" || true
  beds=()
}
