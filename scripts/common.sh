# shellcheck shell=bash
# Sourced by the scripts beside it: where things are kept, and how they speak.
# Nothing here writes into the source tree, but for release.sh, whose result is dist/.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${RAILIANCE_CACHE:-${HOME:-/root}/.cache/railiance-backup}
export RAILIANCE_CACHE=$CACHE
VERSION=$(sed -n 's/^project(railiance-backup VERSION \([0-9.]*\).*/\1/p' "$ROOT/CMakeLists.txt")
export IMAGE=railiance-backup:$VERSION
# As Debian, Go and Kubernetes call this machine's architecture.
case $(uname -m) in
  x86_64) NATIVE_ARCH=amd64 ;;
  aarch64) NATIVE_ARCH=arm64 ;;
  *) NATIVE_ARCH=$(uname -m) ;;
esac
export NATIVE_ARCH

# What is made for ARCH lies in a directory of that name; this machine's own needs no suffix.
suffix_of() { [ "$1" = "$NATIVE_ARCH" ] || echo "-$1"; }

# Go and what it installs; cron and sudo have neither in PATH.
export PATH="$CACHE/bin:$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/usr/local/go/bin:${HOME:-/root}/go/bin"

say() { printf '\n== %s\n' "$*" >&2; }
note() { printf '   %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# git in the project's own checkout, whoever owns it; fails where the tree is none, as out of a tarball.
project_git() {
  [ -e "$ROOT/.git" ] && git --no-optional-locks -c safe.directory="$ROOT" -C "$ROOT" "$@"
}

# commit_of PATH...: the commit that programs of this tree name, with "-dirty" where one of the paths differs from it.
# Nothing without git.
commit_of() {
  local commit changes
  commit=$(project_git rev-parse HEAD 2>/dev/null) || return 0
  changes=$(project_git status --porcelain -- "$@")
  echo "${commit:0:12}${changes:+-dirty}"
}

# forget_precompiled DIRECTORY: before a build there. An outdated precompiled header would count as something that the new
# one is made from, and ccache would know neither it nor what is compiled with it.
forget_precompiled() {
  find "$1" -xdev -name '*.gch' ! -newer "$ROOT/cmake/precompiled.hpp" -delete
}

# The digest of some of the project's files, their names and contents: a key for what is made
# from them. Takes paths below $ROOT.
digest_of() {
  (cd "$ROOT" && find "$@" -xdev -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) |
    sha256sum | cut -c1-16
}
