#!/bin/sh
# A k3s that plays every form of output and every fault of `etcd-snapshot save`. It is copied beside
# a file `snapshot` (what a save stores) and a file `fault` (which one to play), because the agent
# gives it no environment. Its calls are noted in `calls`, its environment in `environment`.
here=$(dirname "$0")
fault=$(cat "$here/fault" 2>/dev/null)
printf '%s\n' "$*" >>"$here/calls"
env >"$here/environment"
[ "$1" = --version ] && { echo "k3s version v1.34.4+fake (00000000)"; echo "go version go1.26"; exit 0; }
subcommand=$2
shift 2
for argument; do
  case $argument in
  --name=*) name=${argument#*=} ;;
  --data-dir=*) data=${argument#*=} ;;
  --etcd-snapshot-dir=*) directory=${argument#*=} ;;
  -*) ;;
  *) target=$argument ;;
  esac
done
directory=${directory:-$data/server/db/snapshots}
say() { printf 'time="2026-11-22T11:52:16Z" level=%s msg="%s"\n' "$1" "$2" >&2; }
fatal() { say fatal "Error: $1"; exit 1; }
saved() { say info "Snapshot $1 saved."; }
full=$name-vm-1795348336
store() {
  umask 077
  mkdir -p "$directory"
  cp "$here/snapshot" "$directory/$1.part" && mv "$directory/$1.part" "$directory/$1"
}
flip() { printf '\377\376' | dd of="$1" bs=1 seek=20480 conv=notrunc 2>/dev/null; }

if [ "$subcommand" = delete ]; then
  [ "$fault" = delete-fails ] && fatal 'failed to get CA certs: connect: connection refused'
  [ "$fault" = elsewhere-stays ] && { say warning "Snapshot $target not found."; exit 0; }
  rm -f "${directory:?}/$target"
  say info "Snapshot $target deleted."
  exit 0
fi

case $fault in
silent) exit 0 ;;
sqlite) fatal 'see server log for details: etcd datastore disabled' ;;
sqlite-old) fatal 'etcd database not found in /var/lib/rancher/k3s/server' ;;
down) fatal 'failed to get CA certs: Get \"https://127.0.0.1:6443/cacerts\": dial tcp 127.0.0.1:6443: connect: connection refused' ;;
starting) fatal 'failed to get CA certs: starting' ;;
not-authorized)
  say warning 'Unknown flag --kubelet-arg found in config.yaml, skipping\n'
  echo 'Error: see server log for details: not authorized' >&2
  exit 1 ;;
unauthorized) fatal 'see server log for details: Unauthorized' ;;
two-forms)
  echo 'NAME: k3s etcd-snapshot save'
  echo 'Incorrect Usage: Cannot use two forms of the same flag: etcd-snapshot-dir dir' >&2
  exit 1 ;;
internal) fatal 'see server log for details: Internal error occurred: etcd-snapshot error ID 17953' ;;
busy-once)
  if [ ! -e "$here/was-busy" ]; then
    : >"$here/was-busy"
    fatal 'see server log for details: Internal error occurred: etcd-snapshot error ID 17953'
  fi
  store "$full"; saved "$full" ;;
restart-once)
  if [ ! -e "$here/was-away" ]; then
    : >"$here/was-away"
    fatal 'Post \"https://127.0.0.1:6443/db/snapshot\": EOF'
  fi
  store "$full"; saved "$full" ;;
leaks-token) fatal 'token K10abcdef::server:5ecret-of-the-server is not valid' ;;
timeout-complete) store "$full"; fatal 'Post \"https://127.0.0.1:6443/db/snapshot\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)' ;;
timeout-late) (sleep 0.4; store "$full") >/dev/null 2>&1 & fatal 'Post \"https://127.0.0.1:6443/db/snapshot\": context deadline exceeded' ;;
timeout-nothing) fatal 'Post \"https://127.0.0.1:6443/db/snapshot\": context deadline exceeded' ;;
hang) sleep 60 ;;
hang-complete) store "$full"; sleep 60 ;;
truncated) store "$full"; truncate -s -8192 "$directory/$full"; saved "$full" ;;
truncated-odd) store "$full"; truncate -s -7 "$directory/$full"; saved "$full" ;;
zero-byte) store "$full"; : >"$directory/$full"; saved "$full" ;;
bit-flip) store "$full"; flip "$directory/$full"; saved "$full" ;;
other-node) store "$name-other-1795348336"; saved "$name-other-1795348336" ;;
elsewhere | elsewhere-stays) saved "$full" ;;
wrong-name) store "on-demand-vm-1795348336"; saved "on-demand-vm-1795348336" ;;
compressed) store "$full.zip"; saved "$full.zip" ;;
exit-after-save) store "$full"; saved "$full"; fatal 'injected failure after the snapshot was saved' ;;
killed) kill -9 $$ ;;
two-lines) store "$full"; saved "$full"; saved "$full" ;;
noise)
  store "$full"
  say warning 'Unknown flag --write-kubeconfig-mode found in config.yaml, skipping\n'
  say info 'Snapshot lost-and-found is not ours'
  saved "$full" ;;
tty) store "$full"; printf 'INFO[0000] Snapshot %s saved. \n' "$full" >&2 ;;
old-json)
  store "$full"
  printf '{"level":"info","ts":"2024-01-01T00:00:00.000Z","msg":"created temporary db file","path":"%s.part"}\n' "$directory/$full" >&2
  printf '{"level":"info","ts":"2024-01-01T00:00:01.000Z","msg":"saved","path":"%s"}\n' "$directory/$full" >&2 ;;
fills-the-disk)
  store "$full"; saved "$full"
  dd if=/dev/zero of="$(cat "$here/fill")" bs=64k 2>/dev/null ;;
leaves-little)
  store "$full"; saved "$full"
  dd if=/dev/zero of="$(cat "$here/fill")" bs=64k 2>/dev/null
  truncate -s "-$(cat "$here/leave")K" "$(cat "$here/fill")" ;;
*) store "$full"; saved "$full" ;;
esac
exit 0
