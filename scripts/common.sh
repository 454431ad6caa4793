# shellcheck shell=bash
# Sourced by the scripts beside it: where things are kept, and how they speak.
# Nothing here writes into the source tree.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${RAILIANCE_CACHE:-${HOME:-/root}/.cache/railiance-backup}
export RAILIANCE_CACHE=$CACHE
VERSION=$(sed -n 's/^project(railiance-backup VERSION \([0-9.]*\).*/\1/p' "$ROOT/CMakeLists.txt")
export IMAGE=railiance-backup:$VERSION

# Go and what it installs; cron and sudo have neither in PATH.
export PATH="$CACHE/bin:$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/usr/local/go/bin:${HOME:-/root}/go/bin"

say() { printf '\n== %s\n' "$*" >&2; }
note() { printf '   %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The digest of some of the project's files, their names and contents: a key for what is made
# from them. Takes paths below $ROOT.
digest_of() {
  (cd "$ROOT" && find "$@" -xdev -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) |
    sha256sum | cut -c1-16
}
