#!/bin/bash
# deb.sh TREE BUNDLE NATIVE IMAGE MANIFESTS SBOM VERSION ARCH MAINTAINER: lays out at TREE what `dpkg-deb --build` makes a package of:
# the bundle with links to it in /usr/bin, completion, manual pages, documents, units, and for `railiance-backup install`
# the image of ARCH and the MANIFESTS that name it. NATIVE is a bundle whose programs run here: they print completion and help.
# SOURCE_DATE_EPOCH is the time of all files.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)
tree=$1 bundle=$2 native=$3 image=$4 manifests=$5 sbom=$6 version=$7 arch=$8 maintainer=$9
share=$tree/usr/share
documents=$share/doc/railiance-backup
units=$tree/usr/lib/systemd/system
mkdir -p "$tree/DEBIAN" "$tree/usr/bin" "$tree/usr/lib" "$share/railiance-backup/images" "$documents" "$units" "$share/man/man1" "$share/man/man8" \
  "$share/bash-completion/completions" "$share/fish/vendor_completions.d" "$share/zsh/vendor-completions"

cp -a "$bundle" "$tree/usr/lib/railiance-backup"
for name in railiance-backup railiance-restore; do
  ln -s "../lib/railiance-backup/bin/$name" "$tree/usr/bin/$name"
done
# kubectl takes programs of these names for its command `railiance`, and for what may come next on its line.
for name in kubectl-railiance kubectl_complete-railiance; do
  ln -s ../lib/railiance-backup/bin/railiance-backup "$tree/usr/bin/$name"
done

program=$native/bin/railiance-backup
"$program" completion bash >"$share/bash-completion/completions/railiance-backup"
"$program" completion fish >"$share/fish/vendor_completions.d/railiance-backup.fish"
"$program" completion zsh >"$share/zsh/vendor-completions/_railiance-backup"
"$here/man.py" "$program" 1 | gzip -9n >"$share/man/man1/railiance-backup.1.gz"
"$here/man.py" "$native/bin/railiance-restore" 8 | gzip -9n >"$share/man/man8/railiance-restore.8.gz"

# The units as they are for `make drill-timer`, with the package's paths. Nobody enables them but the operator.
for unit in "$here"/../deploy/host/*; do
  sed 's|/usr/local/bin/|/usr/bin/|g' "$unit" >"$units/$(basename "$unit")"
done

cp "$image" "$share/railiance-backup/images/railiance-backup.tar"
cp "$manifests" "$share/railiance-backup/railiance-backup.yaml"
cp "$sbom" "$documents/railiance-backup.spdx.json"
cp "$here/copyright" "$documents/copyright"
"$here/documents.sh" "$documents"
gzip -9n <"$here/../CHANGES.md" >"$documents/changelog.gz"

for script in postinst prerm postrm; do
  install -m 0755 "$here/$script" "$tree/DEBIAN/$script"
done
(cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
kib=$(find "$tree/usr" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d", sum / 1024 }')
cat >"$tree/DEBIAN/control" <<CONTROL
Package: railiance-backup
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $kib
Section: admin
Priority: optional
Suggests: rclone
Description: encrypted, verified backups of a k3s cluster
 Backs up a k3s cluster's etcd or SQLite, Helm values, kubeconfig and server token,
 encrypted with age to the keys of a .sops.yaml, verified, on the server itself,
 with nothing else needed: no central service and no network.
 .
 The package has the operator's commands, the container image of the controller and
 the agent, and the manifests that k3s applies. The programs bring their own
 libraries along.
CONTROL
find "$tree" -exec chmod go-w {} + -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
