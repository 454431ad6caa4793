#!/usr/bin/env bash
# The benchmarks: builds the release with them, then leaves the rest to tests/bench/run.sh, which
# prints JSON and a table (arguments are passed on).
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ -x "$ROOT/tests/bench/run.sh" ] || die "tests/bench/run.sh: not there"
export RB_TARGETS="rb_age_bench rb_rewrap_bench rb_sqlite_bench run_large backup_here railiance-restore"
RB_BENCH_BUILD=$("$ROOT/scripts/build.sh" release bench -DRB_BUILD_TESTS=ON -DRB_BUILD_BENCH=ON)
export RB_BENCH_BUILD
exec "$ROOT/tests/bench/run.sh" "$@"
