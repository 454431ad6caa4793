#!/bin/bash
# install.sh SOPS_YAML: the programs to $PREFIX/bin, the image into this host's k3s, the chart into
# the cluster. Run it on the k3s server, as root. IMAGE_TAR names an image that was built elsewhere
# (make image); HELM_ARGS is passed on to helm.
set -euo pipefail
. "$(dirname "$0")/common.sh"

sops=${1:-.sops.yaml}
[ -r "$sops" ] || die "$sops: no such file; name yours with SOPS=path (its age recipients are who can open the backups)"
sops=$(realpath "$sops")
prefix=${PREFIX:-/usr/local}
[ -w "$prefix" ] || die "$prefix is not writable; use sudo"

command -v cmake >/dev/null || die "cmake is not installed; run: sudo make deps"

say "Building the programs"
make -s -C "$ROOT" build
for program in cli/railiance-backup hostagent/restore/railiance-restore; do
  install -D -m 0755 "$CACHE/build/release/$program" "$prefix/bin/$(basename "$program")"
  note "$prefix/bin/$(basename "$program")"
done

# The same search as the command's.
if [ -z "${KUBECONFIG:-}" ]; then
  for file in "$HOME/.kube/config-hosteurope" /etc/rancher/k3s/k3s.yaml "$HOME/.kube/config"; do
    [ -r "$file" ] && export KUBECONFIG=$file && break
  done
fi
[ -r "${KUBECONFIG:-}" ] || die "no kubeconfig found: the programs are installed, the chart is not; set KUBECONFIG"

if command -v k3s >/dev/null; then
  tar=${IMAGE_TAR:-$("$ROOT/scripts/image.sh")}
  say "Importing the image into k3s"
  k3s ctr --namespace k8s.io images import "$tar" >/dev/null
fi

command -v helm >/dev/null || "$ROOT/tests/tools/install.sh" helm >/dev/null
say "Installing the chart"
# shellcheck disable=SC2086
helm upgrade --install railiance-backup "$ROOT/charts/railiance-backup" \
  --namespace railiance-backup --create-namespace --set-file "sops.config=$sops" \
  --wait --timeout 5m ${HELM_ARGS:-}
