# Sourced by the tests of scripts here: a directory of its own, and a count of what failed.
# shellcheck shell=bash
set -euo pipefail
# shellcheck disable=SC2034 # the tests use it
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d /tmp/railiance-scripts-XXXXXX)
trap 'rm -rf "$work"' EXIT
failures=0
# fail WORDS...: says so, with what was said and called last.
fail() {
  echo "FAILED: $*"
  cat "$work/said" "$work/calls" 2>/dev/null || true
  failures=$((failures + 1))
}
