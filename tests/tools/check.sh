# shellcheck shell=bash
# Sourced by suites that count commands: they set passed and failed to 0, and work to a directory of theirs.

# check NAME COMMAND...: counts whether it succeeds.
check() {
  local name=$1 code=0
  shift
  : "${work:?}"
  # Not as part of a condition, in which the shell would overlook all failures but the last.
  ("$@") >"$work/output" 2>&1 &
  wait $! || code=$?
  if [ "$code" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    note "FAILED: $name"
    sed 's/^/   | /' "$work/output" | tail -20 >&2
  fi
}
