#!/bin/sh
# The k3s of a host that rejoins, as a program: kubectl against this host ("two") and the server that
# was restored ("one", at 192.0.2.11), and the service of this host (start, stop, status). It has its
# places for itself: the test that runs it mounts /etc, /run and /var/lib of its own. What is true at
# the moment lies there, too: /run/world/running, and /run/world/votes while "two" is a member.
data=/var/lib/rancher/k3s
etcd=$data/server/db/etcd
drop_in=/etc/rancher/k3s/config.yaml.d/zz-railiance-rejoin.yaml
running=/run/world/running
votes=/run/world/votes
member=two-0a1b2c3d

fail() { echo "$1" >&2; exit 1; }

# With a database of its own it goes on with that, else it joins, and votes at once.
start() {
  umask 077
  if [ ! -e "$etcd/name" ]; then
    if [ ! -s "$drop_in" ] || [ ! -s "$data/server/token" ]; then
      fail 'level=fatal msg="Error: token is required to join a cluster"'
    fi
    mkdir -p "$etcd/member/wal" "$data/server/tls" "$data/server/cred" "$data/agent"
    echo joined >"$etcd/member/data"
    echo 'authority of the cluster' >"$data/server/tls/server-ca.crt"
    echo 'certificate of the join' >"$data/server/tls/client-admin.crt"
    echo 'key of the join' >"$data/server/tls/client-admin.key"
    echo 'passwords of the join' >"$data/server/cred/passwd"
    [ -e "$data/agent/client-ca.crt" ] || echo 'of k3s' >"$data/agent/client-ca.crt"
    echo "$member" >"$etcd/name"
    : >"$votes"
  fi
  echo 'of the start' >/etc/rancher/k3s/k3s.yaml
  : >"$running"
}

members() {
  list='{"ID":1,"name":"one-11111111"}'
  [ ! -e "$votes" ] || list="$list,{\"ID\":2,\"name\":\"$member\"}"
  echo "{\"members\":[$list]}"
}

# By its Node, k3s takes the member out; its etcd ends with that, and k3s with its etcd.
take_out() {
  : >"$etcd/tombstone"
  rm "$votes" "$running"
}

node() {
  [ ! -e "$votes" ] || { echo '{"metadata":{}}'; return; }
  echo "{\"metadata\":{\"annotations\":{\"etcd.k3s.cattle.io/removed-node-name\":\"$member\"}}}"
}

kubectl() {
  server=here
  for argument; do
    case $argument in
    --kubeconfig=*) kubeconfig=${argument#*=} ;;
    --server=*) server=${argument#*=} ;;
    --raw=*) path=${argument#*=} ;;
    annotate) path=annotate ;;
    esac
  done
  [ -s "$kubeconfig" ] || fail "error: stat $kubeconfig: no such file or directory"
  case $server in
  https://192.0.2.11:6443) ;;
  here | https://127.0.0.1:6443)
    if [ ! -e "$running" ] || [ ! -e "$votes" ]; then
      fail 'The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?'
    fi ;;
  *) fail 'Unable to connect to the server: dial tcp: connect: no route to host' ;;
  esac
  case $path in
  /readyz) echo ok ;;
  /version) echo '{"gitVersion":"v1.34.4+k3s1"}' ;;
  /cacerts) echo 'authority of the cluster' ;;
  /db/info) members ;;
  /api/v1/namespaces/kube-system) echo '{"metadata":{"uid":"u-1"}}' ;;
  '/api/v1/namespaces?limit=1') echo '{"metadata":{"resourceVersion":"100"}}' ;;
  /api/v1/nodes/two) node ;;
  annotate) take_out ;;
  *) fail 'Error from server (NotFound): the server could not find the requested resource' ;;
  esac
}

case $1 in
--version) echo 'k3s version v1.34.4+k3s1 (00000000)' ;;
start) start ;;
stop) rm -f "$running" ;;
status) [ -e "$running" ] ;;
kubectl) kubectl "$@" ;;
*) fail "rejoining_k3s.sh does not play: $*" ;;
esac
