#!/bin/bash
# Formatting, clang-tidy, shellcheck. With --fix it formats the sources instead of complaining.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT"

mapfile -t sources < <(git ls-files -- '*.cpp' '*.hpp')
if [ "${1:-}" = --fix ]; then
  clang-format -i "${sources[@]}"
  exit 0
fi
say "clang-format"
clang-format --dry-run -Werror "${sources[@]}"
say "shellcheck"
git ls-files -- 'scripts/*.sh' '.ci/run' 'tests/*.sh' | xargs shellcheck --external-sources --source-path=SCRIPTDIR \
  --exclude=SC1091
say "clang-tidy"
build=$CACHE/build/tidy
CC=clang CXX=clang++ cmake --preset dev -B "$build" -DRB_WERROR=OFF >/dev/null
git ls-files -- 'lib/*.cpp' 'controller/*.cpp' 'hostagent/*.cpp' 'cli/*.cpp' |
  xargs -P "${JOBS:-2}" -n 4 clang-tidy -p "$build" --quiet
