#!/usr/bin/env bash
# Runs the end-to-end tests in pods: tools, image and bed are made when they are missing, and the bed
# is taken down at the end, also after an interrupt. Ends with the line "N passed, N failed".
#   run.sh [PYTEST ARGUMENTS]     for example: run.sh -k main_job
# Environment: RB_BED (name of the bed), RB_KEEP_BED=1 (leave it up, and use it when it is up),
# K3S (a real k3s to test against), RAILIANCE_CACHE.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/common.sh"
bed=$ROOT/tests/k3s/bed.sh
export RB_BED=${RB_BED:-e2e}

"$ROOT/tests/tools/install.sh" helm age etcdutl >/dev/null
image=$("$ROOT/scripts/image.sh")
export RB_TOOLS_BIN=$CACHE/bin RB_IMAGE=$IMAGE RB_IMAGE_TAR=$image
# On the node run the programs of the image, from the bundle that it was made of.
RB_BUILD_BIN=$("$ROOT/scripts/bundle.sh")/bin
export RB_BUILD_BIN
RB_PACKAGE=$("$ROOT/scripts/package.sh")
export RB_PACKAGE

# Disaster, three servers and installation have beds of their own, the other files share two. All of it goes on beside one
# another, since it mostly waits.
APART=("test_90_disaster.py test_92_three_servers.py" test_95_install.py)
SECOND="test_13_guard.py test_20_many_runs.py test_25_proven.py test_50_make.py test_60_profiles.py test_80_offsite.py"
apart=()
clean_up() {
  local name
  [ ${#apart[@]} = 0 ] || kill "${apart[@]}" 2>/dev/null || true
  wait
  rm -rf "$reports"
  for name in plain enc install s1 s2 s3 second; do "$bed" down "$RB_BED-$name" >/dev/null 2>&1 || true; done
  [ -n "${RB_KEEP_BED:-}" ] || "$bed" down "$RB_BED" >/dev/null 2>&1 || true
}
reports=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT TERM

cd "$here"
# tests REPORT [PYTEST ARGUMENTS]
tests() {
  PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m pytest -p no:cacheprovider -q --tb=short --durations=8 \
    --junitxml="$reports/$1.xml" "${@:2}"
}
# bed_for_tests NAME: is up afterwards, with the image in it.
bed_for_tests() {
  if [ -z "${RB_KEEP_BED:-}" ] || ! "$bed" list | grep -qx "$1"; then
    "$bed" up "$1" --node
  fi
  "$bed" import "$1" "$image"
}

if [ $# = 0 ]; then
  # shellcheck disable=SC2048
  for file in ${APART[*]} $SECOND; do set -- "$@" "--ignore=$file"; done
  for i in "${!APART[@]}"; do
    # shellcheck disable=SC2086
    (tests "apart-$i" ${APART[i]}) >"$reports/apart-$i.log" 2>&1 &
    apart+=($!)
  done
  bed_for_tests "$RB_BED-second" &
  second_starts=$!
  bed_for_tests "$RB_BED"
  wait "$second_starts"
  # shellcheck disable=SC2086
  (RB_BED=$RB_BED-second tests second $SECOND) >"$reports/apart-${#apart[@]}.log" 2>&1 &
  apart+=($!)
else
  bed_for_tests "$RB_BED"
fi

code=0
(tests bed "$@") || code=$?
for i in "${!apart[@]}"; do
  wait "${apart[i]}" || code=$?
  cat "$reports/apart-$i.log"
done
apart=()
/usr/bin/python3 - "$reports"/*.xml <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
passed = failed = 0
for report in sys.argv[1:]:
    suite = tree.parse(report).getroot().find("testsuite")
    total, failures, errors, skipped = (int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped"))
    failed += failures + errors
    passed += total - failures - errors - skipped
    for case in suite.iter("testcase"):
        for reason in case.iter("skipped"):
            print(f"SKIPPED: {case.get('name')}: {reason.get('message')}")
print(f"{passed} passed, {failed} failed")
PYTHON
[ "$code" = 0 ]
