#!/bin/sh
# drill-timer.sh [--key FILE] [--backup-dir DIR] [--root DIR] [--remove] [--key-on-this-server]: proves the
# backups every night, as a systemd timer of this host. Where the private key is and the backups are copied
# to, that is the drill: every file of the newest is opened. On the server that makes the backups it is
# `verify --all` without a key: digests, signatures and the kit; the private key does not belong there, since
# a host that holds it can open all its own backups. --key-on-this-server drills there all the same. --root
# puts the units below another root and starts nothing. The key stays where it is; the unit gets it as a
# credential. The unit runs as whoever owns the directory: it has no capability to read what others own.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
key=
directory=${RAILIANCE_BACKUP_DIR:-}
root=
remove=
on_server=
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
    --key-on-this-server) on_server=1 ;;
    *)
      echo "usage: drill-timer.sh [--key FILE] [--backup-dir DIR] [--root DIR] [--remove] [--key-on-this-server]" >&2
      exit 2
      ;;
  esac
  shift
done
[ -n "$directory" ] || directory=$(cat "$root/var/lib/railiance-backup/backup-directory" 2>/dev/null || true) # of the agent
[ -n "$directory" ] || directory=/opt/backup/railiance/cluster
units=$root/etc/systemd/system
program=${PREFIX:-/usr/local}/bin/railiance-restore
[ -n "$root" ] || [ -x "$program" ] || [ ! -x /usr/bin/railiance-restore ] || program=/usr/bin/railiance-restore # of the package
# A line of root's own crontab: only /etc/crontab and /etc/cron.d name a user, and not every cron has these.
cron="as root, crontab -e, and the line: 30 5 * * * $program verify --all --record --backup-dir $directory (where the key is: … drill -i FILE --backup-dir $directory)"
if [ -z "$root" ] && ! command -v systemctl >/dev/null; then
  die "this host has no systemd" "$cron"
fi
if [ -n "$remove" ]; then
  for name in railiance-drill railiance-verify; do
    [ -n "$root" ] || [ ! -e "$units/$name.timer" ] || systemctl disable --now "$name.timer" || true
    rm -f "$units/$name.service" "$units/$name.timer"
  done
  [ -n "$root" ] || systemctl daemon-reload
  exit 0
fi
name=railiance-drill
if [ -z "$on_server" ] && { [ -e "$root/var/lib/railiance-backup/signing.key" ] || [ -d "$root/var/lib/rancher/k3s/server" ]; }; then
  [ -z "$key" ] || die "this host makes the backups: the private key does not belong on it" \
    "drill where the key is, on a copy of the directory (docs/restore.md); without --key this host verifies every night; --key-on-this-server does it all the same"
  name=railiance-verify
  key=/none
fi
[ -n "$key" ] || key=${SOPS_AGE_KEY_FILE:-${HOME:-/root}/.config/sops/age/keys.txt}
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
if [ "$name" = railiance-drill ]; then
  { [ -f "$key" ] && [ -r "$key" ]; } || die "$key: there is no private key" "name it with --key FILE"
  case $(head -n 1 "$key" | tr -d '\0') in
    age-encryption.org/v1* | '-----BEGIN AGE ENCRYPTED FILE'*)
      die "$key: it is protected by a passphrase, which nobody types at night" "name a key file without one, of a key that is for drills alone, say" ;;
  esac
fi
[ -n "$root" ] || [ -x "$program" ] || die "$program: not installed" "run: sudo make install"
systemd=$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
[ "${systemd:-999}" -ge 239 ] || die "systemd $systemd does not know the fences of this unit" "$cron"
owner=$(stat -c %u "$root$directory" 2>/dev/null || echo 0)
if [ ! -d "$root$directory" ]; then # the unit has it as its condition, and systemd passes over it without a word
  echo "drill-timer.sh: warning: there is no directory $directory; until there is one the timer does nothing" >&2
  echo "hint: --backup-dir names another" >&2
fi

# What becomes of the unit: options of sed, and settings that it gets besides, one a line.
set -- -e "s|/opt/backup/railiance/cluster|$directory|g" -e "s|/root/.config/sops/age/keys.txt|$key|g" \
  -e "s|/usr/local/bin/railiance-restore|$program|g"
[ "$owner" = 0 ] || set -- "$@" -e "s|^User=root\$|User=$owner|"
more=
show() { # what ProtectHome=yes would hide
  case $2 in
    /home/* | /root/* | /run/user/* | /var/home/* | /var/roothome/*) more="$more$1=$2
" ;;
  esac
}
show BindPaths "$directory"
if [ "$name" = railiance-drill ] && [ "${systemd:-999}" -lt 247 ]; then # it knows no credentials
  [ "$(stat -c %u "$key")" = "$owner" ] ||
    die "$key: systemd $systemd can hand it to nobody but its owner, and $directory is another's" "give both the same owner"
  show BindReadOnlyPaths "$key"
  set -- "$@" -e '/^LoadCredential=/d' -e "s|\${CREDENTIALS_DIRECTORY}/keys.txt|$key|"
fi
[ -z "$more" ] || set -- "$@" -e 's|^ProtectHome=yes$|ProtectHome=tmpfs|'
mkdir -p "$units"
{
  sed "$@" "$here/deploy/host/$name.service"
  printf '%s' "$more"
} >"$units/$name.service"
cp "$here/deploy/host/$name.timer" "$units/$name.timer"
chmod 0644 "$units/$name.service" "$units/$name.timer"
if [ -z "$root" ]; then
  systemctl daemon-reload
  systemctl enable --now "$name.timer"
  systemctl list-timers "$name.timer" --no-pager
fi
