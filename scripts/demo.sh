#!/usr/bin/env bash
# The main job on a cluster of its own: k3s stand-in, image, chart, a few Helm releases, `make backup`,
# and stock age opening what it wrote. Takes everything down at the end; the cache stays.
set -euo pipefail
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || die "the test bed needs root: sudo make demo"
bed=$ROOT/tests/k3s/bed.sh
name=demo
work=$(mktemp -d /tmp/railiance-demo-XXXXXX)
making=
finish() {
  [ -z "$making" ] || kill -- "-$making" 2>/dev/null || true
  "$bed" down "$name" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

inside() { "$bed" exec "$name" "$@"; }

say "The programs, helm, age and a cluster to try them on (the first time, about 12 minutes on 2 cores)"
# Beside each other: what one of them fetches, unpacks or links leaves a core to the other.
setsid "$ROOT/scripts/image.sh" >"$work/image" &
making=$!
"$ROOT/tests/tools/install.sh" helm age >/dev/null
"$ROOT/tests/k3s/build.sh" >/dev/null
wait "$making" || die "there is no image (the reason is above)"
making=
bundle=$("$ROOT/scripts/bundle.sh")
say "A cluster: etcd, API server, kubelet, containerd"
"$bed" up "$name" --node >/dev/null
"$bed" import "$name" "$(cat "$work/image")" >/dev/null
inside ln -sf "$bundle/bin/railiance-backup" "$bundle/bin/railiance-restore" /usr/local/bin/

say "A SOPS key pair, and the chart with its public half"
age-keygen -o "$work/keys.txt" 2>/dev/null
printf 'creation_rules:\n  - age: %s\n' "$(age-keygen -y "$work/keys.txt")" >"$work/.sops.yaml"
inside helm upgrade --install railiance-backup "$ROOT/charts/railiance-backup" \
  -n railiance-backup --create-namespace --set-file "sops.config=$work/.sops.yaml" \
  --wait --timeout 3m | sed -n '1,5p'

say "A few Helm releases"
mkdir -p "$work/shop/templates"
printf 'apiVersion: v2\nname: shop\nversion: 1.4.2\n' >"$work/shop/Chart.yaml"
cat >"$work/shop/templates/config.yaml" <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  greeting: {{ .Values.greeting | quote }}
YAML
for release in shop billing mail; do
  inside helm upgrade --install "$release" "$work/shop" -n "$release" --create-namespace \
    --set greeting="hello from $release" --set-string port=0123 >/dev/null
  note "$release"
done

say "The main job"
cd /
printf '\n$ make backup\n'
inside env -i PATH=/usr/bin:/bin HOME=/root make --no-print-directory -C "$ROOT" backup
# shellcheck disable=SC2154
eval "$("$bed" env "$name" | grep '^BED_BACKUP_DIR=')"
files=$BED_BACKUP_DIR/railiance/cluster
helm_values=$(cd "$files" && ls helm-values-*.age)
printf '\n$ ls -l /opt/backup/railiance/cluster\n'
ls -lA "$files"
printf '\n$ head -c 60 %s\n' "$helm_values"
head -c 60 "$files/$helm_values" | LC_ALL=C tr -c '[:print:]\n' '.'
echo
printf '\n$ age -d -i keys.txt %s | tar xz; cat shop/shop.yaml\n' "$helm_values"
mkdir "$work/opened"
age -d -i "$work/keys.txt" "$files/$helm_values" | tar xzf - -C "$work/opened"
cat "$work/opened/shop/shop.yaml"
printf '\n$ railiance-restore verify\n'
inside railiance-restore verify

say "Done. The cluster is taken down; on your own k3s: README.md, \"Install it\""
