#!/bin/bash
# `make backup` and `make list` wherever the checkout lies, from wherever they are called, and in cron's environment.
. "$(dirname "$0")/lib.sh"

mkdir -p "$work/prefix/bin" "$work/sets"
for name in railiance-backup railiance-restore; do
  printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$name" "$work/calls" >"$work/prefix/bin/$name"
  chmod 755 "$work/prefix/bin/$name"
done

# run DIRECTORY MAKE-ARGUMENTS...: there, with nothing in the environment but what cron gives.
run() {
  : >"$work/calls"
  code=0
  (cd "$1" && shift && env -i PATH=/usr/bin:/bin PREFIX="$work/prefix" RAILIANCE_BACKUP_DIR="$work/sets" make "$@") >"$work/said" 2>&1 || code=$?
}

for name in plain "with a  blank" "o'clock"; do
  there="$work/$name"
  mkdir -p "$there"
  cp -r "$root/Makefile" "$root/scripts" "$there/"
  for way in at directory file; do
    case $way in
      at) run "$there" backup ;;
      directory) run / -C "$there" backup ;;
      file) run / -f "$there/Makefile" backup ;;
    esac
    [ "$code" = 0 ] || fail "make backup in '$name' ($way) ended with $code"
    grep -qx 'railiance-backup create --wait *' "$work/calls" || fail "make backup in '$name' ($way) started no backup"
  done
done

# The directory that railiance-restore takes from the environment is the one that is listed.
run / -C "$work/plain" list
grep -qxF "railiance-restore list --backup-dir $work/sets" "$work/calls" || fail "make list shows another directory"

# One that is not there is said: a disk that is not mounted looks like a host without backups.
rmdir "$work/sets"
run / -C "$work/plain" list
grep -qF "$work/sets: there is no such directory" "$work/said" || fail "make list passes over a directory that is not there"
mkdir "$work/sets"

# Where there is no bash it is said which program is missing, not that the script is.
mkdir "$work/tools"
for tool in make sh sed dirname nproc; do ln -s "$(command -v "$tool")" "$work/tools/$tool"; done
for target in install uninstall; do
  code=0
  env -i PATH="$work/tools" PREFIX="$work/prefix" make -C "$work/plain" "$target" >"$work/said" 2>&1 || code=$?
  [ "$code" = 2 ] || fail "make $target without bash ended with $code"
  grep -qF 'bash is not on this host' "$work/said" || fail "make $target does not say that bash is missing"
done

# NixOS has bash, and nothing in /bin but sh.
! grep -l '^#!/bin/bash' "$root"/scripts/*.sh >"$work/said" || fail "scripts of /bin/bash: $(cat "$work/said")"

[ "$failures" = 0 ] || exit 1
echo "make finds its scripts"
