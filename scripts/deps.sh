#!/usr/bin/env bash
# Installs what building and testing need, from Debian's packages. Says and does nothing when all
# of it is there. Needs root only when something is missing.
set -euo pipefail
. "$(dirname "$0")/common.sh"

PACKAGES="
  bc build-essential ca-certificates ccache cmake git jq ninja-build pkg-config
  libarchive-dev libbenchmark-dev libcli11-dev libcpprest-dev libre2-dev
  libspdlog-dev libsqlite3-dev libssl-dev libyaml-cpp-dev nlohmann-json3-dev prometheus-cpp-dev zlib1g-dev
  doctest-dev
  clang clang-format clang-tidy shellcheck sqlite3
  containerd containernetworking-plugins iproute2 iptables mmdebstrap procps runc strace
  systemd time util-linux
  python3 python3-pytest python3-yaml
  apache2-bin btrfs-progs e2fsprogs minisign openssl prometheus rclone xfsprogs
"
# The least that go.mod files here name; an older one cannot fetch it by itself before 1.21.
GO_WANTED=1.24
GO_LEAST=1.21

missing_packages() {
  local package
  for package in $PACKAGES; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      echo "$package"
  done
}

# version_at_least HAVE WANTED
version_at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -1)" = "$2" ]
}

go_version() {
  command -v go >/dev/null && GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//'
}

# The newest golang-go that this machine's apt knows.
offered_go() {
  apt-cache policy golang-go 2>/dev/null | sed -n 's/^  Candidate: *\([0-9]*:\)*\([0-9.]*\).*/\2/p'
}

# The backports of this Debian, from the mirror that this machine uses already.
add_backports() {
  local codename mirror
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Codename: $codename" | head -1)
  if [ -z "$codename" ] || [ -z "$mirror" ]; then
    die "Go $GO_LEAST or newer is needed and this machine's apt offers none; install one and run this again"
  fi
  echo "deb $mirror $codename-backports main" >/etc/apt/sources.list.d/railiance-backports.list
  apt-get update -qq
  echo "$codename-backports"
}

# Go 1.21 and newer fetch the toolchain that go.mod names (GOTOOLCHAIN=auto).
install_go() {
  local have release
  have=$(go_version || true)
  if [ -n "$have" ] && version_at_least "$have" "$GO_LEAST"; then
    version_at_least "$have" "$GO_WANTED" || [ "$(go env GOTOOLCHAIN)" != local ] || go env -w GOTOOLCHAIN=auto
    return 0
  fi
  need_root "Go $GO_WANTED or newer"
  apt-get update -qq
  have=$(offered_go)
  if [ -n "$have" ] && version_at_least "$have" "$GO_LEAST"; then
    say "Installing Go $have"
    install_packages golang-go
  else
    say "Installing Go from Debian's backports"
    release=$(add_backports)
    install_packages "-t $release golang-go"
  fi
  go env -w GOTOOLCHAIN=auto
}

need_root() {
  [ "$(id -u)" = 0 ] || die "missing: $*; run: sudo make deps"
}

# containerd and Prometheus (its promtool) are used as programs only: their services are neither started now
# nor at the next boot.
install_packages() {
  local policy=/usr/sbin/policy-rc.d log=${TMPDIR:-/tmp}/railiance-apt.log code=0 made=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
    made=1
  fi
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1 >"$log" 2>&1 || code=$?
  [ -z "$made" ] || rm -f "$policy"
  if [ "$code" != 0 ]; then
    tail -20 "$log" >&2
    die "apt-get failed; its log: $log"
  fi
  if [ -d /run/systemd/system ]; then
    case " $1 " in
      *" containerd "*) systemctl disable --quiet containerd.service 2>/dev/null || true ;;
    esac
    case " $1 " in
      *" prometheus "*) systemctl disable --quiet prometheus.service 2>/dev/null || true ;;
    esac
  fi
}

command -v apt-get >/dev/null || die "this is not Debian; install the equivalents of: $PACKAGES"
missing=$(missing_packages | tr '\n' ' ')
if [ -n "$missing" ]; then
  need_root "$missing"
  say "Installing $(echo "$missing" | wc -w) packages"
  note "$missing"
  apt-get update -qq
  install_packages "$missing"
fi
install_go
