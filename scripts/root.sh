#!/usr/bin/env bash
# root.sh [ARCH]: makes the build root, in which everything that is shipped is compiled: a directory below
# $RAILIANCE_CACHE/root with Debian 13's packages of bundle/packages. Prints its path. Made once for each
# list of packages; remove the directory to have it made anew, with Debian's newest versions.
#
# ARCH: for which architecture it compiles; default: this machine's. Another one's root is one of this machine, too: it
# has a cross compiler, and the libraries of ARCH beside its own (bundle/packages-ARCH).
set -euo pipefail
. "$(dirname "$0")/common.sh"

suite=trixie
arch=${1:-$NATIVE_ARCH}
list=$ROOT/bundle/packages
name=$suite
architectures=$NATIVE_ARCH
if [ "$arch" != "$NATIVE_ARCH" ]; then
  list=$list-$arch
  name=$suite-$arch
  architectures=$NATIVE_ARCH,$arch
  [ -e "$list" ] || die "there is no cross build from $NATIVE_ARCH for $arch (no ${list#"$ROOT"/})"
fi
packages=$(sort "$list" | paste -sd, -)
root=$CACHE/root/$name-$(echo "$packages" | sha256sum | cut -c1-12)
if [ -e "$root/.complete" ]; then
  echo "$root"
  exit 0
fi
[ "$(id -u)" = 0 ] || die "the build root is made by root: use sudo"
command -v mmdebstrap >/dev/null || die "mmdebstrap is not installed; run: sudo make deps"

# This machine's own mirrors, asked for another release of Debian. mmdebstrap knows Debian's own where there are none.
sources() {
  local codename
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016
  apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null |
    sed -En "s/^(deb [^ ]+ )$codename(|-updates|-security) /\1$suite\2 /p" | sort -u
}

# How this machine's apt reaches them.
settings() {
  apt-config dump 2>/dev/null | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) ' || true
}

# Several scripts need it, and run at the same time.
mkdir -p "$CACHE/root"
exec 9>"$CACHE/root/$name.lock"
flock 9
if [ -e "$root/.complete" ]; then
  echo "$root"
  exit 0
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/railiance-root-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
sources >"$work/sources.list"
settings >"$work/apt.conf"
lists=()
if [ -s "$work/sources.list" ]; then
  lists=("$work/sources.list")
fi
rm -rf "$root"
say "Making the build root for $arch: Debian 13 with a compiler and libraries (2 minutes)"
# As the published slim image: no documentation, no translations. Of the emulators, 450 MB, the one.
if ! mmdebstrap --mode=root --variant=apt --format=directory --architectures="$architectures" --include="$packages" \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --dpkgopt='path-exclude=/usr/bin/qemu-*' \
  --dpkgopt='path-include=/usr/bin/qemu-aarch64' \
  --dpkgopt=force-unsafe-io \
  --aptopt="$work/apt.conf" --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
  "$suite" "$root" "${lists[@]}" >"$CACHE/root/$name.log" 2>&1; then
  tail -15 "$CACHE/root/$name.log" >&2
  rm -rf "$root"
  die "the build root could not be made (its log: $CACHE/root/$name.log); does 'apt-get update' work here, and is debian-archive-keyring current?"
fi
mkdir -p "$root/source" "$root/build" "$root/ccache" "$root/out"
touch "$root/.complete"
echo "$root"
