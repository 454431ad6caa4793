#!/bin/bash
# A machine whose first process is a real systemd, in namespaces of its own. Its programs are this
# host's (/usr, read-only); /etc, /var and the rest are its own.
#   machine.sh up STATE     make it below STATE (a new directory) and boot it; the k3s server is not started
#   machine.sh exec STATE CMD...
#   machine.sh down STATE   end it and remove everything of it
# "NOT RUN: reason" and exit code 77 where the host can't run one.
set -euo pipefail
systemd=/usr/lib/systemd/systemd
command=${1:-}
state=${2:-}
shift 2 || {
    sed -n '4,6p' "$0" >&2
    exit 2
}
root=$state/root

not_run() {
    echo "NOT RUN: $*"
    exit 77
}

# The unified cgroup hierarchy, wherever it is mounted.
cgroups() {
    awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts
}

# The machine's first process, as seen from here.
first() {
    local outer children
    outer=$(cat "$state/outer.pid" 2>/dev/null) || return 1
    children=$(cat "/proc/$outer/task/$outer/children" 2>/dev/null) || return 1
    [[ -n $children ]] && echo "${children%% *}"
}

enter() {
    local pid
    pid=$(first) || {
        echo "machine.sh: not up" >&2
        return 1
    }
    nsenter --target "$pid" --all -- /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin "$@"
}

write_etc() {
    local file
    mkdir -p "$root/etc/systemd/system" "$root/etc/rancher/k3s"
    for file in passwd group nsswitch.conf ld.so.cache; do
        [[ ! -e /etc/$file ]] || cp "/etc/$file" "$root/etc/"
    done
    echo "127.0.0.1 localhost" >"$root/etc/hosts"
    ln -s /usr/lib/os-release "$root/etc/os-release"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    printf '%s\n' "cluster-init: true" "node-name: machine" "node-ip: 172.31.98.1" 'write-kubeconfig-mode: "0600"' \
        "disable-agent: true" "disable-scheduler: true" "disable-cloud-controller: true" \
        "disable-helm-controller: true" "disable-network-policy: true" "flannel-backend: none" \
        "disable: [traefik, servicelb, metrics-server, coredns, local-storage]" >"$root/etc/rancher/k3s/config.yaml"
    chmod 600 "$root/etc/rancher/k3s/config.yaml"
    # As k3s's installer writes it, but for the modules that it loads.
    cat >"$root/etc/systemd/system/k3s.service" <<'TEXT'
[Unit]
Description=Lightweight Kubernetes
After=network-online.target

[Service]
Type=notify
EnvironmentFile=-/etc/systemd/system/k3s.service.env
KillMode=process
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStart=/usr/local/bin/k3s server
StandardOutput=append:/var/log/k3s.log
StandardError=append:/var/log/k3s.log

[Install]
WantedBy=multi-user.target
TEXT
}

# In the new namespaces, as their first process.
boot() {
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount --rbind /usr "$root/usr"
    mount -o remount,bind,ro "$root/usr"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    local device
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/shm" "$root/dev/pts"
    ln -s /proc/self/fd "$root/dev/fd"
    touch "$root/dev/console"
    mount --bind "$state/console.log" "$root/dev/console"
    # What a container has no use for.
    mkdir -p "$root/run/systemd/system"
    local unit
    for unit in systemd-udevd.service systemd-udev-trigger.service systemd-journald.service systemd-journald.socket \
        systemd-journald-dev-log.socket systemd-journald-audit.socket systemd-journal-flush.service \
        systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service systemd-sysusers.service \
        systemd-update-utmp.service systemd-timesyncd.service systemd-logind.service systemd-random-seed.service \
        systemd-binfmt.service systemd-modules-load.service systemd-sysctl.service sys-kernel-config.mount \
        sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount \
        proc-sys-fs-binfmt_misc.automount getty.target dbus.service dbus.socket; do
        ln -s /dev/null "$root/run/systemd/system/$unit"
    done
    printf '[Unit]\nDescription=The machine is up\nDefaultDependencies=no\nRequires=basic.target\nAfter=basic.target\n' \
        >"$root/run/systemd/system/machine.target"
    hostname machine
    ip link set lo up
    ip link add machine0 type bridge
    ip address add 172.31.98.1/24 dev machine0
    ip link set machine0 up
    ip route add default dev machine0
    cd "$root"
    mkdir -p old
    pivot_root . old
    exec /usr/bin/env -i container=railiance-test PATH=/usr/sbin:/usr/bin \
        /bin/sh -c 'umount -l /old; exec "$@" </dev/null >/dev/console 2>&1' sh "$systemd" --system --unit=machine.target \
        --log-target=console --log-level=notice --show-status=no
}

up() {
    [[ $(id -u) == 0 ]] || not_run "a machine with systemd needs root"
    [[ -x $systemd ]] || not_run "systemd is not installed (run: make deps)"
    local unified directory outer
    unified=$(cgroups)
    [[ -n $unified ]] || not_run "this kernel has no unified cgroup hierarchy mounted"
    mkdir -p "$state"
    chmod 700 "$state"
    directory=$unified/railiance-systemd-$$
    mkdir "$directory" 2>/dev/null || not_run "$unified: no cgroup can be made here"
    echo "$directory" >"$state/cgroup"
    mkdir -p "$root"/{usr,etc,var/lib,var/log,var/tmp,run,proc,sys,dev,tmp,root,opt}
    for directory in bin sbin lib lib32 lib64 libx32; do
        [[ ! -L /$directory ]] || ln -s "usr/$directory" "$root/$directory"
    done
    : >"$state/console.log"
    write_etc
    # The cgroup first: the namespace begins where its maker is.
    # shellcheck disable=SC2016
    setsid bash -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$(cat "$state/cgroup")" \
        unshare --pid --mount --net --uts --ipc --cgroup --fork --kill-child \
        "$0" boot "$state" </dev/null >"$state/boot.log" 2>&1 &
    outer=$!
    echo "$outer" >"$state/outer.pid"
    for _ in {1..150}; do
        if ! kill -0 "$outer" 2>/dev/null; then
            break
        fi
        if first >/dev/null && enter systemctl is-active machine.target >/dev/null 2>&1; then
            return
        fi
        sleep 0.2
    done
    local why
    why=$(tail -n 3 "$state/boot.log" "$state/console.log" 2>/dev/null | tr '\n' ' ')
    down
    not_run "no systemd comes up in a container here: $why"
}

# With its first process everything in it ends.
down() {
    local outer directory
    if outer=$(cat "$state/outer.pid" 2>/dev/null) && kill -9 "$outer" 2>/dev/null; then
        wait "$outer" 2>/dev/null || true
    fi
    if directory=$(cat "$state/cgroup" 2>/dev/null); then
        for _ in {1..100}; do
            find "$directory" -xdev -depth -type d -exec rmdir {} + 2>/dev/null || true
            [[ -d $directory ]] || break
            sleep 0.1
        done
    fi
    rm -rf --one-file-system "$state"
}

case $command in
    up) up ;;
    boot) boot ;;
    exec) enter "$@" ;;
    down) down ;;
    *) exit 2 ;;
esac
