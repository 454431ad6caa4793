#!/usr/bin/env bash
# Formatting, shellcheck, clang-tidy. With --fix it formats the sources instead of complaining.
# JOBS: how many clang-tidy at a time; default: one a core.
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
git ls-files -- 'scripts/*.sh' 'bundle/*.sh' 'packaging/*.sh' 'packaging/p*' '.ci/run' 'tests/*.sh' | xargs shellcheck --external-sources --source-path=SCRIPTDIR \
  --exclude=SC1091

say "clang-tidy"
build=$CACHE/build/tidy
if ! grep -qsx "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$build/CMakeCache.txt"; then
  rm -rf "$build" # another checkout's
fi
CC=clang CXX=clang++ cmake --preset dev -B "$build" -DRB_WERROR=OFF -DRB_PRECOMPILE=OFF >/dev/null

# A file found clean is not looked at again while it, what it includes of ours, the checks and the
# tool are what they were: its stamp holds their digests. So a run goes on where another one ended.
stamps=$CACHE/lint/$({ clang-tidy --version && clang-tidy --dump-config; } | sha256sum | cut -c1-16)
mkdir -p "$stamps"
tidy() {
  local stamp=$stamps/${1//\//_}
  sha256sum --check --status "$stamp" 2>/dev/null && return 0
  if ! clang-tidy -p "$build" --quiet --extra-arg=-H "$1" 2>"$stamp.log"; then # -H: names what is included
    grep -vE '^\.+ /|warnings? generated\.$' "$stamp.log" >&2
    return 1
  fi
  sed -n "s|^\.\+ $ROOT/||p" "$stamp.log" | sort -u | xargs sha256sum "$1" >"$stamp.part"
  mv "$stamp.part" "$stamp"
  rm "$stamp.log"
}
export -f tidy
export ROOT build stamps
git ls-files -- 'lib/*.cpp' 'controller/*.cpp' 'hostagent/*.cpp' 'cli/*.cpp' |
  xargs -P "${JOBS:-$(nproc)}" -I{} bash -euo pipefail -c 'tidy {}'
