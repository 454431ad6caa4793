#!/bin/bash
# Holds the copies off-site: the real programs, a real API server, a real WebDAV server. No pods.
#   tests/integration/offsite/run.sh BUILD-DIRECTORY [pytest options]
# Needs root, apache2-bin, rclone, python3-pytest (make deps).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
program() { find "$build" -xdev -type f -name "$1" -perm -u+x | head -1; }
exec env RB_AGENT="$(program railiance-backup-agent)" \
  RB_CONTROLLER="$(program railiance-backup-controller)" \
  RB_RESTORE="$(program railiance-restore)" \
  RB_TEST_KUBECONFIG=/etc/rancher/k3s/k3s.yaml \
  "$here/../../k3s/bed.sh" run "offsite-$$" -- \
  "$here/inside.sh" "$@"
