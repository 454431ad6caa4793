# shellcheck shell=bash
# Sourced: runs a command in a build root (root.sh).

# in_root ROOT [SOURCE:TARGET]... -- COMMAND...: the command in ROOT, with directories of this host at TARGET.
# "/source" is read-only, whatever it is. The environment is the command's own. The mounts end with the last
# process in it, and nothing of them is seen outside.
in_root() {
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child bash -euo pipefail -c '
    umask 022
    mount --make-rprivate /
    root=$1
    shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    while [ "$1" != -- ]; do
      target=${1##*:}
      mkdir -p "$root$target"
      options=bind
      if [ "$target" = /source ]; then options=bind,ro; fi
      mount -o "$options" "${1%:*}" "$root$target"
      shift
    done
    shift
    exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C.UTF-8 "$@"' bash "$@"
}
