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

# What there is of k3s on this host, below $K3S_ROOT (tests: another directory than /).
K3S_ROOT=${K3S_ROOT:-}

# The words of k3s's units and of their environment files, one a line.
k3s_words() {
  cat "$K3S_ROOT"/usr/lib/systemd/system/k3s*.service \
    "$K3S_ROOT"/etc/systemd/system/k3s*.service "$K3S_ROOT"/etc/systemd/system/k3s*.service.env \
    "$K3S_ROOT"/etc/systemd/system/k3s*.service.d/*.conf "$K3S_ROOT"/etc/init.d/k3s* "$K3S_ROOT"/etc/rancher/k3s/k3s.env \
    2>/dev/null | tr -d "'\"\\\\" | tr -s '[:space:]=' '\n' || true
}

# The k3s program: on PATH, where its installer puts it (/opt/bin where /usr/local can't be written to), or where its
# unit has it. Fails where there is none.
find_k3s() {
  local program
  [ -n "$K3S_ROOT" ] || ! command -v k3s || return 0
  for program in /usr/local/bin/k3s /opt/bin/k3s /usr/bin/k3s $(k3s_words | grep -E '^/[^ ]*/k3s$'); do
    if [ -x "$K3S_ROOT$program" ] && [ ! -d "$K3S_ROOT$program" ]; then
      echo "$K3S_ROOT$program"
      return 0
    fi
  done
  return 1
}

# What `railiance-backup install` has laid down for k3s to apply, below each data directory that k3s is told of.
laid_manifests() {
  local directory
  {
    echo /var/lib/rancher/k3s
    k3s_words | awk 'take { print; take = 0 } $0 == "--data-dir" || $0 == "-d" || $0 == "K3S_DATA_DIR" { take = 1 }'
    cat "$K3S_ROOT"/etc/rancher/k3s/config.yaml "$K3S_ROOT"/etc/rancher/k3s/config.yaml.d/*.yaml 2>/dev/null | tr -d "'\"" |
      sed -nE 's/^data-dir[[:space:]]*:[[:space:]]*([^[:space:]#]+).*/\1/p' || true
  } | sort -u | while read -r directory; do
    [ ! -e "$K3S_ROOT${directory%/}/server/manifests/railiance-backup.yaml" ] ||
      echo "$K3S_ROOT${directory%/}/server/manifests/railiance-backup.yaml"
  done
}

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
