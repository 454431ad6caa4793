#!/usr/bin/env bash
# mutants.sh [ARGUMENTS]: seeds bugs into a copy of the sources, one by one, and sees that a test fails
# for each (tests/mutants/run.py).
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || die "needs root, as the fault suite does: sudo make mutants"
export PYTHONDONTWRITEBYTECODE=1 CCACHE_BASEDIR=$CACHE/mutants/source CCACHE_NOHASHDIR=1
exec /usr/bin/python3 "$ROOT/tests/mutants/run.py" "$CACHE/mutants" -j "${JOBS:-2}" "$@"
