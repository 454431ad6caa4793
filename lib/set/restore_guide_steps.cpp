// RESTORE.md from the host state on: the steps by hand, as they are for every set. They are tried
// as one script (tests/integration/kit, tests/integration/recover).
#include "set/restore_guide.hpp"

namespace rb::set {

namespace {

/// Ends the block that the head began, where there is a host state;
constexpr std::string_view k_open_host_state =
    R"md(age -d -i "$KEYS" -o "$WORK/host-state.tar.gz" @hoststate@
tar -xzf "$WORK/host-state.tar.gz" -C "$WORK/host"
```

)md";

/// and where there is none.
constexpr std::string_view k_no_host_state = R"md(```

**This set has no host state**: without the server's own token file the snapshot opens on no other machine. Only the
host on which k3s ran can be restored from it.

)md";

/// Always.
constexpr std::string_view k_stop = R"md(### 3. k3s is stopped, and stays so
k3s does not notice that it is still running, and would restore under a living @living@. A machine that was an agent until now
has `k3s-agent` to be disabled for good (`systemctl disable --now k3s-agent`): a server is its own agent.
```sh
systemctl stop @unit@ || true
here=$(readlink /proc/$$/ns/pid)
for process in /proc/[0-9]*; do
  [ "$(readlink "$process/ns/pid" 2>/dev/null)" = "$here" ] || continue # in a container: vcluster, k3d
  name=$(cat "$process/comm" 2>/dev/null) || continue
  case $name in
    k3s-server | k3s-agent) ;;
    *) tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -Eq '^[^ ]*k3s (server|agent)' || continue ;;
  esac
  echo "k3s still runs, as a server or an agent: process ${process#/proc/}" >&2
  exit 1
done
k3s --version
```
It must say `k3s version @version@`, or a newer patch of it (the line below that is of Go).

)md";

/// Where there is a host state.
constexpr std::string_view k_put_back = R"md(### 4. Token, configuration and unit go back
What is there already is kept in `@work@/before`.
```sh
(umask 022; mkdir -p @data@)
put_back() {
  [ -e "$WORK/host/$1" ] || { echo "/$1: bring it from $WORK/host yourself" >&2 && return 0; }
  if [ -e "/$1" ] && [ ! -e "$WORK/before/$1" ]; then
    mkdir -p "$WORK/before/${1%/*}"
    cp -pR "/$1" "$WORK/before/${1%/*}/"
  fi
  case /$1 in
    @data@/*) mkdir -p "/${1%/*}" ;; # for root alone, as k3s makes them
    *) (umask 022; mkdir -p "/${1%/*}") ;;
  esac
  cp -p "$WORK/host/$1" "/${1%/*}/"
}
LC_ALL=C.UTF-8 tar -tzf "$WORK/host-state.tar.gz" | while IFS= read -r path; do
  case /$path in
    /host.json | */ | /etc/systemd/system/*.wants/*) ;;
    @data@/server/token | @data@/server/agent-token | @data@/server/manifests/* | @config@/* | /var/lib/railiance-backup/* | \
      /etc/systemd/system/k3s* | /etc/default/k3s* | /etc/sysconfig/k3s* | /etc/init.d/k3s* | /etc/conf.d/k3s*) put_back "$path" ;;
    @data@/server/tls/* | @data@/server/cred/* | @data@/server/db/*) ;;
    # what the configuration names elsewhere (an audit policy, say), where this machine has nothing:
    *) [ -e "/$path" ] || put_back "$path" || echo "/$path: it could not be put back" >&2 ;;
  esac
done
if grep -sE '(^|[{,])[[:space:]]*["'\'']?server["'\'']?[[:space:]]*:.*https:' @config@/k3s/config.yaml @config@/k3s/config.yaml.d/*.y*ml | grep .; then
  echo "remove the line 'server:' there first: this server begins the cluster anew" >&2
  exit 1
fi
```

)md";

/// SQLite: the copy is the database, and what else k3s needs is in it.
constexpr std::string_view k_place = R"md(### 5. The copy takes the place of the database
Database, log (`-wal`, `-journal`) and index (`-shm`) are one: they go aside together. An etcd that is there would be used
before SQLite, so it goes, too. The certificates k3s writes anew from the copy, which the token opens; but with `cluster-init` it
would make an etcd of the copy, and other certificates than those of the backup.
```sh
if grep -sE '(^|[{,])[[:space:]]*["'\'']?cluster-init["'\'']?[[:space:]]*: *.?(true|yes|on|1)|K3S_CLUSTER_INIT=.?(true|1)|--cluster-init($|[^=-]|=true)' \
  @config@/k3s/config.yaml @config@/k3s/config.yaml.d/*.y*ml @config@/k3s/@unit@.env /etc/systemd/system/@unit@.service \
  /etc/systemd/system/@unit@.service.d/*.conf /etc/systemd/system/@unit@.service.env /etc/init.d/@unit@ | grep .; then
  echo "remove 'cluster-init' there first; when k3s runs with the copy, it can be written again" >&2
  exit 1
fi
db=@data@/server/db
old=$db/state-old-$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$old"
for name in state.db-wal state.db-journal; do
  [ ! -e "$db/$name" ] || cp -p "$db/$name" "$old/"
done
[ ! -e "$db/state.db" ] || mv "$db/state.db" "$old/"
rm -f "$db/state.db-wal" "$db/state.db-journal" "$db/state.db-shm"
[ ! -e "$db/etcd" ] || mv "$db/etcd" "$old/"
for name in tls cred; do
  from=@data@/server/$name
  [ ! -e "$from" ] || mv "$from" "$old/" 2>/dev/null || # a mount point stays, what is in it goes
    { cp -pR "$from" "$old/" && rm -rf "$from"/* "$from"/.[!.]*; }
done
cp "$WORK/snapshot" "$db/state.db.part"
mv "$db/state.db.part" "$db/state.db"
```
What you put into `tls` or `cred` yourself and the configuration names (an `oidc-ca-file`, say) is not in the copy: bring it back
from `"$old"`, or from `@work@/host@data@/server`, before the start.
If k3s does not come up with it, nothing is lost: stop it, move `state.db` and all `state.db-…` away, move what lies in
`@data@/server/db/state-old-…` back (`tls` and `cred` to `@data@/server`), and start k3s.

)md";

/// etcd: k3s itself resets the cluster.
constexpr std::string_view k_reset = R"md(### 5. Reset
The settings that only the unit, its drop-ins and environment files know (or OpenRC's script) are read from them: k3s does
not look there. The token is passed in the environment, since everybody can read an argument list. The command ends by
itself, within a minute or so, and says `restart without --cluster-reset flag now`; it writes that as an error, and exits with 0.
```sh
db=@data@/server/db
if [ -e "$db/state.db" ]; then # of SQLite: older releases of k3s would mix it into the snapshot
  old=$db/state-old-$(date -u +%Y%m%dT%H%M%SZ)
  mkdir -p "$old"
  mv "$db"/state.db* "$old/"
fi
units() { # of systemd, lines joined: the unit, then its drop-ins; what stands last counts
  for file in /lib/systemd/system/@unit@.service /usr/lib/systemd/system/@unit@.service \
    /usr/local/lib/systemd/system/@unit@.service /etc/systemd/system/@unit@.service \
    /lib/systemd/system/@unit@.service.d/*.conf /usr/lib/systemd/system/@unit@.service.d/*.conf \
    /usr/local/lib/systemd/system/@unit@.service.d/*.conf /etc/systemd/system/@unit@.service.d/*.conf; do
    [ ! -r "$file" ] || awk '/^[ \t]*[#;]/ { next } # also between lines that go on
      { line = line $0 }
      sub(/\\$/, " ", line) { next }
      { sub(/^[ \t]+/, "", line); sub(/[ \t]*=[ \t]*/, "=", line); print line; line = "" }
      END { print line }' "$file"
  done
}
variables() { # that they set, one a line
  units | awk 'sub(/^Environment= */, "") {
    word = quote = ""
    for (i = 1; i <= length($0); i++) {
      c = substr($0, i, 1)
      if (quote == "" && (c == "\"" || c == "\047")) quote = c
      else if (c == quote) quote = ""
      else if (quote == "" && (c == " " || c == "\t")) { print word; word = "" }
      else word = word c
    }
    print word
  }'
}
export_lines() { # $1: what may stand before a name
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#"${1-}"}
    name=${line%%=*}
    value=${line#*=}
    case $name in "$line" | '' | [0-9]* | *[!A-Za-z0-9_]*) continue ;; esac
    case $value in
      \"*\") value=${value#?} value=${value%?} ;;
      \'*\') value=${value#?} value=${value%?} ;;
    esac
    export "$name=$value"
  done
}
start=$(units | awk 'sub(/^ExecStart= */, "") { # to systemd an unquoted < or ; is a character like others
    start = quote = ""
    for (i = 1; i <= length($0); i++) {
      c = substr($0, i, 1)
      if (quote == "" && (c == "\"" || c == "\047")) quote = c
      else if (c == quote) quote = ""
      else if (quote == "" && index("<>|&;()#*?[]~", c)) c = "\\" c
      start = start c
    }
  }
  END { print start }')
if [ -z "$start" ] && [ -e /etc/init.d/@unit@ ]; then # OpenRC
  start=$(
    set +eu
    [ ! -e /etc/conf.d/@unit@ ] || . /etc/conf.d/@unit@
    . /etc/init.d/@unit@ >/dev/null 2>&1
    printf '%s %s\n' "$command" "$command_args"
  )
fi
flags=$(printf '%s\n' "$start" |
  sed 's/^[^[:space:]]*[[:space:]]*server[[:space:]]*//; s/[[:space:]]*>>.*//')
(
  export_lines <<END
$(variables)
END
  for file in $(units | sed -n 's/^EnvironmentFile=-\{0,1\}//p' | sed 's/%[Nnp]/'@unit@'/g'); do
    [ ! -r "$file" ] || export_lines <"$file"
  done
  for file in /etc/conf.d/@unit@ @config@/k3s/@unit@.env; do
    [ ! -r "$file" ] || export_lines 'export ' <"$file"
  done
  K3S_TOKEN=$(cat @data@/server/token)
  export K3S_TOKEN
  unset K3S_URL
  eval "set -- $flags"
  for word in "$@"; do # k3s takes no flag in two spellings
    shift
    case $word in
      -d) word=--data-dir ;;
      -d=*) word=--data-dir=${word#-d=} ;;
    esac
    set -- "$@" "$word"
  done
  umask 022 # it unpacks its programs for everybody
  exec k3s server "$@" --cluster-reset --cluster-reset-restore-path="$WORK/snapshot" \
    --data-dir=@data@ --etcd-s3=false --alsologtostderr
)
```
If it fails, nothing is lost: the old database is `@data@/server/db/etcd-old-…`. Move `etcd` aside, rename
the newest `etcd-old-…` back to `etcd`, remove `db/reset-flag`, rename `server/tls-…` back to `tls` if it is there, and start k3s.
Of a server that was on SQLite, move what lies in `db/state-old-…` back to `db`, too.

)md";

/// From there to the end.
constexpr std::string_view k_start = R"md(### 6. Start k3s (`systemctl start @unit@`) and look
```sh
systemctl daemon-reload || true
systemctl enable @unit@ || true
systemctl start @unit@
unset KUBECONFIG # it may lead to another cluster
export K3S_DATA_DIR=@data@ # where it has unpacked its programs
tries=0
until k3s kubectl get --raw=/readyz >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 150 ]; then
    echo "the API server is not ready after 5 minutes: see journalctl -u" @unit@ >&2
    exit 1
  fi
  sleep 2
done
k3s kubectl get nodes
k3s kubectl get namespaces
```

### 7. Clear up
The marker keeps this set from being removed by later backups.
```sh
rm -rf "$WORK"
printf '{"schema":"railiance.io/last-restore/v1","runID":"%s","time":"%s"}\n' @run@ \
  "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >.last-restore.part
mv .last-restore.part .last-restore
```

## Afterwards
- Another host name than `@node@`: the old Node stays NotReady; `k3s kubectl delete node @node@`. A machine of the
  old name that k3s refuses (`Node password rejected`): `k3s kubectl -n kube-system delete secret @node@.node-password.k3s`.
- Restart k3s on the agents (`systemctl restart k3s-agent`); their watches saw newer versions of the objects.
  So did workloads that watch the API (operators, ingress controllers, coredns): `k3s kubectl -n NAMESPACE rollout restart deployment/NAME`.
- The image of railiance-backup: our command brings it along for a bare machine. By hand, where k3s can't pull it: once
  `minisign -Vm railiance-backup-image.tar -P RW…` has vouched for it, `mkdir -p @data@/agent/images`, `cp railiance-backup-image.tar
  @data@/agent/images/`, and restart k3s.
- Data of volumes, databases and other container images are not in these backups.

@others@## Another set
`./railiance-restore list` shows them all; each has its `manifest-….json`. Say `railiance-restore restore SET` as above. By hand, use
the names of that set in the steps, and the digests that its manifest has:

```text
SET=@set@
awk -F'"' '$2 == "fileName" { name = $4 } $2 == "sha256" && name != "" { print $4 "  " name; name = "" }' "manifest-$SET.json" | sha256sum -c -
age -d -i "$KEYS" -o "$WORK/snapshot" "@pattern@"
```

Only the Helm values, or only the kubeconfig: `age -d -i KEYS FILE`, and for `.tar.gz.age` then `tar -xzf`.
)md";

} // namespace

std::string steps_by_hand(api::DatastoreKind kind, bool host_state) {
  std::string steps(host_state ? k_open_host_state : k_no_host_state);
  steps += k_stop;
  if (host_state) {
    steps += k_put_back;
  }
  steps += kind == api::DatastoreKind::etcd ? k_reset : k_place;
  steps += k_start;
  return steps;
}

} // namespace rb::set
