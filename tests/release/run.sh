#!/bin/bash
# run.sh: makes a release of this machine's architecture and tries what people do with it: check it, unpack it where
# nothing else is, install its package over an older one and take it away again. RELEASE_ARCHS="amd64 arm64" makes it whole
# (arm64 is looked at, not run). Ends with "N passed, N failed".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/common.sh"
. "$ROOT/scripts/in-root.sh"
. "$ROOT/tests/tools/check.sh"

export PYTHONDONTWRITEBYTECODE=1
arch=$NATIVE_ARCH
RELEASE_ARCHS=${RELEASE_ARCHS:-$arch}
export RELEASE_ARCHS
LOGS=$CACHE/logs
mkdir -p "$LOGS"
passed=0
failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/railiance-release-test-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# refused WORDS COMMAND...: it fails, and says why.
refused() {
  local words=$1
  shift
  if "$@" >"$work/said" 2>&1; then
    echo "not refused"
    return 1
  fi
  grep -F -- "$words" "$work/said" || {
    cat "$work/said"
    return 1
  }
}

# --- what no release is made of ---------------------------------------------------------------------
project_git clone --quiet "$ROOT" "$work/clone"
cp "$ROOT"/scripts/*.sh "$work/clone/scripts/"
git -C "$work/clone" add --all
git -C "$work/clone" -c user.name=t -c user.email=t@localhost commit --quiet --allow-empty -m "as it is here"
release_of_clone() { env RAILIANCE_DIST="$work/none" "$work/clone/scripts/release.sh" "$@"; }
echo changed >>"$work/clone/README.md"
check "a release on a dirty tree is refused, and the file is named" refused README.md release_of_clone --unsigned
check "… with the way out" refused --allow-dirty release_of_clone --unsigned
git -C "$work/clone" checkout --quiet README.md
check "a release without a key is refused" refused "--key FILE" release_of_clone
check "a release with a key that is not there is refused" refused "no-such.key: cannot be read" release_of_clone --key no-such.key
mv "$work/clone/.git" "$work/clone-git"
check "a release of a tree without git is refused" refused "this tree has no git" release_of_clone --unsigned
nothing_made() { [ ! -e "$work/none" ] && [ ! -e "$work/none.part" ]; }
check "… and none of them left anything" nothing_made
rm -rf "$work/clone" "$work/clone-git"

# --- a release ------------------------------------------------------------------------------------------
minisign -G -W -p "$work/test.pub" -s "$work/test.key" >/dev/null
dist=$work/dist
commit=$(commit_of .)
if ! RAILIANCE_DIST=$dist "$ROOT/scripts/release.sh" --allow-dirty --key "$work/test.key" >"$LOGS/release-made.log" 2>&1; then
  tail -20 "$LOGS/release-made.log" >&2
  die "there is no release; the log: $LOGS/release-made.log"
fi
release=$VERSION
[ -e "$dist/railiance-backup-$release.tgz" ] || release=$VERSION-dirty
debian=${release/-/\~}
package=$dist/railiance-backup_${debian}_$arch.deb
(cd "$dist" && stat -c '   %11s %n' -- *) >&2

all_files_summed() { [ "$(find "$dist" -type f ! -name 'SHA256SUMS*' | wc -l)" = "$(wc -l <"$dist/SHA256SUMS")" ]; }
check "SHA256SUMS has every file" all_files_summed
check "sha256sum -c takes them" sh -c "cd '$dist' && sha256sum --quiet --strict -c SHA256SUMS"
check "minisign -V takes the signature" minisign -Vm "$dist/SHA256SUMS" -p "$work/test.pub"
signed_words() { minisign -Vm "$dist/SHA256SUMS" -p "$work/test.pub" | grep -F "railiance-backup $release, commit $commit"; }
check "… which names version and commit" signed_words
changed_sums() {
  cp "$dist"/SHA256SUMS* "$work/"
  sed -i '1s/^./x/' "$work/SHA256SUMS"
  refused "verification failed" minisign -Vm "$work/SHA256SUMS" -p "$work/test.pub"
}
check "… and a changed SHA256SUMS is refused" changed_sums

image_name=$(sed -n 's/.*image: "\(railiance-backup:.*\)".*/\1/p' "$dist/railiance-backup.yaml" | sort -u)
check "the manifests name one image" test "$(wc -l <<<"$image_name")" = 1
# shellcheck disable=SC2086
check "the OCI layout is whole, for $RELEASE_ARCHS" "$here/image.py" "$dist/railiance-backup-$release-image-oci.tar" $RELEASE_ARCHS "$IMAGE"
for each in $RELEASE_ARCHS; do
  bundle=$("$ROOT/scripts/bundle.sh" "$each")
  check "the image archive for $each is whole, and has the name that the manifests ask for" \
    "$here/image.py" "$dist/railiance-backup-$release-image-$each.tar" "$each" "$IMAGE" "$image_name"
  check "the SBOM for $each holds to SPDX 2.3 and to the bundle" \
    "$here/spdx.py" "$dist/railiance-backup-$release-linux-$each.spdx.json" "$bundle"
  check "the package for $each says its architecture" \
    test "$(dpkg-deb -f "$dist/railiance-backup_${debian}_$each.deb" Architecture)" = "$each"
  statically() { readelf -lh "$1" >"$work/elf" && ! grep -q 'program interpreter' "$work/elf"; }
  check "railiance-restore for $each needs no loader" statically "$dist/railiance-restore-$release-linux-$each"
done
maintainer=$(dpkg-deb -f "$package" Maintainer)
one_maintainer() {
  [ -n "$maintainer" ] && [[ $maintainer != *localhost* ]]
  helm show chart "$dist/railiance-backup-$release.tgz" | grep -F "name: ${maintainer% <*}"
  grep -F "\"supplier\": \"Organization: ${maintainer% <*}" "$dist/railiance-backup-$release-linux-$arch.spdx.json"
  grep -Fx "Copyright: ${maintainer% <*}" "$ROOT/packaging/copyright"
}
check "package, SBOM, chart and copyright name the same maintainer" one_maintainer
chart_says() { helm show chart "$dist/railiance-backup-$release.tgz" >"$work/chart" && grep -F "$1" "$work/chart"; }
check "the chart has the version" chart_says "version: $release"
check "… and says Artifact Hub which image it runs" chart_says "image: $IMAGE"
check "… and renders" helm template t "$dist/railiance-backup-$release.tgz" --set sops.existingConfigMap=s

# --- where nothing else is -------------------------------------------------------------------------------
empty=$work/empty
mkdir -p "$empty/opt/tools"
tar -xzf "$dist/railiance-backup-$release-linux-$arch.tar.gz" -C "$empty/opt/tools"
says_version() { [ "$("$@" --version)" = "$(basename "${@: -1}") $VERSION (commit $commit)" ]; }
for program in railiance-backup railiance-backup-controller railiance-backup-agent railiance-restore; do
  check "$program runs in a root that has only the tarball, and names the commit" \
    says_version chroot "$empty" "/opt/tools/railiance-backup/bin/$program"
done
alone() { [ "$(ls -A "$empty")" = opt ] && [ ! -e "$empty/lib64" ]; }
check "… which has no /lib64, as Alpine and NixOS have none" alone
mkdir "$empty/bin"
cp "$dist/railiance-restore-$release-linux-$arch" "$empty/bin/railiance-restore"
check "the static railiance-restore runs there alone" says_version chroot "$empty" /bin/railiance-restore

# --- the package ----------------------------------------------------------------------------------------
# A system of its own that has nothing else: the scripts of the package run outside of it (DPKG_ROOT).
system=$work/system
mkdir -p "$system/var/lib/dpkg/info" "$system/var/lib/dpkg/updates" "$system/var/lib/dpkg/triggers"
touch "$system/var/lib/dpkg/status" "$system/var/lib/dpkg/available"
dpkg_there() { dpkg --root="$system" --force-script-chrootless --log="$work/dpkg.log" "$@"; }
# An older package: with a file that the new one has no more, one that differs, and a unit that is enabled.
dpkg-deb -R "$package" "$work/older"
sed -i 's/^Version: .*/Version: 0.0.1/' "$work/older/DEBIAN/control"
echo old | tee "$work/older/usr/share/railiance-backup/of-the-old-one" >"$work/older/usr/share/railiance-backup/railiance-backup.yaml"
dpkg-deb --root-owner-group -Znone --build "$work/older" "$work/old.deb" >/dev/null
rm -rf "$work/older"
# What an operator has, none of which is the package's.
kept="opt/backup/railiance/cluster/etcd-20260101T020000Z.snap.age var/lib/railiance-backup/signing.key root/.config/sops/age/keys.txt
  etc/rancher/k3s/config.yaml var/lib/rancher/k3s/server/manifests/railiance-backup.yaml etc/systemd/system/railiance-drill.timer"
for file in $kept; do
  mkdir -p "$(dirname "$system/$file")"
  echo "of the operator" >"$system/$file"
done
wants=$system/etc/systemd/system/timers.target.wants
mkdir -p "$wants"
all_kept() { (cd "$system" && for file in $kept; do grep -qx "of the operator" "$file"; done); }

check "the package installs on a system that has nothing else" dpkg_there -i "$work/old.deb"
ln -s /usr/lib/systemd/system/railiance-verify.timer "$wants/railiance-verify.timer"
ln -s /etc/systemd/system/railiance-drill.timer "$wants/railiance-drill.timer"
check "a newer one installs over it" dpkg_there -i "$package"
new_alone() {
  [ ! -e "$system/usr/share/railiance-backup/of-the-old-one" ] &&
    cmp "$dist/railiance-backup.yaml" "$system/usr/share/railiance-backup/railiance-backup.yaml"
}
check "… and leaves nothing of the old one" new_alone
check "… and no timer that was enabled is off" test -L "$wants/railiance-verify.timer"
for program in railiance-backup railiance-restore; do
  check "/usr/bin/$program runs" says_version chroot "$system" "/usr/bin/$program"
done
as_plugin() { chroot "$system" /usr/bin/kubectl-railiance --version | grep -F "$VERSION"; }
check "/usr/bin/kubectl-railiance is the same program" as_plugin
# What the tarball has for `install`: as in the package.
in_tarball() {
  cmp "$dist/railiance-backup-$release-image-$arch.tar" "$empty/opt/tools/railiance-backup/share/images/railiance-backup.tar"
  cmp "$dist/railiance-backup.yaml" "$empty/opt/tools/railiance-backup/share/railiance-backup.yaml"
}
check "the tarball has the image and the manifests, too" in_tarball
has_image() { cmp "$dist/railiance-backup-$release-image-$arch.tar" "$system/usr/share/railiance-backup/images/railiance-backup.tar"; }
check "the image archive lies where the install command finds it" has_image
units_run() {
  local program
  grep -h '^ExecStart=' "$system"/usr/lib/systemd/system/railiance-*.service | sed 's/^ExecStart=\([^ ]*\).*/\1/' | sort -u >"$work/run"
  [ -s "$work/run" ]
  while read -r program; do [ -e "$system$program" ] || [ -L "$system$program" ]; done <"$work/run"
}
check "each unit starts a program that is there" units_run
completes() { bash -c ". '$system/usr/share/bash-completion/completions/railiance-backup' && complete -p railiance-backup"; }
check "bash completes the command" completes
# Each option that the program has is on its page.
page_is_whole() {
  local option
  gzip -dc "$1" | sed 's/\\-/-/g' >"$work/page"
  chroot "$system" "/usr/bin/$2" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u >"$work/options"
  chroot "$system" "/usr/bin/$2" "$3" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u >>"$work/options"
  [ "$(wc -l <"$work/options")" -gt 6 ]
  while read -r option; do grep -qF -- "$option" "$work/page" || { echo "$option is not on the page"; return 1; }; done <"$work/options"
}
check "railiance-backup(1) has every option" page_is_whole "$system/usr/share/man/man1/railiance-backup.1.gz" railiance-backup create
check "railiance-restore(8) has every option" page_is_whole "$system/usr/share/man/man8/railiance-restore.8.gz" railiance-restore verify
check "dpkg finds every file as it was packed" sh -c "[ -z \"\$(dpkg --root='$system' --verify railiance-backup)\" ]"
check "the package goes" dpkg_there -r railiance-backup
timers_off() { [ ! -L "$wants/railiance-verify.timer" ] && [ -L "$wants/railiance-drill.timer" ]; }
check "… and its timers with it, but none of the operator's own" timers_off
check "… also when all of it is purged" dpkg_there -P railiance-backup
check "… and sets, keys and configuration stay" all_kept
nothing_left() { [ -z "$(find "$system/usr" -type f)" ] && [ ! -e "$system/usr/lib/railiance-backup" ]; }
check "… and nothing else does" nothing_left

# --- again ----------------------------------------------------------------------------------------------
again() (
  umask 077
  mkdir "$work/tmp"
  env TZ=Pacific/Auckland TMPDIR="$work/tmp" RAILIANCE_DIST="$work/again" "$ROOT/scripts/release.sh" --allow-dirty --unsigned
  diff "$dist/SHA256SUMS" "$work/again/SHA256SUMS"
)
check "packed again at another time, in another zone and with another umask, it is the same to the byte" again
echo "SKIPPED: the release compiled twice in different directories (make release-check)"
[[ " $RELEASE_ARCHS " == *" arm64 "* ]] || echo "SKIPPED: the release for arm64 (RELEASE_ARCHS=\"amd64 arm64\" tests/release/run.sh)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
