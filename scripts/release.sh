#!/usr/bin/env bash
# release.sh [--key FILE | --unsigned] [--allow-dirty]: makes everything that people install from, in $RAILIANCE_DIST
# (default: dist), whose path it prints. docs/release.md says what each file is.
#
#   --key FILE     minisign's secret key, which signs SHA256SUMS (RELEASE_KEY is the same)
#   --unsigned     without a signature, to look at or to compare
#   --allow-dirty  of a tree that is no commit; the version says so
#
# RELEASE_ARCHS: for which architectures; default: "amd64 arm64". The same commit, the same build roots and the same
# release of Debian give the same files, wherever the checkout lies (release-check.sh).
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/in-root.sh"
. "$(dirname "$0")/lay-out.sh"
umask 022

export LC_ALL=C.UTF-8 # the order of names
key=${RELEASE_KEY:-}
unsigned=
dirty=
while [ $# -gt 0 ]; do
  case $1 in
    --key)
      key=${2:?the file with the secret key}
      shift
      ;;
    --unsigned) unsigned=1 ;;
    --allow-dirty) dirty=1 ;;
    *) die "unknown option: $1 (--key FILE, --unsigned, --allow-dirty)" ;;
  esac
  shift
done
read -ra archs <<<"${RELEASE_ARCHS:-amd64 arm64}"
dist=${RAILIANCE_DIST:-$ROOT/dist}

# What would fail at the end is said at the beginning.
RB_COMMIT=$(commit_of .)
[ -n "$RB_COMMIT" ] || die "a release is made of a commit, and this tree has no git; clone the repository"
case $RB_COMMIT in
  *-dirty) [ -n "$dirty" ] || die "the tree differs from its commit ($(project_git status --porcelain | head -3 | tr -s ' \n' ' ')…); commit or stash that, or say --allow-dirty" ;;
esac
if [ -z "$unsigned" ]; then
  [ -n "$key" ] || die "no key to sign with: --key FILE (minisign -G makes one), or --unsigned"
  [ -r "$key" ] || die "$key: cannot be read; it is to be minisign's secret key"
  command -v minisign >/dev/null || die "minisign is not installed; run: sudo make deps"
fi
[ "$(id -u)" = 0 ] || die "what is shipped is compiled in a root of its own, which only root can enter: use sudo"
command -v helm >/dev/null || "$ROOT/tests/tools/install.sh" helm >/dev/null
SOURCE_DATE_EPOCH=$(project_git log -1 --format=%ct)
export RB_COMMIT SOURCE_DATE_EPOCH
release=$VERSION
[ "${RB_COMMIT%-dirty}" = "$RB_COMMIT" ] || release=$VERSION-dirty

rm -rf "$dist.part"
mkdir -p "$dist.part"
work=$(mktemp -d "${TMPDIR:-/tmp}/railiance-release-XXXXXX")
trap 'rm -rf "$work" "$dist.part"' EXIT
trap 'exit 130' INT TERM
# Who makes it, as the chart says it for all: a name, with an address in <> where the chart has one.
maintainer=$(awk '/^[^ ]/ { on = /^maintainers:/ }
  on && sub(/^ *- name: */, "") { name = $0; ++names }
  on && sub(/^ *email: */, "") { name = name " <" $0 ">" }
  END { if (names == 1) print name }' "$ROOT/charts/railiance-backup/Chart.yaml")
[ -n "$maintainer" ] || die "charts/railiance-backup/Chart.yaml: one entry of maintainers is wanted"
root=$("$ROOT/scripts/root.sh")
pack=$ROOT/bundle/pack.py

declare -A bundles
for arch in "${archs[@]}"; do
  bundles[$arch]=$("$ROOT/scripts/bundle.sh" "$arch")
done
# Its programs print their help and completion.
native=${bundles[$NATIVE_ARCH]:-$("$ROOT/scripts/bundle.sh")}

say "Packing railiance-backup $release ($RB_COMMIT) for ${archs[*]}"
mapfile -t roots < <(for arch in "${archs[@]}"; do dirname "${bundles[$arch]}"; done)
layout=$dist.part/railiance-backup-$release-image-oci.tar
"$pack" image "$IMAGE" "$layout" "${roots[@]}" >/dev/null
# The name that the manifests ask for has the digest of the image for all architectures in it: another build never hides
# behind the same name, and the servers of one cluster may differ.
unique=$(unique_name "$layout")
manifests_of "$unique" >"$dist.part/railiance-backup.yaml"

for arch in "${archs[@]}"; do
  bundle=${bundles[$arch]}
  name=$dist.part/railiance-backup-$release-linux-$arch
  image=$dist.part/railiance-backup-$release-image-$arch.tar
  "$pack" image "$IMAGE,$unique" "$image" "$(dirname "$bundle")" >/dev/null
  lay_out "$work/railiance-backup" "$bundle" "$image" "$dist.part/railiance-backup.yaml"
  "$pack" tarball "$work/railiance-backup" "$name.tar.gz" >/dev/null
  rm -rf "$work/railiance-backup"
  install -m 0755 "$bundle/bin/railiance-restore" "$dist.part/railiance-restore-$release-linux-$arch"
  "$ROOT/packaging/sbom.py" "$bundle" railiance-backup "$release" "$RB_COMMIT" "$arch" "$maintainer" >"$name.spdx.json"
  # Debian sorts ~ before everything, so that the release itself is newer than what led to it.
  mkdir -p "$work/$arch"
  "$ROOT/packaging/deb.sh" "$work/$arch/tree" "$bundle" "$native" "$image" \
    "$dist.part/railiance-backup.yaml" "$name.spdx.json" "${release/-/\~}" "$arch" "$maintainer"
  in_root "$root" "$work/$arch:/out" -- "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH" \
    dpkg-deb --root-owner-group --threads-max=1 -Zxz --build /out/tree /out/package.deb >/dev/null
  mv "$work/$arch/package.deb" "$dist.part/railiance-backup_${release/-/\~}_$arch.deb"
  rm -rf "${work:?}/$arch"
done

helm package "$ROOT/charts/railiance-backup" --version "$release" --destination "$work" >/dev/null
"$pack" again "$work/railiance-backup-$release.tgz" "$dist.part/railiance-backup-$release.tgz"

(cd "$dist.part" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
if [ -z "$unsigned" ]; then
  say "Signing"
  minisign -S -s "$key" -m "$dist.part/SHA256SUMS" -t "railiance-backup $release, commit $RB_COMMIT" >&2
fi
rm -rf "$dist"
mv "$dist.part" "$dist"
note "$(du -sm "$dist" | cut -f1) MB in $dist"
[ -z "$unsigned" ] || note "SHA256SUMS is not signed"
echo "$dist"
