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
RB_BUILD_BIN=$CACHE/e2e/bin
export RB_BUILD_BIN
# The commands as they are in the image are for the image's libraries; on the node run those that
# were built here.
mkdir -p "$RB_BUILD_BIN"
for program in railiance-backup railiance-restore; do
  found=$(find "$CACHE/build/test" -type f -name "$program" -perm -u+x 2>/dev/null | head -1)
  [ -n "$found" ] || die "$program is not built: run scripts/test.sh, which builds it first"
  cp -f "$found" "$RB_BUILD_BIN/$program"
done

if [ -z "${RB_KEEP_BED:-}" ]; then
  trap '"$bed" down "$RB_BED" >/dev/null 2>&1 || true' EXIT
  trap 'exit 130' INT TERM
fi
if [ -z "${RB_KEEP_BED:-}" ] || ! "$bed" list | grep -qx "$RB_BED"; then
  "$bed" up "$RB_BED" --node
fi
"$bed" import "$RB_BED" "$image"

report=$(mktemp)
cd "$here"
code=0
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -p no:cacheprovider -q --tb=short --durations=8 \
  --junitxml="$report" "$@" || code=$?
/usr/bin/python3 - "$report" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
total, bad, skipped = (int(suite.get(key)) for key in ("tests", "failures", "skipped"))
bad += int(suite.get("errors"))
for case in suite.iter("testcase"):
    for reason in case.iter("skipped"):
        print(f"SKIPPED: {case.get('name')}: {reason.get('message')}")
print(f"{total - bad - skipped} passed, {bad} failed")
PYTHON
rm -f "$report"
exit "$code"
