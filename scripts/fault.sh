#!/usr/bin/env bash
# fault.sh [PART...]: builds, and runs the whole fault suite (tests/fault/run.sh).
set -euo pipefail
. "$(dirname "$0")/common.sh"
say "Building"
build=$("$ROOT/scripts/build.sh" dev test)
exec "$ROOT/tests/fault/run.sh" "$build" "$@"
