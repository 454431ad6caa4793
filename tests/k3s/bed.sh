#!/bin/bash
# A whole cluster in namespaces of its own (network, mounts, processes, host
# name), so that several beds and the host don't see each other. README.md
# beside this file says what is where.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
beds=${RAILIANCE_BEDS:-/var/tmp/railiance-beds}
# shellcheck source=bed-link.sh
. "$here/bed-link.sh"

usage() {
    cat <<'TEXT'
usage: bed.sh up NAME [options]           start a bed; returns when it is ready
       bed.sh down NAME                   end it and remove everything of it
       bed.sh env NAME                    print its places, as shell assignments
       bed.sh exec NAME CMD...            run a command inside
       bed.sh import NAME FILE.tar...     import container images (bed with a node)
       bed.sh k3s NAME start|stop|restart|status|kill
       bed.sh run NAME [options] -- CMD   up, exec, down (also when interrupted)
       bed.sh log NAME                    print the server's log
       bed.sh list                        names of the beds that are up
options of up: --node           with kubelet, kube-proxy and containerd
               --join OTHER     another server of the cluster of the bed OTHER, which is up
               --sqlite         a server without embedded etcd
               --no-wait        return before the server is ready
               --no-start       prepare the bed, don't start the server
               --timeout SEC    for getting ready (default 60, joining 120, with node 180)
               --private DIR    DIR is the bed's own and empty (repeatable)
               --config LINE    a line more for config.yaml (repeatable)
               --env VAR=VALUE  a line more for the unit's environment file (repeatable)
               --unit LINE      a line of [Service] in a drop-in of the unit (repeatable)
environment:   K3S  a k3s binary; default: the stand-in, built by build.sh
               K3S_IMAGES  an image archive that a real k3s needs without a network
               RAILIANCE_BEDS  where the beds' state lies (/var/tmp/railiance-beds)
TEXT
}

die() {
    echo "bed.sh: $*" >&2
    exit 1
}

# --- one bed --------------------------------------------------------------

# Start time of a process, by which a process id that was used again is known.
start_time() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

# Prints the bed's init as seen from here, when it runs: init_pid [STATE]
init_pid() {
    local dir=${1:-$state} pid began
    [[ -e $dir/init.pid ]] || return 1
    read -r pid began 2>/dev/null <"$dir/init.pid" || return 1
    [[ -n $began && $(start_time "$pid") == "$began" ]] && echo "$pid"
}

set_bed() {
    [[ ${1:-} =~ ^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$ ]] || die "a bed's name is lower-case letters, digits and dashes: '${1:-}'"
    name=$1
    state=$beds/$name
    node=bed-$name
}

enter() {
    local pid
    pid=$(init_pid) || die "$name: not up"
    nsenter --target "$pid" --net --mount --uts --pid --wdns="$workdir" -- "$@"
}

# Directories that the bed has for itself, beside those of --private.
private_dirs=(/var/lib/rancher /etc/rancher /opt/backup /var/lib/railiance-backup /var/lib/kubelet /var/lib/cni /var/log/pods
    /var/log/containers /etc/systemd/system /etc/cni/net.d)

up() {
    local with_node=false sqlite=false wait=true start=true timeout='' other='' config=() env=() unit=() extra=()
    while (($#)); do
        case $1 in
            --node) with_node=true ;;
            --sqlite) sqlite=true ;;
            --join) other=$2 && shift ;;
            --no-wait) wait=false ;;
            --no-start) start=false wait=false ;;
            --timeout) timeout=$2 && shift ;;
            --private) extra+=("$2") && shift ;;
            --config) config+=("$2") && shift ;;
            --env) env+=("$2") && shift ;;
            --unit) unit+=("$2") && shift ;;
            *) die "unknown option $1" ;;
        esac
        shift
    done
    [[ $(id -u) == 0 ]] || die "must run as root"
    if init_pid >/dev/null; then
        with_node=$(<"$state/with-node")
        [[ $wait == false ]] || wait_ready "${timeout:-180}"
        return
    fi
    local k3s=${K3S:-}
    [[ -n $k3s ]] || k3s=$("$here/build.sh")
    down
    mkdir -p "$state/bin" "$state/private"
    chmod 700 "$state"
    printf '%s\n' "${private_dirs[@]}" "${extra[@]}" >"$state/private.list"
    cp "$k3s" "$state/bin/k3s"
    install -m 755 "$here/bedctl" "$state/bin/bedctl"
    echo "$with_node" >"$state/with-node"
    echo "$first_ip" >"$state/node-ip"
    [[ -z $other ]] || join_link "$other"
    node_ip=$(<"$state/node-ip")
    write_config
    [[ $with_node == false ]] || stage_images

    setsid unshare --net --mount --uts --pid --fork --kill-child --mount-proc \
        bash "$here/bed-init.sh" "$name" "$state" </dev/null >"$state/bed.log" 2>&1 9>&- &
    local outer=$! pid=''
    for _ in {1..400}; do
        pid=$(tr -d ' ' 2>/dev/null <"/proc/$outer/task/$outer/children") || true
        [[ -n $pid && -e $state/ready ]] && break
        kill -0 "$outer" 2>/dev/null || break
        sleep 0.05
    done
    [[ -n $pid && -e $state/ready ]] || {
        cat "$state/bed.log" >&2
        kill -9 "$outer" 2>/dev/null || true
        die "$name: the namespaces could not be set up"
    }
    echo "$pid $(start_time "$pid")" >"$state/init.pid"
    [[ -z $other ]] || linked plug_all "$(group_of "$name")" || die "$name: could not be linked"
    [[ $start == false ]] || enter bedctl start
    [[ $wait == false ]] || wait_ready "${timeout:-$(ready_limit)}"
}

# Seconds that a server may take.
ready_limit() {
    if [[ $with_node == true ]]; then echo 180; elif [[ -n $other ]]; then echo 120; else echo 60; fi
}

# The server's configuration: a file, as on a real server, so that a backup
# finds one. The keys that the stand-in doesn't know it ignores.
write_config() {
    local etc=$state/private/etc/rancher/k3s
    mkdir -p "$etc"
    install -m 600 /dev/null "$etc/config.yaml"
    {
        if [[ -n $other ]]; then
            echo "server: https://$(<"$beds/$other/node-ip"):6443"
            echo "token: $(<"$beds/$other/private/var/lib/rancher/k3s/server/token")"
        elif [[ $sqlite == false ]]; then
            echo "cluster-init: true"
        fi
        echo "node-name: $node"
        echo "node-ip: $node_ip"
        echo 'write-kubeconfig-mode: "0600"'
        [[ $with_node == true ]] || printf '%s\n' "disable-agent: true" "disable-scheduler: true"
        printf '%s\n' "disable-cloud-controller: true" "disable-helm-controller: true" "disable-network-policy: true" \
            "flannel-backend: $([[ $with_node == true ]] && echo host-gw || echo none)" \
            "disable: [traefik, servicelb, metrics-server, coredns, local-storage]" \
            "kubelet-arg: [cgroup-root=/railiance-bed-$name]"
        printf '%s\n' "${config[@]}"
    } >"$etc/config.yaml"

    local units=$state/private/etc/systemd/system
    mkdir -p "$units"
    cat >"$units/k3s.service" <<'TEXT'
[Unit]
Description=Lightweight Kubernetes
After=network-online.target

[Service]
Type=notify
EnvironmentFile=-/etc/systemd/system/k3s.service.env
KillMode=process
Restart=always
RestartSec=5s
ExecStart=/usr/local/bin/k3s server

[Install]
WantedBy=multi-user.target
TEXT
    printf '%s\n' "${env[@]}" >"$units/k3s.service.env"
    chmod 600 "$units/k3s.service.env"
    ((${#unit[@]} == 0)) || {
        mkdir -p "$units/k3s.service.d"
        printf '%s\n' '[Service]' "${unit[@]}" >"$units/k3s.service.d/10-bed.conf"
    }
}

# Images that k3s imports when it starts.
stage_images() {
    local images=$state/private/var/lib/rancher/k3s/agent/images pause
    mkdir -p "$images"
    pause=$(dirname "$k3s")/pause.tar
    [[ -e $pause ]] || pause=$("$here/build.sh" pause)
    cp "$pause" "$images/"
    [[ -z ${K3S_IMAGES:-} ]] || cp "$K3S_IMAGES" "$images/"
}

wait_ready() {
    local end=$((SECONDS + $1)) kubectl=(k3s kubectl --request-timeout=2s)
    until enter "${kubectl[@]}" get --raw=/readyz >/dev/null 2>&1 && enter "${kubectl[@]}" get serviceaccount default >/dev/null 2>&1; do
        enter bedctl status >/dev/null || die "$name: the server has ended: $(last_words)"
        ((SECONDS < end)) || die "$name: the API isn't ready in time; see $state/k3s.log"
        sleep 0.3
    done
    [[ $(<"$state/with-node") == true ]] || return 0
    until enter "${kubectl[@]}" wait --for=condition=Ready "node/$node" --timeout=2s >/dev/null 2>&1; do
        enter bedctl status >/dev/null || die "$name: the server has ended: $(last_words)"
        ((SECONDS < end)) || die "$name: the node isn't ready in time; see $state/k3s.log"
        sleep 0.5
    done
}

# Why the server has ended, from its log: in the bed's, or in the file that config.yaml names. k3s
# ends with a line of level error; the tunnel's lines are noise.
last_words() {
    local file logs=("$state/k3s.log") line pattern
    file=$(sed -n 's/^log: *//p' "$state/private/etc/rancher/k3s/config.yaml" | tr -d "\"'" | tail -n 1)
    [[ -z $file ]] || logs+=("/proc/$(init_pid)/root$file")
    for pattern in 'level=fatal|msg="?Shutdown request received: ' 'level=error' .; do
        line=$(cat "${logs[@]}" 2>/dev/null | grep -E "$pattern" | grep -v 'Remotedialer proxy error' | tail -n 1) || true
        [[ -z $line ]] || break
    done
    echo "${line:-nothing in $state/k3s.log}"
}

# Ends a bed, also one that was interrupted on its way up. Killing its init
# kills every process of the bed, and with the last one go mounts and network.
down() {
    local pid
    if pid=$(init_pid); then
        nsenter --target "$pid" --net --mount --uts --pid -- /usr/local/bin/bedctl stop >/dev/null 2>&1 || true
        kill -9 "$pid" 2>/dev/null || true
        for _ in {1..100}; do
            init_pid >/dev/null || break
            sleep 0.1
        done
        ! init_pid >/dev/null || die "$name: process $pid can't be ended"
    fi
    [[ ! -d $links ]] || linked drop_address
    remove_cgroups
    rm -rf --one-file-system "$state"
}

remove_cgroups() {
    local root dir
    for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
        dir=$root/railiance-bed-$name
        for _ in {1..50}; do
            [[ -d $dir ]] || break
            find "$dir" -xdev -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
        done
    done
}

print_env() {
    local pid
    pid=$(init_pid) || die "$name: not up"
    cat <<TEXT
BED_NAME=$name
BED_STATE=$state
BED_PID=$pid
BED_NETNS=/proc/$pid/ns/net
BED_NODE=$node
BED_NODE_IP=$(cat "$state/node-ip")
BED_K3S=$state/bin/k3s
BED_DATA_DIR=$state/private/var/lib/rancher/k3s
BED_KUBECONFIG=$state/private/etc/rancher/k3s/k3s.yaml
BED_BACKUP_DIR=$state/private/opt/backup
BED_LOG=$state/k3s.log
KUBECONFIG=/etc/rancher/k3s/k3s.yaml
TEXT
}

import() {
    local file
    for file; do
        enter k3s ctr images import - <"$file" >&2 || die "$file: could not be imported"
    done
}

run() {
    local options=()
    while (($#)) && [[ $1 != -- ]]; do options+=("$1") && shift; done
    (($# > 1)) || die "run: no command given after --"
    shift
    trap down EXIT
    trap 'exit 130' INT TERM
    up "${options[@]}"
    # In the background, so that a signal is acted on at once.
    enter "$@" <&0 &
    wait $!
}

# --------------------------------------------------------------------------

workdir=$PWD
export PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH:-}
command=${1:-}
shift || true
case $command in
    list)
        for state in "$beds"/*; do ! init_pid >/dev/null || basename "$state"; done
        exit
        ;;
    up | down | env | exec | import | k3s | run | log) set_bed "${1:-}" && shift ;;
    *)
        usage >&2
        exit 2
        ;;
esac
case $command in
    up)
        trap 'down; exit 130' INT TERM
        up "$@"
        ;;
    down) down ;;
    env) print_env ;;
    exec)
        export KUBECONFIG=/etc/rancher/k3s/k3s.yaml
        [[ ${1:-} != -- ]] || shift
        enter "$@"
        ;;
    import) import "$@" ;;
    k3s) enter bedctl "$@" ;;
    run)
        export KUBECONFIG=/etc/rancher/k3s/k3s.yaml
        run "$@"
        ;;
    log) cat "$state/k3s.log" ;;
esac
