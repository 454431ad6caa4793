# shellcheck shell=bash
# Sourced: runs a command in the build root (root.sh).

# in_root ROOT FROM:TO[:rw]... -- COMMAND...: the directory FROM of this machine is TO in it. The mounts end
# with the last process in it, and nothing of them is seen outside.
in_root() {
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child bash -euo pipefail -c '
    mount --make-rprivate /
    root=$1
    shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    while [ "$1" != -- ]; do
      IFS=: read -r from to mode <<<"$1"
      mkdir -p "$root$to"
      mount --bind -o "${mode:-ro}" "$from" "$root$to"
      shift
    done
    shift
    exec chroot "$root" "$@"' bash "$@"
}
