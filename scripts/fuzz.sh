#!/usr/bin/env bash
# fuzz.sh [SECONDS [TARGET...]]: fuzzes each target (default: all) for so long (default: 600 each), with
# AddressSanitizer and UndefinedBehaviorSanitizer, JOBS at a time. New inputs go to
# $RAILIANCE_CACHE/fuzz/TARGET, not into the tree. Prints a line per target; ends with 1 when one found
# something, and says where the input lies: put it into tests/fuzz/corpus/TARGET when it is mended.
set -euo pipefail
. "$(dirname "$0")/common.sh"
seconds=${1:-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "not a number of seconds: $seconds (make fuzz ARGS=\"600 fuzz_age_header\")"
shift $(($# > 0 ? 1 : 0))
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  mapfile -t targets < <(find "$ROOT/tests/fuzz" -xdev -maxdepth 1 -name 'fuzz_*.cpp' -printf '%f\n' | sed 's/\.cpp$//' | sort)
fi
say "Building (the first time takes some minutes)"
build=$(RB_TARGETS="${targets[*]}" "$ROOT/scripts/build.sh" fuzz fuzz)
found=$CACHE/fuzz
mkdir -p "$found"

fuzz() {
  local target=$1 code=0 runs
  mkdir -p "$found/$target"
  "$build/tests/fuzz/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -use_value_profile=1 \
    -print_final_stats=1 -artifact_prefix="$found/$target-" "$found/$target" "$ROOT/tests/fuzz/corpus/$target" \
    >"$found/$target.log" 2>&1 || code=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/$target.log")
  if [ "$code" = 0 ]; then
    echo "$target: $runs inputs in $seconds s, nothing found"
  else
    echo "$target: FOUND something after $runs inputs; see $found/$target.log"
    return 1
  fi
}
export -f fuzz
export build found seconds ROOT
say "Fuzzing ${#targets[@]} targets, $seconds s each, ${JOBS:-2} at a time"
printf '%s\n' "${targets[@]}" | xargs -P "${JOBS:-2}" -I{} bash -c 'fuzz {}' || exit 1
