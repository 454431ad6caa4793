#!/bin/bash
# The first process of a bed: prepares its mounts and its network, then waits
# and reaps. Called by bed.sh in fresh namespaces: bed-init.sh NAME STATE
set -euo pipefail
name=$1 state=$2
address=$(<"$state/node-ip")

mount --make-rshared /
hostname "bed-$name"

# Each private directory is the bed's own, at the host's path.
while read -r dir; do
    mkdir -p "$dir" "$state/private$dir"
    mount --bind "$state/private$dir" "$dir"
    mount --make-rshared "$dir"
done <"$state/private.list"
for dir in /run/k3s /run/containerd /run/netns /run/flannel; do
    mkdir -p "$dir"
    mount -t tmpfs -o mode=755 tmpfs "$dir"
    mount --make-rshared "$dir"
done
# The host's programs and ours, without writing to the host's directory.
mkdir -p "$state/usr-local-bin"
cp -a "$state/bin/." "$state/usr-local-bin/"
for file in /usr/local/bin/*; do
    target=$state/usr-local-bin/$(basename "$file")
    [[ -e $target ]] || cp -a "$file" "$target"
done
echo "$state" >"$state/usr-local-bin/.bed-state"
mount --bind "$state/usr-local-bin" /usr/local/bin

# A bridge carries the node's address (a dummy device isn't everywhere).
ip link set lo up
ip link add bed0 type bridge
ip address add "$address/24" dev bed0
ip link set bed0 up
ip route add default dev bed0
echo 1 >/proc/sys/net/ipv4/ip_forward

# A cgroup for the pods, which bed.sh removes in the end.
for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [[ -e $root/cgroup.procs ]] || continue
    if [[ $root == /sys/fs/cgroup ]]; then
        echo "+cpu +memory +pids +cpuset" >"$root/cgroup.subtree_control" 2>/dev/null || true
    elif [[ -e $root/cgroup.controllers || ! -e $root/tasks ]]; then
        continue
    fi
    mkdir -p "$root/railiance-bed-$name"
    # cgroup v1: an empty cpuset takes no process.
    for file in cpuset.cpus cpuset.mems; do
        [[ ! -e $root/railiance-bed-$name/$file || ! -e $root/tasks ]] || cat "$root/$file" >"$root/railiance-bed-$name/$file"
    done
done

touch "$state/ready"
trap : TERM INT
while :; do
    sleep 3600 &
    wait $! || true
done
