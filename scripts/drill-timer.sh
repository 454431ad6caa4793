#!/bin/sh
# drill-timer.sh [--key FILE] [--backup-dir DIR] [--root DIR] [--remove]: runs the drill every night
# as a systemd timer of this host. --root puts the units below another root and starts nothing.
# The private key stays where it is; the unit gets it as a credential. A host that holds the key can
# open its own backups: leave the timer away where that must not be, and drill where the key is.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
key=${SOPS_AGE_KEY_FILE:-${HOME:-/root}/.config/sops/age/keys.txt}
directory=${RAILIANCE_BACKUP_DIR:-/opt/backup/railiance/cluster}
root=
remove=
die() {
  echo "drill-timer.sh: $1" >&2
  echo "hint: $2" >&2
  exit 1
}
while [ $# -gt 0 ]; do
  case $1 in
    --key) key=$2; shift ;;
    --backup-dir) directory=$2; shift ;;
    --root) root=$2; shift ;;
    --remove) remove=1 ;;
    *) echo "usage: drill-timer.sh [--key FILE] [--backup-dir DIR] [--root DIR] [--remove]" >&2; exit 2 ;;
  esac
  shift
done
units=$root/etc/systemd/system
if [ -z "$root" ] && ! command -v systemctl >/dev/null; then
  die "this host has no systemd" "put it into cron: 30 5 * * * root /usr/local/bin/railiance-restore drill -i $key"
fi
if [ -n "$remove" ]; then
  [ -n "$root" ] || systemctl disable --now railiance-drill.timer || true
  rm -f "$units/railiance-drill.service" "$units/railiance-drill.timer"
  [ -n "$root" ] || systemctl daemon-reload
  exit 0
fi
# The paths become words of a unit file.
for path in "$key" "$directory"; do
  case $path in
    /*) ;;
    *) die "$path: not an absolute path" "name it from the root" ;;
  esac
  case $path in
    *[!A-Za-z0-9/._@+-]*) die "$path: a name that a unit file would need quoted" "use a path of letters, digits and ._@+-" ;;
  esac
done
{ [ -f "$key" ] && [ -r "$key" ]; } || die "$key: there is no private key" "name it with --key FILE"
program=${PREFIX:-/usr/local}/bin/railiance-restore
[ -n "$root" ] || [ -x "$program" ] || die "$program: not installed" "run: sudo make install"
mkdir -p "$units"
sed -e "s|/opt/backup/railiance/cluster|$directory|g" -e "s|/root/.config/sops/age/keys.txt|$key|g" \
  -e "s|/usr/local/bin/railiance-restore|$program|g" \
  "$here/deploy/host/railiance-drill.service" >"$units/railiance-drill.service"
cp "$here/deploy/host/railiance-drill.timer" "$units/railiance-drill.timer"
chmod 0644 "$units/railiance-drill.service" "$units/railiance-drill.timer"
if [ -z "$root" ]; then
  systemctl daemon-reload
  systemctl enable --now railiance-drill.timer
  systemctl list-timers railiance-drill.timer --no-pager
fi
