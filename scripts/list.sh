#!/bin/sh
# What can be restored: the ClusterBackups that the cluster knows of, then the sets on this disk.
# Fails only when neither can be listed: a dead cluster must not hide the files.
here=$(dirname "$0")
meant=${RAILIANCE_BACKUP_DIR:-$(cat /var/lib/railiance-backup/backup-directory 2>/dev/null || true)} # of the agent
directory=$meant
[ -d "$directory" ] || [ -n "${RAILIANCE_BACKUP_DIR:-}" ] || directory=/opt/backup/railiance/cluster
code=0
"$here/command.sh" railiance-backup list || code=$?
if [ -n "$meant" ] && [ ! -d "$meant" ]; then
  echo "$meant: there is no such directory; is its disk mounted?" >&2
fi
if [ -d "$directory" ]; then
  echo
  echo "Sets in $directory:"
  if "$here/command.sh" railiance-restore list --backup-dir "$directory"; then
    code=0
  fi
fi
exit "$code"
