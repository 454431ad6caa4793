# Sourced by bed.sh: the network between beds that are servers of one cluster. Uses beds, state, name,
# start_time, init_pid and die of bed.sh.
# shellcheck shell=bash disable=SC2154
#
# Beds that are servers of one cluster have a bridge in a network namespace of its own, so that any of
# them can go without cutting the others off. A process holds the namespace; it goes with the last bed.
# $links/GROUP/ has the file `holder` and for each bed BED.address, the last part of its address.
links=$beds/.links
first_ip=172.31.99.1

# Prints the process that holds the namespace of a group's bridge.
link_holder() {
    local pid began
    read -r pid began 2>/dev/null <"$1/holder" || return 1
    [[ -n $began && $(start_time "$pid") == "$began" ]] && echo "$pid"
}

# Prints the group that a bed is in.
group_of() {
    local file
    for file in "$links"/*/"$1.address"; do
        [[ ! -e $file ]] || dirname "$file"
    done
}

# Runs a function with nobody else at the links.
linked() {
    mkdir -p "$links"
    (
        flock 8
        "$@"
    ) 8>"$links.lock"
}

# Takes this bed into the group of another one, at the next address that is free.
join_link() {
    [[ $1 =~ ^[a-z0-9-]+$ ]] || die "--join $1: no such bed"
    init_pid "$beds/$1" >/dev/null || die "--join $1: not up"
    [[ -s $beds/$1/private/var/lib/rancher/k3s/server/token ]] || die "--join $1: its server has no token yet"
    linked take_address "$1" || die "--join $1: could not be linked"
}

take_address() {
    local group number=1
    group=$(group_of "$1")
    if [[ -z $group ]]; then
        group=$links/$1
        rm -rf "$group"
        mkdir -p "$group"
        sed 's/.*\.//' "$beds/$1/node-ip" >"$group/$1.address"
    fi
    while grep -qxF "$number" "$group"/*.address; do number=$((number + 1)); done
    echo "$number" >"$group/$name.address"
    echo "${first_ip%.*}.$number" >"$state/node-ip"
    plug_all "$group"
}

# Connects what is up of a group.
plug_all() {
    local group=$1 file bed pid
    start_bridge "$group" || return 1
    for file in "$group"/*.address; do
        bed=$(basename "$file" .address)
        pid=$(init_pid "$beds/$bed") || continue
        plug "$(link_holder "$group")" "$pid" "$(<"$file")" || return 1
    done
}

# The group's namespace with its bridge, unless it is there.
start_bridge() {
    local pid
    link_holder "$1" >/dev/null && return
    setsid unshare --net sleep infinity </dev/null >/dev/null 2>&1 8>&- 9>&- &
    pid=$!
    for _ in {1..100}; do
        [[ $(readlink "/proc/$pid/ns/net") == "$(readlink /proc/self/ns/net)" ]] || break
        sleep 0.02
    done
    echo "$pid $(start_time "$pid")" >"$1/holder"
    nsenter --target "$pid" --net ip link add link0 type bridge && nsenter --target "$pid" --net ip link set link0 up
}

# Connects a bed's bridge with the group's, unless it is: plug HOLDER BED-INIT NUMBER
plug() {
    local number
    nsenter --target "$2" --net ip link show up0 >/dev/null 2>&1 && return
    # The port of a bed that has just ended may not be gone yet.
    nsenter --target "$1" --net ip link del "bed$3" >/dev/null 2>&1 || true
    nsenter --target "$2" --net ip link add up0 type veth peer name "bed$3" netns "$1" || return 1
    nsenter --target "$2" --net ip link set up0 master bed0 up || return 1
    nsenter --target "$1" --net ip link set "bed$3" master link0 up || return 1
    for number in {1..9}; do # the others' pods
        [[ $number == "$3" ]] ||
            nsenter --target "$2" --net ip route replace "10.42.$((number - 1)).0/24" via "${first_ip%.*}.$number" || return 1
    done
}

# Takes this bed out of its group, and ends a group that nobody is in any more.
drop_address() {
    local group holder
    group=$(group_of "$name")
    [[ -n $group ]] || return 0
    rm -f "$group/$name.address"
    ! ls "$group"/*.address >/dev/null 2>&1 || return 0
    holder=$(link_holder "$group") && kill -9 "$holder" 2>/dev/null
    rm -rf "$group"
}
