#!/usr/bin/env bash
# Takes the chart out of the cluster, the programs out of $PREFIX/bin, and the timers that run them (drill-timer.sh).
# Backup sets, ClusterBackups and their CRDs stay.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/k3s-host.sh"
# First, for the command that takes it back is one of the programs.
laid=$(laid_manifests)
if [ -n "$laid" ]; then
  say "k3s applies what \`railiance-backup install\` has laid down here; nothing was removed"
  note "${laid//$'\n'/, }"
  die "take that back first:  sudo railiance-backup uninstall   then run this again"
fi
find_kubeconfig # the one by which install.sh put it there
if command -v helm >/dev/null && helm status railiance-backup -n railiance-backup >/dev/null 2>&1; then
  helm uninstall railiance-backup -n railiance-backup --wait
else
  note "the chart is not installed in the cluster of ${KUBECONFIG:-the default kubeconfig}"
fi
prefix=${PREFIX:-/usr/local}
if grep -qs "^ExecStart=$prefix/bin/railiance-restore " "$K3S_ROOT"/etc/systemd/system/railiance-{drill,verify}.service; then
  "$ROOT/scripts/drill-timer.sh" ${K3S_ROOT:+--root "$K3S_ROOT"} --remove
  note "the timer of \`make drill-timer\` is removed, too"
fi
rm -rf "$prefix/bin/railiance-backup" "$prefix/bin/railiance-restore" "$prefix/bin/kubectl-railiance" \
  "$prefix/bin/kubectl_complete-railiance" "$prefix/lib/railiance-backup"
sets=$(cat "$K3S_ROOT/var/lib/railiance-backup/backup-directory" 2>/dev/null || true) # of the agent
note "backup sets stay where they are: ${sets:-/opt/backup/railiance/cluster}"
note "the host's signing key, too: /var/lib/railiance-backup"
note "the CRDs and ClusterBackups stay, too: kubectl delete crd clusterbackups.backup.railiance.io nodebackups.backup.railiance.io backupstatuses.backup.railiance.io"
