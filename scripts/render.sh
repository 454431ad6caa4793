#!/usr/bin/env bash
# Brings what is made from crds/ and the chart up to date: the chart's copies of the CRDs, of the
# alerts and of the dashboard (deploy/monitoring), and deploy/railiance-backup.yaml. With --check it changes nothing and fails where something is stale.
set -euo pipefail
. "$(dirname "$0")/common.sh"

chart=$ROOT/charts/railiance-backup
command -v helm >/dev/null || die "helm is not installed (run: make deps)"
work=$(mktemp -d /tmp/railiance-render-XXXXXX)
trap 'rm -rf "$work"' EXIT

# The namespace, and the chart without what only Helm needs: all that is installed but the ConfigMap with
# the recipients, which kustomize or `railiance-backup install` makes.
render_deploy() {
  cat <<'HEADER'
# Made from namespace.yaml and charts/railiance-backup by `make deploy-manifests`; change those, not this file.
---
HEADER
  cat "$ROOT/deploy/namespace.yaml"
  helm template railiance-backup "$chart" --namespace railiance-backup --kube-version 1.34.0 \
    --set sops.existingConfigMap=railiance-backup-sops |
    sed -e '/^ *helm\.sh\/chart:/d' -e '/^# Source:/d' \
      -e '/^  annotations:$/{N;/helm\.sh\/resource-policy:/d}' \
      -e '/^ *app\.kubernetes\.io\/instance:/d' \
      -e 's/^\( *app\.kubernetes\.io\/managed-by:\) Helm/\1 kustomize/' \
      -e 's/[ ]*$//' |
    awk '!(/^$/ && previous == "---") { print } { previous = $0 }'
}

mkdir -p "$work/crds"
cp "$ROOT"/crds/*.yaml "$work/crds/"
if [ "${1:-}" = --check ]; then
  diff -r "$work/crds" "$chart/files/crds" ||
    die "the chart's copies of crds/ are not current; run: make chart"
  diff -r "$ROOT/deploy/monitoring" "$chart/files/monitoring" ||
    die "the chart's copies of deploy/monitoring are not current; run: make chart"
  render_deploy >"$work/deploy.yaml"
  diff "$work/deploy.yaml" "$ROOT/deploy/railiance-backup.yaml" ||
    die "deploy/railiance-backup.yaml is not current; run: make deploy-manifests"
  exit 0
fi
mkdir -p "$chart/files/crds"
rm -f "$chart"/files/crds/*.yaml
cp "$work"/crds/*.yaml "$chart/files/crds/"
mkdir -p "$chart/files/monitoring"
cp "$ROOT"/deploy/monitoring/* "$chart/files/monitoring/"
render_deploy >"$work/deploy.yaml"
cp "$work/deploy.yaml" "$ROOT/deploy/railiance-backup.yaml"
