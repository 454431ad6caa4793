# Sourced by test.sh: the suite that needs a real API server and etcd. Uses BUILD, LOGS, image_behind, ctest.sh.
# shellcheck shell=bash

# The tests that need the API server and etcd. They mostly wait, and one at a time works on a bed's
# cluster (some restart it, some wipe it): two beds without node share them. What is not named here
# runs in the first.
BED=$ROOT/tests/k3s/bed.sh
beds=()
SECOND_BED='^integration_(recover|recover_clusters|systemd|kube|controller|drill_timer)$'
integration_suite() {
  local start number runs=()
  if [ "$(id -u)" != 0 ]; then
    skip integration "the test bed needs root: sudo make test"
    return
  fi
  say "Starting two test beds without node (the first time, their k3s stand-in is built: about 10 minutes)"
  start=$(date +%s)
  for number in 1 2; do
    beds+=("integration-$number")
    if ! "$BED" up "integration-$number" >"$LOGS/bed.log" 2>&1; then
      tail -20 "$LOGS/bed.log" >&2
      note "the bed does not start"
      count integration 0 1 0
      return
    fi
  done
  image_behind
  say "Running: integration"
  integration_in_bed 1 -E "$SECOND_BED" &
  runs+=($!)
  integration_in_bed 2 -R "$SECOND_BED" &
  runs+=($!)
  wait "${runs[@]}"
  tell_ctest integration $(($(date +%s) - start)) integration-1 integration-2
  end_integration_beds
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
