# Sourced by test.sh: the suite that needs a real API server and etcd. Uses BUILD, LOGS, apart_behind, ctest.sh.
# shellcheck shell=bash

# The tests that need the API server and etcd. They mostly wait, and one at a time works on a bed's cluster (some
# restart it, some wipe it): three beds without node share them, about as many minutes for each. What is not named here
# runs in the last.
BED=$ROOT/tests/k3s/bed.sh
beds=()
IN_BED=(
  '^integration_(recover|recover_new_host|systemd|kube|kit|drill_timer)$'
  '^integration_(controller|boot|offsite)$'
)
integration_suite() {
  local start number runs=() names=()
  if [ "$(id -u)" != 0 ]; then
    skip integration "the test bed needs root: sudo make test"
    return
  fi
  say "Starting test beds without node (the first time, their k3s stand-in is built: about 10 minutes)"
  start=$(date +%s)
  for number in $(seq $((${#IN_BED[@]} + 1))); do
    beds+=("integration-$number")
    if ! "$BED" up "integration-$number" >"$LOGS/bed.log" 2>&1; then
      tail -20 "$LOGS/bed.log" >&2
      note "the bed does not start"
      count integration 0 1 0
      return
    fi
  done
  apart_behind
  say "Running: integration"
  for number in $(seq ${#IN_BED[@]}); do
    integration_in_bed "$number" -R "${IN_BED[$((number - 1))]}" &
    runs+=($!)
  done
  integration_in_bed $((number + 1)) -E "$(IFS="|" && echo "${IN_BED[*]}")" &
  runs+=($!)
  wait "${runs[@]}"
  names=("${beds[@]}")
  end_integration_beds
  # Those that make beds of their own, several servers of one cluster: from inside of a bed no other can be entered.
  run_ctest "$BUILD" integration-apart ctest -L '^beds$'
  tell_ctest integration $(($(date +%s) - start)) "${names[@]}" integration-apart
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

# Also what runs in a bed ends with it.
end_integration_beds() {
  local name
  for name in "${beds[@]}"; do
    "$BED" down "$name" >>"$LOGS/bed.log" 2>&1 || true
  done
  beds=()
}
