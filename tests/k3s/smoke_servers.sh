#!/bin/bash
# Several servers, held against what was watched on k3s: joining, members, snapshots of followers, wrong
# tokens, a learner, no quorum, a member that was removed, and the restore of three. Takes about three
# minutes. Needs root. With K3S=PROGRAM a real k3s is held against the same.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
one=smoke-$$-1 two=smoke-$$-2 three=smoke-$$-3 four=smoke-$$-4
beds=("$one" "$two" "$three" "$four")
# shellcheck source=smoke_lib.sh
. "$here/smoke_lib.sh"
state=${RAILIANCE_BEDS:-/var/tmp/railiance-beds}
data_of() { echo "$state/$1/private/var/lib/rancher/k3s"; }
log_of() { echo "$state/$1/k3s.log"; }
config_of() { echo "$state/$1/private/etc/rancher/k3s/config.yaml"; }
etcdutl="$("$here/../tools/install.sh" etcdutl)/etcdutl"

# What a bed's /db/info says of each member: name, peer URL, client URL, "learner" or "voter", ID
members() {
    in_bed "$1" curl -sk "$supervisor/db/info"
    python3 -c 'import json, sys
for m in json.load(sys.stdin)["members"]:
    print(m.get("name", "-"), *m["peerURLs"], *m.get("clientURLs", ["-"]), "learner" if m.get("isLearner") else "voter", m["ID"])' <"$tmp/out" 2>/dev/null |
        sort >"$tmp/members"
}
voters() { members "$1" && [[ $(grep -c ' voter ' "$tmp/members") == "$2" && $(grep -c . "$tmp/members") == "$2" ]]; }
within() { # within SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.3
    done
}
later() { [[ $(wc -l <"$1") -gt $2 ]] && tail -n "+$(($2 + 1))" "$1" | grep -qE -- "$3"; } # FILE LINES PATTERN
# By etcd's own HTTP port: k3s does it when the Node is deleted, and these servers have none.
remove_member() { # remove_member VIA NAME-PREFIX
    members "$1"
    in_bed "$1" curl -s --cacert "$tls/server-ca.crt" --cert "$tls/client.crt" --key "$tls/client.key" \
        -d "{\"ID\":\"$(sed -n "s/^$2-.* //p" "$tmp/members")\"}" https://127.0.0.1:2382/v3/cluster/member/remove
}
tls=/var/lib/rancher/k3s/server/tls/etcd
save() { in_bed "$1" k3s etcd-snapshot save --name "$2"; }
object() { in_bed "$1" k3s kubectl create configmap "$2" --from-literal=a=b && [[ $rc == 0 ]]; }
sees() { in_bed "$1" k3s kubectl get configmap "$2" -o name && [[ $(<"$tmp/out") == "configmap/$2" ]]; }
attempt() { in_bed "$1" timeout 60 k3s server; }
passed() { echo "$1: $((SECONDS - begun)) s"; }

# --- joining ------------------------------------------------------------------
"$bed" up "$one" || exit 1
begun=$SECONDS
"$bed" up "$two" --join "$one" || exit 1
passed "the second server joined"
begun=$SECONDS
"$bed" up "$three" --join "$two" || exit 1
passed "the third server joined"
rc=0
members "$one"
cp "$tmp/members" "$tmp/list"
check "/db/info lists three voters" test "$(grep -c ' voter ' "$tmp/members")" = 3
for number in 1 2 3; do
    check "with name and URLs: $number" grep -qE \
        "^bed-smoke-$$-$number-[0-9a-f]{8} https://172.31.99.$number:2380 https://172.31.99.$number:2379 voter " "$tmp/members"
done
members "$three"
check "each server lists the same" cmp "$tmp/list" "$tmp/members"
object "$three" before
check "what one makes the others see" sees "$one" before
in_bed "$two" k3s kubectl get endpoints kubernetes -o jsonpath='{.subsets[*].addresses[*].ip}'
check "the service kubernetes has three addresses" grep -qx '172.31.99.1 172.31.99.2 172.31.99.3' "$tmp/out"
in_bed "$two" k3s kubectl -n kube-system get lease kube-controller-manager -o jsonpath='{.spec.holderIdentity}'
check "one controller manager has the lease" test -s "$tmp/out"
in_bed "$two" k3s kubectl get nodes -o name
check "servers without an agent have no Node" silent
for b in "$two" "$three"; do
    check "the same CA and token: $b" bash -c "cmp '$(data_of "$one")/server/token' '$(data_of "$b")/server/token' &&
        cmp '$(data_of "$one")/server/tls/server-ca.crt' '$(data_of "$b")/server/tls/server-ca.crt'"
    check "config.yaml, with its token, is 0600: $b" test "$(stat -c %a "$(config_of "$b")")" = 600
done

# --- snapshots -----------------------------------------------------------------
for number in 1 2 3; do
    b=smoke-$$-$number
    save "$b" "from-$number"
    check "a save on server $number" exits 0
    check "says its node's name" says "Snapshot from-$number-bed-smoke-$$-$number-[0-9]+ saved"
    check "its file is there" "$etcdutl" snapshot status "$(echo "$(data_of "$b")"/server/db/snapshots/from-"$number"-*)"
done
check "and nowhere else" test "$(find "$state"/smoke-$$-*/private/var/lib/rancher/k3s/server/db/snapshots -type f | wc -l)" = 3
in_bed "$one" k3s kubectl get etcdsnapshotfiles -o jsonpath='{range .items[*]}{.spec.snapshotName}:{.spec.nodeName}{"\n"}{end}'
check "each object names its server's node" test "$(sed -n 's/^from-\([0-9]\)-.*:bed-smoke-[0-9]*-\1$/\1/p' "$tmp/out" | sort | tr -d '\n')" = 123

# --- who may not join -------------------------------------------------------------
"$bed" up "$four" --join "$one" --no-start || exit 1
config=$(config_of "$four")
cp "$config" "$tmp/config"
with() { sed "$1" "$tmp/config" >"$config" && attempt "$four"; }
wipe() { find "$(data_of "$1")" -xdev -mindepth 1 -delete; }
with 's/^token: K10..../token: K100000/'
check "a token of another CA: exit 1" exits 1
check "a token of another CA" says 'level=fatal msg="Error: preparing server: .*token CA hash does not match the Cluster CA certificate hash: 0000[0-9a-f]+ != [0-9a-f]{64}"$'
wipe "$four"
with 's/^\(token: .*::server:\).*/\1wrong/'
check "another password: exit 1" exits 1
check "another password isn't authorized" says 'level=fatal msg="Error: preparing server: failed to bootstrap cluster data: failed to validate server configuration: .*not authorized"$'
wipe "$four"
with 's/^token: .*/cluster-init: true/'
check "no token: exit 1" exits 1
check "no token" says 'token is required to join a cluster'
wipe "$four"
with "\$a secrets-encryption: true"
check "other flags: exit 1" exits 1
check "other flags are named" says 'level=warning msg="critical configuration mismatched: secrets-encryption"'
check "other flags" says 'critical configuration value mismatch between servers'
wipe "$four"
with "s/^node-name: .*/node-name: bed-$two/"
check "a node's name that is taken" says 'level=error msg="Shutdown request received: .*duplicate node name found, please use a unique name for this node'
check "nobody was added" voters "$one" 3
wipe "$four"
cp "$tmp/config" "$config"

# --- a learner, and a member that was removed -----------------------------------------
if standin "a learner that stays one"; then
    for b in "$one" "$two" "$three"; do echo no-promote >"$(data_of "$b")/standin-fault"; done
    "$bed" k3s "$four" start
    learner() { members "$one" && grep -q "^bed-$four-.* learner " "$tmp/members"; }
    check "/db/info shows the learner" within 30 learner
    check "it says what it waits for" within 20 grep -q 'this server has not yet been promoted from learner to voting member' "$(log_of "$four")"
    save "$four" learner
    check "a learner's save: exit 1" exits 1
    check "a learner's save hides its reason" says 'see server log for details: Internal error occurred: etcd-snapshot error ID [0-9]+'
    check "the log has it" grep -q 'Unable to take snapshot: not supported for learner' "$(log_of "$four")"
    in_bed "$four" curl -sk -o /dev/null -w '%{http_code}' "$supervisor/db/info"
    check "a learner gives no list of members" grep -qx 500 "$tmp/out"
    for b in "$one" "$two" "$three"; do rm "$(data_of "$b")/standin-fault"; done
    check "it is promoted" within 30 voters "$one" 4
    check "and serves" ready "$four"
    remove_member "$one" "bed-$four"
    check "a member that is removed ends" within 30 bash -c "! '$bed' k3s '$four' status"
    check "it says why" grep -q 'This node has been removed from the cluster - please restart k3s to rejoin the cluster' "$(log_of "$four")"
    check "it leaves a tombstone" test -e "$(data_of "$four")/server/db/etcd/tombstone"
    "$bed" k3s "$four" start
    check "started again it joins" within 60 voters "$one" 4
    check "its old database is kept" bash -c "ls -d '$(data_of "$four")'/server/db/etcd-backup-*"
    remove_member "$one" "bed-$four"
fi
"$bed" down "$four"
check "three are left" within 30 voters "$one" 3

# --- without a quorum, and a cold start -------------------------------------------------
"$bed" k3s "$two" kill
"$bed" k3s "$three" kill
in_bed "$one" curl -sk -o "$tmp/answer" -w '%{http_code}' "$supervisor/db/info"
check "without a quorum: no list of members" grep -qx 500 "$tmp/out"
if standin "a save without a quorum (read, not watched)"; then
    save "$one" lonely
    check "a save without a quorum: the file is complete" "$etcdutl" snapshot status "$(echo "$(data_of "$one")"/server/db/snapshots/lonely-*)"
fi
for b in "$one" "$two" "$three"; do "$bed" k3s "$b" stop; done
for b in "$three" "$two" "$one"; do "$bed" k3s "$b" start; done
for b in "$one" "$two" "$three"; do check "a cold start in any order: $b" ready "$b"; done

# --- restore of three ---------------------------------------------------------------------
save "$one" keep
cp "$(data_of "$one")"/server/db/snapshots/keep-* "$tmp/snapshot"
cp "$(data_of "$one")/server/token" "$tmp/token"
object "$two" after
in_bed "$one" env K3S_TOKEN="$(<"$tmp/token")" k3s server --cluster-reset --cluster-reset-restore-path="$tmp/snapshot"
check "a reset beside a running server: exit 1" exits 1
check "a reset beside a running server" says 'listen tcp 127.0.0.1:6444: bind: address already in use'
check "nothing was done" bash -c "! ls -d '$(data_of "$one")'/server/db/{reset-flag,etcd-old-*}"
for b in "$one" "$two" "$three"; do "$bed" k3s "$b" stop; done
wipe "$one"
mkdir -p "$(data_of "$one")/server"
cp "$tmp/token" "$(data_of "$one")/server/token"
begun=$SECONDS
in_bed "$one" env K3S_TOKEN="$(<"$tmp/token")" k3s server --cluster-reset --cluster-reset-restore-path="$tmp/snapshot"
check "a reset on an empty disk" exits 0
"$bed" k3s "$one" start
ready "$one"
passed "one server was restored"
check "it is the only member" voters "$one" 1
check "what was there is back" sees "$one" before
check "what came later is gone" bash -c "! '$bed' exec '$one' k3s kubectl get configmap after"

lines=$(wc -l <"$(log_of "$two")")
"$bed" k3s "$two" start
mismatch='request sent was ignored by remote peer due to cluster ID mismatch'
check "one with its old database: the cluster's ID isn't its own" within 30 later "$(log_of "$two")" "$lines" "$mismatch"
sleep 5
in_bed "$two" k3s kubectl get --raw=/readyz
check "it answers nothing" exits 1
check "and doesn't end" "$bed" k3s "$two" status
check "it never joins" voters "$one" 1
"$bed" k3s "$two" stop
for b in "$two" "$three"; do
    mv "$(data_of "$b")/server/db/etcd" "$(data_of "$b")/server/db/etcd-aside"
    begun=$SECONDS
    "$bed" k3s "$b" start
    check "with db/etcd moved aside it joins: $b" ready "$b"
    passed "$b joined"
    check "its snapshots are still there: $b" bash -c "ls '$(data_of "$b")'/server/db/snapshots/from-*"
done
check "three members again" voters "$one" 3
for b in "$one" "$two" "$three"; do check "the objects are served by all: $b" sees "$b" before; done

# --- a bed that goes ---------------------------------------------------------------------
"$bed" down "$one"
check "the others go on" within 60 object "$two" alone
check "and see each other" sees "$three" alone
in_bed "$two" true
"$bed" up "$one" --join "$two" >"$tmp/out" 2>"$tmp/said"
rc=$?
check "a server that lost its disk: its name is taken" says 'duplicate node name found'
remove_member "$two" "bed-$one"
"$bed" k3s "$one" start
check "once its member is removed it joins" within 60 voters "$two" 3
check "and serves" ready "$one"

for b in "${beds[@]}"; do "$bed" down "$b"; done
left=$(ls -d "$state"/smoke-$$* "$state"/.links/smoke-$$* 2>/dev/null)
check "nothing is left of the beds" test -z "$left"
summary "several servers"
