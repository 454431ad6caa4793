#!/usr/bin/env bash
# cases.sh [DIRECTORY]: what the product makes of each input of tests/cases/inputs, or of DIRECTORY.
set -euo pipefail
. "$(dirname "$0")/common.sh"
build=$(RB_TARGETS=rb_cases "$ROOT/scripts/build.sh" dev test)
exec "$build/tests/cases/rb_cases" "$@"
