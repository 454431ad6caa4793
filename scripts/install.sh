#!/usr/bin/env bash
# install.sh SOPS_YAML: the bundle to $PREFIX/lib/railiance-backup, links to its programs to $PREFIX/bin, the
# image into this host's k3s, the chart into the cluster. Run it on the k3s server, as root. IMAGE_TAR and
# BUNDLE_TAR name what was built elsewhere (make image, make tarball): then nothing is compiled here.
# HELM_ARGS is passed on to helm. Again, it keeps the values that were set since.
set -euo pipefail
umask 022 # everybody may run the programs, whatever root's own is
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/k3s-host.sh"

sops=${1:-.sops.yaml}
[ -r "$sops" ] || die "$sops: no such file; name yours with SOPS=path (its age recipients are who can open the backups)"
sops=$(realpath "$sops")
prefix=${PREFIX:-/usr/local}
if [ ! -w "$prefix" ]; then
  [ "$(id -u)" = 0 ] || die "$prefix is not writable; use sudo"
  die "$prefix is not there, or read-only (as /usr is on Flatcar, where k3s goes to /opt/bin): name another place, PREFIX=/opt"
fi

say "The programs"
home=$prefix/lib/railiance-backup
mkdir -p "$prefix/bin" "$prefix/lib"
rm -rf "$home.new"
mkdir "$home.new"
if [ -n "${BUNDLE_TAR:-}" ]; then
  tar -xzf "$BUNDLE_TAR" -C "$home.new" --strip-components=1 --no-same-owner
else
  bundle=$("$ROOT/scripts/bundle.sh")
  cp -a "$bundle/." "$home.new/"
fi
"$home.new/bin/railiance-backup" --version >/dev/null || die "the bundle's programs do not run here; is it one for $(uname -m)?"
rm -rf "$home"
mv "$home.new" "$home"
for program in railiance-backup railiance-restore; do
  ln -sfn "../lib/railiance-backup/bin/$program" "$prefix/bin/$program"
  note "$prefix/bin/$program"
done
# The same program as a plugin of kubectl.
for name in kubectl-railiance kubectl_complete-railiance; do
  ln -sfn ../lib/railiance-backup/bin/railiance-backup "$prefix/bin/$name"
done

# RHEL and its like: whoever types `sudo railiance-restore` at night should know before.
looks=$(sed -nE 's/^[[:space:]]*Defaults[[:space:]]+secure_path[[:space:]]*=[[:space:]]*"?([^"]*)"?.*/\1/p' "$K3S_ROOT/etc/sudoers" 2>/dev/null | tail -1 || true)
case ":$looks:" in
  :: | *":$prefix/bin:"*) ;;
  *) note "sudo does not look there on this host (secure_path in /etc/sudoers): say sudo $prefix/bin/railiance-restore" ;;
esac

# Below /usr/local/lib they have got the label of a library, or bring one of somebody's cache: no unit may run them.
if command -v restorecon >/dev/null; then
  restorecon -R "$home" "$prefix/bin/railiance-backup" "$prefix/bin/railiance-restore" || note "their SELinux labels are not set"
fi

find_kubeconfig
kubeconfig_is_there || die "no kubeconfig found${KUBECONFIG:+ (KUBECONFIG=$KUBECONFIG)}: the programs are installed, the chart is not; set KUBECONFIG"

if k3s=$(find_k3s); then
  tar=${IMAGE_TAR:-$("$ROOT/scripts/image.sh")}
  say "Importing the image into k3s"
  # What only the unit says k3s's own commands do not know: they would unpack themselves once more, on another disk.
  data=$(unit_data_dirs | tail -1)
  ${data:+env "K3S_DATA_DIR=$data"} "$k3s" ctr --namespace k8s.io images import "$tar" >/dev/null
else
  say "No k3s on this host: the image is not imported"
  note "the pods start only where the nodes have $IMAGE already, or a registry has it (HELM_ARGS='--set image.repository=…')"
fi

command -v helm >/dev/null || "$ROOT/tests/tools/install.sh" helm >/dev/null
# What somebody has set since the last time stays (agent.backupDir, offsite), and what a newer chart has besides gets its
# defaults: --reset-then-reuse-values, which Helm has since 3.14 only.
values=$(mktemp)
trap 'rm -f "$values"' EXIT
if ! said=$(helm get values railiance-backup --namespace railiance-backup --output yaml 2>&1 >"$values"); then
  case $said in
    *"release: not found"*) : >"$values" ;;
    *) die "the values of the installation cannot be read: $said" ;;
  esac
fi

say "Installing the chart"
# shellcheck disable=SC2086
helm upgrade --install railiance-backup "$ROOT/charts/railiance-backup" \
  --namespace railiance-backup --create-namespace --values "$values" \
  --set sops.existingConfigMap= --set-file "sops.config=$sops" \
  --wait --timeout 5m ${HELM_ARGS:-}
