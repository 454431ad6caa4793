#!/bin/bash
# The test bed itself, held against what was watched on k3s: snapshot commands,
# their messages and exit codes, faults, cluster-reset on an empty disk, a
# node that runs a pod, and three servers (smoke_servers.sh, also alone). Takes about six minutes. Needs root. With K3S=PROGRAM a
# real k3s is held against the same; what needs the stand-in's own faults says so.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
api=smoke-$$ empty=smoke-$$-empty node=smoke-$$-node secret=smoke-$$-secret
beds=("$api" "$empty" "$node" "$secret")
# shellcheck source=smoke_lib.sh
. "$here/smoke_lib.sh"

revision() { # of the store, as a list tells it
    "$bed" exec "$1" k3s kubectl get --raw '/api/v1/namespaces/default/configmaps?limit=1' | sed 's/.*"metadata":{"resourceVersion":"\([0-9]*\)".*/\1/;q'
}
digest_in() { tail -c 32 "$1" | od -An -v -tx1 | tr -d ' \n'; }
digest_of() { head -c -32 "$1" | sha256sum | cut -d' ' -f1; }
ls_snapshots() { ls "$data/server/db/snapshots"; }

# --- snapshots --------------------------------------------------------------
"$bed" up "$api" || exit 1
eval "$("$bed" env "$api")"
data=$BED_DATA_DIR
etcdutl="$("$here/../tools/install.sh" etcdutl)/etcdutl"

if standin "what version it claims"; then
    in_bed "$api" k3s --version
    check "version says what it is" grep -q '^k3s version v1.34.4+standin' "$tmp/out"
    in_bed "$api" env K3S_STANDIN_VERSION=v1.33.1+standin k3s --version
    check "another version can be claimed" grep -q '^k3s version v1.33.1+standin ' "$tmp/out"
fi
check "the log of a start has the tunnel's noise" \
    grep -qE 'level=error msg="Remotedialer proxy error; reconnecting..." error="dial tcp .*: connect: connection refused" url="wss://' "$BED_LOG"

in_bed "$api" k3s etcd-snapshot save --name railiance-smoke
check "save exits 0" exits 0
check "a warning for each key of config.yaml that isn't the command's" \
    grep -qE '^time="[0-9TZ:-]+" level=warning msg="Unknown flag --kubelet-arg found in config.yaml, skipping\\n"$' "$tmp/err"
check "one for each value of a list" test "$(grep -c 'Unknown flag --disable found' "$tmp/err")" = 5
check "they come before the line that matters" bash -c "tail -n 1 '$tmp/err' | grep -q ' saved'"
check "save says so on standard error" says '^time="[0-9TZ:-]+" level=info msg="Snapshot railiance-smoke-bed-smoke-[0-9]+-[0-9]+ saved."$'
check "save says nothing on standard output" test ! -s "$tmp/out"
file=$(ls_snapshots)
check "the file is 0600" test "$(stat -c %a "$data/server/db/snapshots/$file")" = 600
check "its directory is 0700" test "$(stat -c %a "$data/server/db/snapshots")" = 700
check "etcdutl reads it" "$etcdutl" snapshot status "$data/server/db/snapshots/$file"
cp "$data/server/db/snapshots/$file" "$tmp/first"
hash=$(sed 's/.*:://; s/server://' "$data/server/token" | tr -d '\n' | sha256sum | cut -c1-12)
check "it holds the bootstrap key of the token" grep -qa "/bootstrap/$hash" "$tmp/first"

in_bed "$api" k3s etcd-snapshot ls
check "ls prints the table" grep -qE "^Name +Location +Size +Created$" "$tmp/out"
check "ls names the file" grep -qE "^$file file:///var/lib/rancher/k3s/server/db/snapshots/$file [0-9]+ " "$tmp/out"
in_bed "$api" k3s kubectl get etcdsnapshotfiles -o jsonpath='{.items[*].spec.snapshotName}'
check "the object is there" grep -qx "$file" "$tmp/out"

in_bed "$api" k3s etcd-snapshot delete "$file" nothing
check "delete says what was deleted" says "msg=\"Snapshot $file deleted.\""
check "delete warns of what isn't there" says 'level=warning msg="Snapshot nothing not found."'
check "delete exits 0 either way" exits 0
in_bed "$api" k3s kubectl get etcdsnapshotfiles -o name
check "its object is gone" test ! -s "$tmp/out"
mkdir -p "$data/server/db/snapshots/held/inside" # what unlink(2) refuses
in_bed "$api" k3s etcd-snapshot delete held
check "delete calls not found what it could not remove" says 'level=warning msg="Snapshot held not found."'
check "and exits with 0" exits 0
check "it is still there" test -d "$data/server/db/snapshots/held/inside"
rm -r "$data/server/db/snapshots/held"

in_bed "$api" k3s etcd-snapshot save --name a/b
check "a slash in the name: exit 0" exits 0
check "a slash in the name: not a word" silent
in_bed "$api" bash -c 'mkdir -p /run/k3s/tiny && mount -t tmpfs -o size=64k tmpfs /run/k3s/tiny && k3s etcd-snapshot save --etcd-snapshot-dir /run/k3s/tiny'
check "a full file system: exit 0, not a word" silent
in_bed "$api" k3s kubectl get etcdsnapshotfiles -o jsonpath='{range .items[*]}[{.spec.location}|{.status.size}|{.status.readyToUse}]{"\n"}{end}'
check "a failed save leaves an object without size and location" grep -qxE '\[\|0?\|false\]' "$tmp/out"
# shellcheck disable=SC2016  # the bed's shell expands it
in_bed "$api" bash -c 'mkdir -p /opt/backup/elsewhere; echo "etcd-snapshot-dir: /opt/backup/elsewhere" >/tmp/$$.yaml
    k3s etcd-snapshot save -c /tmp/$$.yaml --name away; rc=$?; rm /tmp/$$.yaml; exit $rc'
check "etcd-snapshot-dir of the config file" exits 0
check "the snapshot is there, and stays" bash -c "ls '$BED_BACKUP_DIR'/elsewhere/away-* && ! ls '$data'/server/db/snapshots/away-*"
in_bed "$api" k3s etcd-snapshot save --etcd-snapshot-dir /nowhere
check "a missing directory fails" exits 1
check "a missing directory hides its reason" says 'see server log for details: Internal error occurred: etcd-snapshot error ID [0-9]+'
# shellcheck disable=SC2016  # the bed's shell expands it
in_bed "$api" bash -c 'echo "etcd-snapshot-dir: /x" >/tmp/$$.yaml; k3s etcd-snapshot save -c /tmp/$$.yaml --dir /y; rc=$?; rm /tmp/$$.yaml; exit $rc'
check "two spellings of a flag" says 'Cannot use two forms of the same flag: etcd-snapshot-dir dir'
check "two spellings of a flag: exit 1" exits 1

fault() { echo "$*" >"$data/standin-fault"; }
if standin "faults of save"; then
fault silent-no-snapshot
in_bed "$api" k3s etcd-snapshot save
check "fault: silent" silent
fault timeout-but-complete timeout=2
in_bed "$api" k3s etcd-snapshot save --name late
check "fault: time limit" exits 1
check "fault: time limit, in k3s's words" says 'Client.Timeout exceeded while awaiting headers'
check "fault: the file is complete" "$etcdutl" snapshot status "$(ls -d "$data"/server/db/snapshots/late-*)"
fault bit-flip
in_bed "$api" k3s etcd-snapshot save --name flip
check "fault: bit flip is reported as saved" says 'Snapshot flip-.* saved'
flip=$(ls -d "$data"/server/db/snapshots/flip-*)
check "fault: its digest is wrong" test "$(digest_in "$flip")" != "$(digest_of "$flip")"
check "an undamaged one's is right" test "$(digest_in "$tmp/first")" = "$(digest_of "$tmp/first")"
rm "$data/standin-fault"
fi

# --- the process ----------------------------------------------------------------
cat >"$tmp/title.sh" <<'TITLE'
bedctl restart
pid=$(cat /run/k3s/bed-server.pid)
for look in {1..160}; do
    title=$(tr '\0' ' ' <"/proc/$pid/cmdline" | sed 's/ *$//')
    echo "$title|$(cat "/proc/$pid/comm")|$(bedctl status)"
    sleep 0.02
done
TITLE
in_bed "$api" bash "$tmp/title.sh"
check "the title is empty for a moment" grep -qE '^\|' "$tmp/out"
check "then it is that of a server" bash -c "tail -n 1 '$tmp/out' | grep -qxF '/usr/local/bin/k3s server|k3s-server|active'"
check "the service manager isn't fooled" bash -c "! grep -q 'inactive' '$tmp/out'"
ready "$api"

# The state to come back to, and something later that must be gone.
in_bed "$api" k3s kubectl create configmap before --from-literal=a=b
in_bed "$api" k3s etcd-snapshot save --name keep
keep=$(ls -d "$data"/server/db/snapshots/keep-*)
cp "$keep" "$tmp/snapshot"
cp "$data/server/token" "$tmp/token"
in_bed "$api" k3s kubectl create configmap after --from-literal=a=b
for number in {1..10}; do
    in_bed "$api" k3s kubectl create configmap "later-$number" --from-literal=a=b
done
future=$(revision "$api")
"$bed" k3s "$api" stop
in_bed "$api" k3s etcd-snapshot save
check "a stopped server" says 'failed to get CA certs: .*connection refused'
check "a stopped server: exit 1" exits 1

# --- reset in place ----------------------------------------------------------
in_bed "$api" k3s server --cluster-reset --cluster-reset-restore-path="/var/lib/rancher/k3s/server/db/snapshots/$(basename "$keep")"
check "reset in place needs no token" exits 0
check "reset ends with k3s's message" says 'level=error msg="Shutdown request received: .*restart without --cluster-reset flag now'
check "reset leaves its flag" test -e "$data/server/db/reset-flag"
check "reset keeps the old database" bash -c "ls -d '$data'/server/db/etcd-old-*"
check "and the certificates of before, which are the same" bash -c "cmp '$data'/server/tls-*/server-ca.key '$data/server/tls/server-ca.key'"
"$bed" k3s "$api" start
ready "$api"
in_bed "$api" k3s kubectl get configmaps -o name
check "what was there is back" grep -qx configmap/before "$tmp/out"
check "what came later is gone" bash -c "! grep -qx configmap/after '$tmp/out'"
# A client that goes on with its watch where it was: the revision has gone back, and nobody tells it.
check "the revision goes back" test "$(revision "$api")" -lt "$future"
in_bed "$api" bash -c "
    k3s kubectl get --raw '/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=4&resourceVersion=$future' &
    sleep 1
    k3s kubectl create configmap unseen --from-literal=a=b >/dev/null
    wait \$!"
check "a watch from the future gets no event and no error" silent
check "and ends like any other" exits 0

# --- a token that is rotated -------------------------------------------------------
password_of() { sed 's/.*:server://' "$1" | tr -d '\n'; }
hash_of() { password_of "$1" | sha256sum | cut -c1-12; }
cp "$data/server/tls/server-ca.crt" "$tmp/ca"
in_bed "$api" k3s token rotate --new-token another-password
check "token rotate" exits 0
check "the token has another hash" test "$(hash_of "$data/server/token")" != "$(hash_of "$tmp/token")"
in_bed "$api" k3s etcd-snapshot save --name between
check "a save before the restart: exit 1" exits 1
check "a save before the restart isn't authorized" says 'level=fatal msg="Error: see server log for details: not authorized"$'
"$bed" k3s "$api" restart
ready "$api"
in_bed "$api" k3s etcd-snapshot save --name rotated
check "a save after the restart" exits 0
rotated=$(ls -d "$data"/server/db/snapshots/rotated-*)
check "it is of the new token" bash -c "grep -qa '/bootstrap/$(hash_of "$data/server/token")' '$rotated'"
check "and of the same CA" cmp "$tmp/ca" "$data/server/tls/server-ca.crt"

# --- a disk that does not fit its datastore -----------------------------------------
"$bed" k3s "$api" stop
cp "$data/server/token" "$tmp/rotated-token"
cp "$tmp/token" "$data/server/token"
in_bed "$api" timeout 60 k3s server
check "a token file of another time stops the start" says 'level=fatal msg=".*bootstrap data already found and encrypted with different token"$'
check "a token file of another time: exit 1" exits 1
cp "$tmp/rotated-token" "$data/server/token"
cp -p "$data/server/cred/ipsec.psk" "$tmp/psk"
for file in cred/ipsec.psk tls/server-ca.key; do echo >>"$data/server/$file"; done
in_bed "$api" timeout 60 k3s server
check "files that are newer than the datastore's are all named" \
    says 'level=fatal msg="/[^ ,]+/(cred/ipsec.psk|tls/server-ca.key), /[^ ,]+/(cred/ipsec.psk|tls/server-ca.key) newer than datastore and could cause a cluster outage. Remove the file\(s\) from disk and restart to be recreated from datastore."$'
check "files that are newer than the datastore's: exit 1" exits 1
rm "$data/server/cred/ipsec.psk" "$data/server/tls/server-ca.key"
"$bed" k3s "$api" start
ready "$api"
check "files that are missing come from the datastore" cmp "$tmp/psk" "$data/server/cred/ipsec.psk"

# --- another address than that of etcd's member --------------------------------------
config=$BED_STATE/private/etc/rancher/k3s/config.yaml
"$bed" k3s "$api" stop
in_bed "$api" ip address add 172.31.99.77/24 dev bed0
sed -i 's/^node-ip: .*/node-ip: 172.31.99.77/' "$config"
"$bed" k3s "$api" start
timeout 30 bash -c "until grep -q 'is a not a member of the etcd cluster' '$BED_LOG'; do sleep 0.3; done"
check "a server of another address is no member" grep -qE \
    'level=error msg="Failed to test etcd connection: this server is a not a member of the etcd cluster. Found \[.*=https://172.31.99.1:2380\], expect: bed-smoke-[0-9]+-[0-9a-f]{8}=https://172.31.99.77:2380"$' "$BED_LOG"
in_bed "$api" k3s kubectl get --raw=/readyz --request-timeout=5s
check "and never gets ready" exits 1
check "but does not end" "$bed" k3s "$api" status
"$bed" k3s "$api" stop
in_bed "$api" k3s server --cluster-reset
check "a reset without a snapshot: exit 0" exits 0
"$bed" k3s "$api" start
check "after it the server is one" ready "$api"
in_bed "$api" k3s kubectl get configmap before -o name
check "with its objects" grep -qx configmap/before "$tmp/out"

# --- the end of a server --------------------------------------------------------------
if standin "a part that ends by itself"; then
    # shellcheck disable=SC2016  # the bed's shell expands it
    in_bed "$api" bash -c 'kill -KILL "$(pgrep -P "$(cat /run/k3s/bed-server.pid)" -f "^kube-apiserver ")"'
    timeout 20 bash -c "while '$bed' k3s $api status >/dev/null; do sleep 0.2; done"
    check "the server ends with its part" bash -c "! '$bed' k3s '$api' status"
    check "it says so at level error" grep -qE 'level=error msg="Shutdown request received: \\"kube-apiserver exited: ' "$BED_LOG"
    check "and nothing is fatal" bash -c "! grep -q level=fatal '$BED_LOG'"
fi
"$bed" down "$api"

# --- reset on an empty disk ----------------------------------------------------
"$bed" up "$empty" --no-start || exit 1
eval "$("$bed" env "$empty" 2>/dev/null)"
data=$BED_DATA_DIR
password=$(password_of "$tmp/token")
attempt() { # attempt [VAR=VALUE] [flags]: on an empty data directory
    local env=()
    while [[ ${1:-} == *=* && $1 != -* ]]; do env+=("$1") && shift; done
    in_bed "$empty" env "${env[@]}" k3s server --cluster-reset --cluster-reset-restore-path="$tmp/snapshot" "$@"
}
wipe() { find "$data" -xdev -mindepth 1 -delete 2>/dev/null; rm -f "$BED_KUBECONFIG"; mkdir -p "$data/server"; }
kubeconfig_ca() { sed -n 's/.*certificate-authority-data: //p' "$BED_KUBECONFIG" | base64 -d; }

wipe && attempt
check "no token: refused" says '/server/token does not exist, please pass --token to complete the restoration'
check "no token: exit 1" exits 1
wipe && attempt --token-file "$tmp/token"
check "--token-file alone: refused" says 'please pass --token'
wipe && cp "$tmp/token" "$data/server/token" && attempt
check "server/token alone isn't read" says 'bootstrap data already found and encrypted with different token'
check "server/token alone: exit 1" exits 1
check "server/token alone is lost in it" bash -c "! cmp -s '$tmp/token' '$data/server/token'"
wipe && cp "$tmp/token" "$data/server/token" && attempt --token-file "$tmp/token"
check "server/token and --token-file" exits 0
wipe && attempt K3S_TOKEN="$password" --etcd-s3
check "with S3 the path is an object's name" says 'level=fatal msg=".*failed to initialize S3 client: s3 configuration was not set"$'
check "with S3 and no configuration: exit 1" exits 1
check "certificates were made before" test -e "$data/server/db" -a -e "$data/server/tls/server-ca.crt" -a ! -e "$data/server/db/reset-flag"
wipe && attempt K3S_TOKEN="$password" --server https://127.0.0.1:6443
check "a server URL: refused" says 'remove server from configuration before resetting'
wipe && attempt K3S_TOKEN=wrong
check "a wrong token fails" says 'bootstrap data already found and encrypted with different token'
check "a wrong token leaves its traces" bash -c "ls -d '$data'/server/db/{etcd,etcd-old-*,reset-flag}"
if standin "the older form of the reset's message"; then
    wipe && attempt K3S_TOKEN="$(cat "$tmp/token")" K3S_STANDIN_RESET_MESSAGE=old
    check "the older form of the message" says 'level=info msg="Managed etcd cluster .*restart without --cluster-reset flag now'
fi
wipe && attempt K3S_TOKEN="$password"
check "the password alone in the environment" exits 0
wipe && attempt K3S_TOKEN="$(cat "$tmp/token")"
check "the whole token line in the environment" exits 0
check "certificates that were replaced are kept" bash -c "ls -d '$data'/server/tls-*"
check "the CA on the disk is the snapshot's" cmp "$tmp/ca" "$data/server/tls/server-ca.crt"
check "the token's line is of another CA" bash -c "! cmp -s '$tmp/token' '$data/server/token'"
check "its password is the old one" test "$(password_of "$data/server/token")" = "$password"
check "node-token and agent-token are links to it" \
    test "$(basename "$(readlink "$data/server/node-token")") $(basename "$(readlink "$data/server/agent-token")")" = "token token"
check "a kubeconfig is written" test -s "$BED_KUBECONFIG"
check "it is of another CA" bash -c "[[ '$(kubeconfig_ca | sha256sum)' != '$(sha256sum <"$tmp/ca")' ]]"
if standin "faults of a start"; then
echo "never-ready when=reset" >"$data/standin-fault"
"$bed" k3s "$empty" start
sleep 6
check "fault: never ready, but running" "$bed" k3s "$empty" status
in_bed "$empty" k3s kubectl get --raw=/readyz
check "fault: no API" exits 1
"$bed" k3s "$empty" stop
check "fault: the reset's flag stays" test -e "$data/server/db/reset-flag"
rm "$data/standin-fault"
in_bed "$empty" env K3S_STANDIN_FAULT=start-fails k3s server
check "fault: the server does not start" says 'level=error msg="Shutdown request received: \\"injected: the server does not start\\""'
fi
"$bed" k3s "$empty" start
ready "$empty"
check "after the start the token is the old one" cmp "$tmp/token" "$data/server/token"
check "and the kubeconfig's CA the snapshot's" bash -c "[[ '$(kubeconfig_ca | sha256sum)' == '$(sha256sum <"$tmp/ca")' ]]"
in_bed "$empty" k3s kubectl get configmaps -o name
check "the objects are back on the new disk" grep -qx configmap/before "$tmp/out"
"$bed" down "$empty"

# --- secrets encryption, and a scratch server beside the running one -------------
"$bed" up "$secret" --config "secrets-encryption: true" --config "etcd-snapshot-restrictions: snapshot-dir" || exit 1
eval "$("$bed" env "$secret")"
data=$BED_DATA_DIR
cred=$data/server/cred
in_bed "$secret" k3s kubectl create secret generic hidden --from-literal=a=in-plain-sight
check "the encryption's files are there" test -s "$cred/encryption-config.json" -a -s "$cred/encryption-state.json"
check "they are 0600" test "$(stat -c %a "$cred"/encryption-*.json | sort -u)" = 600
in_bed "$secret" k3s etcd-snapshot save --name secret
if standin "restrictions of snapshots (k3s after 1.36)"; then
    in_bed "$secret" k3s etcd-snapshot save --name kept --etcd-snapshot-dir /run
    check "a directory that the server does not take: exit 0" exits 0
    check "it is warned of" says 'level=warning msg="snapshot-dir override ignored by server-side snapshot restrictions'
    check "the file is where the server has them" bash -c "rm '$data'/server/db/snapshots/kept-*"
fi
cp "$data"/server/db/snapshots/secret-* "$tmp/snapshot"
cp "$data/server/token" "$tmp/token"
check "Secrets are encrypted in etcd" grep -qa 'k8s:enc:aescbc:v1:aescbckey:' "$tmp/snapshot"
check "nothing of them is readable" bash -c "! grep -qa in-plain-sight '$tmp/snapshot'"
cp "$cred/encryption-config.json" "$tmp/encryption-config.json"

cat >"$tmp/scratch.sh" <<'SCRATCH'
dir=$1 snapshot=$2
ip link set lo up
ip link add scratch0 type bridge
ip address add 172.31.98.1/24 dev scratch0
ip link set scratch0 up
ip route add default dev scratch0
: >"$dir/config.yaml"
flags=(--config "$dir/config.yaml" --data-dir "$dir/data" --node-ip 172.31.98.1 --write-kubeconfig "$dir/kubeconfig"
    --disable-agent --disable-scheduler --disable-controller-manager --disable-cloud-controller
    --disable-helm-controller --disable-network-policy --flannel-backend=none --secrets-encryption
    --service-cidr 10.43.0.0/16 --cluster-cidr 10.42.0.0/16
    --disable=traefik,servicelb,metrics-server,coredns,local-storage)
mkdir -p "$dir/data"
k3s server --cluster-reset --cluster-reset-restore-path="$snapshot" "${flags[@]}" || exit 1
k3s server "${flags[@]}" &
server=$!
for tries in {1..200}; do
    [[ $(k3s kubectl --kubeconfig "$dir/kubeconfig" get --raw=/readyz 2>/dev/null) == ok ]] && break
    sleep 0.2
done
k3s kubectl --kubeconfig "$dir/kubeconfig" get secret hidden -o jsonpath='{.data.a}'
kill "$server"
wait "$server"
SCRATCH
mkdir -p "$tmp/scratch"
in_bed "$secret" env K3S_TOKEN="$(cat "$tmp/token")" unshare --net bash "$tmp/scratch.sh" "$tmp/scratch" "$tmp/snapshot"
check "a scratch server opens the encrypted Secret" grep -q "$(printf in-plain-sight | base64)" "$tmp/out"
check "its encryption key is the snapshot's" cmp "$tmp/encryption-config.json" "$tmp/scratch/data/server/cred/encryption-config.json"
in_bed "$secret" k3s kubectl get --raw=/readyz
check "the running server is undisturbed" grep -q ok "$tmp/out"

"$bed" k3s "$secret" stop
find "$data" -xdev -mindepth 1 -delete
in_bed "$secret" env K3S_TOKEN="$(cat "$tmp/token")" k3s server --cluster-reset --cluster-reset-restore-path="$tmp/snapshot"
check "a reset with encryption" exits 0
check "brings its key back" cmp "$tmp/encryption-config.json" "$cred/encryption-config.json"
"$bed" k3s "$secret" start
ready "$secret"
in_bed "$secret" k3s kubectl get secret hidden -o jsonpath='{.data.a}'
check "the Secret can be read again" grep -q "$(printf in-plain-sight | base64)" "$tmp/out"
"$bed" down "$secret"

# --- SQLite, node ---------------------------------------------------------------
"$bed" up "$empty" --sqlite || exit 1
in_bed "$empty" k3s etcd-snapshot save
check "SQLite server" says 'see server log for details: etcd datastore disabled'
check "SQLite server: exit 1" exits 1
in_bed "$empty" curl -sk -o /dev/null -w '%{http_code}' "$supervisor/db/info"
check "SQLite server: /db/info is 400" grep -qx 400 "$tmp/out"
in_bed "$empty" python3 -c 'import sqlite3
database = sqlite3.connect("file:/var/lib/rancher/k3s/server/db/state.db?mode=ro", uri=True)
print(database.execute("select count(*) > 50 from kine where name like \"/registry/%\"").fetchone()[0],
      database.execute("select count(*) from kine where name like \"/bootstrap/%\"").fetchone()[0])'
check "SQLite server: the objects and the bootstrap row are in kine's table" grep -qx '1 1' "$tmp/out"
eval "$("$bed" env "$empty")"
data=$BED_DATA_DIR
cp "$data/server/tls/server-ca.crt" "$tmp/ca"
in_bed "$empty" k3s kubectl create configmap before --from-literal=a=b
migrate() {
    "$bed" k3s "$empty" start
    ready "$empty"
    in_bed "$empty" k3s kubectl get configmap before -o name
    check "cluster-init $1: the objects are in etcd" grep -qx configmap/before "$tmp/out"
    check "cluster-init $1: the database is kept" test -e "$data/server/db/state.db.migrated" -a ! -e "$data/server/db/state.db"
    "$bed" k3s "$empty" stop
}
"$bed" k3s "$empty" stop
echo "cluster-init: true" >>"$BED_STATE/private/etc/rancher/k3s/config.yaml"
migrate "on a server with SQLite"
check "the certificates stay" cmp "$tmp/ca" "$data/server/tls/server-ca.crt"
mv "$data/server/db/state.db.migrated" "$data/server/db/state.db"
rm -r "$data"/server/{tls,cred,db/etcd}
migrate "on a database alone"
check "there the certificates are others than those in it" bash -c "! cmp '$tmp/ca' '$data/server/tls/server-ca.crt'"
"$bed" down "$empty"

"$bed" up "$node" --node --unit 'Environment="K3S_BED=two words"' \
    --unit ExecStart= --unit "ExecStart=/usr/local/bin/k3s server \\" --unit "    '--node-label' \\" --unit "    'bed=unit'" || exit 1
in_bed "$node" k3s kubectl get node "bed-$node" -o jsonpath='{.metadata.labels.node-role\.kubernetes\.io/etcd}'
check "the node is labelled" grep -qx true "$tmp/out"
"$bed" exec "$node" k3s kubectl apply -f - >/dev/null <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: saver}
spec:
  hostNetwork: true
  restartPolicy: Never
  containers:
  - name: saver
    image: railiance.test/pause:1
    imagePullPolicy: Never
    command: [/usr/local/bin/k3s, etcd-snapshot, save, --name, from-pod]
    volumeMounts:
    - {name: bin, mountPath: /usr/local/bin, readOnly: true}
    - {name: data, mountPath: /var/lib/rancher/k3s}
  volumes:
  - {name: bin, hostPath: {path: /usr/local/bin}}
  - {name: data, hostPath: {path: /var/lib/rancher/k3s}}
YAML
in_bed "$node" k3s kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/saver --timeout=60s
check "a pod saves a snapshot" exits 0
in_bed "$node" k3s kubectl logs saver
check "its log can be read" grep -q 'Snapshot from-pod-.* saved' "$tmp/out"

in_bed "$node" k3s kubectl get node "bed-$node" -o jsonpath='{.metadata.annotations.k3s\.io/node-args}'
check "the effective arguments stand at the node" grep -qE '^\["server","--cluster-init","true",.*"--node-ip","172.31.99.1",' "$tmp/out"
check "those of the unit's drop-in too" grep -qE ',"--node-label","bed=unit"\]$' "$tmp/out"
in_bed "$node" k3s kubectl get node "bed-$node" -o jsonpath='{.metadata.annotations.k3s\.io/node-env}'
check "so does its environment" grep -qF '"K3S_BED":"two words"' "$tmp/out"
in_bed "$node" k3s kubectl get node "bed-$node" -o jsonpath='{.metadata.annotations}'
check "and its etcd member" grep -qE "\"etcd.k3s.cattle.io/node-address\":\"172.31.99.1\".*\"etcd.k3s.cattle.io/node-name\":\"bed-$node-[0-9a-f]{8}\"" "$tmp/out"

# After a reset the Secret of the node's password goes, and comes back as another.
eval "$("$bed" env "$node")"
node_password() { in_bed "$node" k3s kubectl -n kube-system get secret "bed-$node.node-password.k3s" -o jsonpath='{.metadata.uid}'; }
node_password
check "the node's password has a Secret" test -s "$tmp/out"
before=$(<"$tmp/out")
saved=$(echo "$BED_DATA_DIR"/server/db/snapshots/from-pod-*)
"$bed" k3s "$node" stop
in_bed "$node" k3s server --cluster-reset --cluster-reset-restore-path="/var/lib/rancher/k3s/server/db/snapshots/$(basename "$saved")"
check "a reset of a server with a node" exits 0
"$bed" k3s "$node" start
gone=false
end=$((SECONDS + 60))
while ((SECONDS < end)); do
    node_password
    ! grep -q NotFound "$tmp/err" || gone=true
    [[ ! -s $tmp/out || $(<"$tmp/out") == "$before" ]] || break
    sleep 0.2
done
check "after a reset the Secret is away for a while" $gone
check "and comes back with another uid" test -s "$tmp/out" -a "$(<"$tmp/out")" != "$before"
"$bed" down "$node"
left=$(ls -d /sys/fs/cgroup/*/railiance-bed-smoke-$$* "${RAILIANCE_BEDS:-/var/tmp/railiance-beds}"/smoke-$$* 2>/dev/null)
check "nothing is left of the beds" test -z "$left"

summary "test bed"
alone=$?
"$here/smoke_servers.sh" && exit "$alone"
