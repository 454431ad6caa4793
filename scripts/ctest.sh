# Sourced by test.sh: runs ctest, and says what it gave. Uses BUILD, LOGS, count and skip.
# shellcheck shell=bash

# run_ctest DIRECTORY NAME COMMAND...: the command begins ctest; it reports to $LOGS/NAME.log and NAME.xml.
run_ctest() {
  local directory=$1 name=$2
  shift 2
  (cd "$directory" && "$@" --output-on-failure --test-output-size-passed 100000 \
    --output-junit "$LOGS/$name.xml") >"$LOGS/$name.log" 2>&1 || true
}

# tell_ctest SUITE SECONDS NAME...: what the runs of these names gave, as one suite.
tell_ctest() {
  local suite=$1 seconds=$2 name good=0 bad=0
  shift 2
  for name in "$@"; do
    if [ ! -s "$LOGS/$name.xml" ] || grep -q 'No tests were found' "$LOGS/$name.log"; then
      skip "$suite" "there are no tests in $LOGS/$name.log"
      bad=$((bad + 1))
      continue
    fi
    tell_failures "$LOGS/$name.log"
    read -r more_good more_bad <<<"$(count_cases "$LOGS/$name.xml")"
    good=$((good + more_good))
    bad=$((bad + more_bad))
    tell_junit "$suite" "$LOGS/$name.xml"
  done
  count "$suite" "$good" "$bad" "$seconds"
}

# tell_labels NAME LABEL...: what one run of several labels gave, each as a suite; its seconds are those of its tests, added.
tell_labels() {
  local run=$1 label names good bad
  shift
  tell_failures "$LOGS/$run.log"
  for label; do
    names=$(cd "$BUILD" && ctest -N -L "^$label\$" | sed -n 's/^ *Test *#[0-9]*: //p' | tr '\n' ' ')
    cut_junit "$names" "$LOGS/$run.xml" >"$LOGS/$label.xml" || true
    if [ ! -s "$LOGS/$label.xml" ]; then
      skip "$label" "there are no tests in $LOGS/$run.log"
      count "$label" 0 1 0
      continue
    fi
    read -r good bad <<<"$(count_cases "$LOGS/$label.xml")"
    tell_junit "$label" "$LOGS/$label.xml"
    count "$label" "$good" "$bad" "$(seconds_of "$LOGS/$label.xml")"
  done
}

# cut_junit "NAME NAME …" FILE: these of its tests.
cut_junit() {
  awk -v names=" $1 " 'BEGIN { RS = "</testcase>"; ORS = "</testcase>" }
    match($0, /<testcase name="[^"]*"/) && index(names, " " substr($0, RSTART + 16, RLENGTH - 17) " ") { print substr($0, RSTART) }' "$2"
}

seconds_of() {
  awk 'match($0, /<testcase .* time="[0-9.e+-]*"/) { sub(/.* time="/, "", $0); sum += $0 } END { printf "%d\n", sum + 0.5 }' "$1"
}

# The tests that failed, each with the end of its output.
tell_failures() {
  awk '/^ *[0-9]+\/[0-9]+ Test +#/ { flush_out(); failed = /\*\*\*/ && !/Skipped/; if (failed) print }
    failed && !/Test +#/ { lines[++n] = $0 }
    / tests passed, / { flush_out() }
    function flush_out(  i) { for (i = n > 40 ? n - 40 : 1; i <= n; ++i) print "   | " substr(lines[i], 1, 400); n = 0; failed = 0 }
    END { flush_out() }' "$1" >&2
}

# Cases in a JUnit file: "GOOD BAD".
count_cases() {
  local good bad plain_good plain_bad
  good=$(sed -n 's/.*\[doctest\] test cases: *[0-9]* *| *\([0-9]*\) passed.*/\1/p' "$1" | paste -sd+ - | bc)
  bad=$(sed -n 's/.*\[doctest\] test cases:.*| *\([0-9]*\) failed.*/\1/p' "$1" | paste -sd+ - | bc)
  # Tests without doctest's line, and programs that ended otherwise than by a failed case.
  read -r plain_good plain_bad <<<"$(count_plain "$1")"
  echo "$((${good:-0} + plain_good)) $((${bad:-0} + plain_bad))"
}

# What did not run and why, and what campaigns of faults tried and found.
tell_junit() {
  local suite=$1 junit=$2 line
  while read -r line; do
    [ -z "$line" ] || skip "$suite" "$line"
  done <<<"$(sed -n 's/.*NOT RUN: //p' "$junit")"
  while read -r line; do
    [ -z "$line" ] || note "$line"
  done <<<"$(sed -n 's/^FAULTS //p' "$junit")"
  while read -r line; do
    [ -z "$line" ] || skip "$suite/$line" "$(skip_reason "$line")"
  done <<<"$(sed -n 's/.*<testcase name="\([^"]*\)".*status="notrun".*/\1/p' "$junit")"
}

# "GOOD BAD" over the test cases of a JUnit file whose output has no line of doctest, and over those
# that failed without a failed case in it.
count_plain() {
  awk 'BEGIN { RS = "</testcase>" }
    /<testcase / {
      doctest = /\[doctest\] test cases:/
      bad_case = /\[doctest\] test cases:[^\n]*\| *[1-9][0-9]* failed/
      if (/status="run"/ && !doctest) good++
      if (/status="fail"/ && !bad_case) bad++
    }
    END { print good + 0, bad + 0 }' "$1"
}

skip_reason() {
  case $1 in
    golden_chart) echo "helm is not installed (tests/tools/install.sh helm)" ;;
    *) echo "it said so; see $LOGS" ;;
  esac
}
