#include "set/restore_guide.hpp"

#include "set/names.hpp"
#include "set/other_servers.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace rb::set {

namespace {

using api::ArtifactType;

// The words of RESTORE.md, in the pieces that it is put together from; "@run@" and its like are
// filled in below.

/// From the beginning to the decryption of the snapshot.
constexpr std::string_view k_head = R"md(# Restore the cluster of node @node@

Written for backup set `@run@`, the newest complete one when this was written. Everything happens on the server node, as
root. Needed besides this directory: the private age key (`keys.txt`, the one that SOPS uses), and k3s.

| | |
|---|---|
| set | `@run@`, ended @time@ |
| node | `@node@` @address@ |
| k3s | `@version@`: restore with this version or a newer patch of it |
| server token | its hash is `@token@` (the token itself is in the host state, encrypted) |
| @kind@ | revision @revision@, @keys@ keys |
@signed@
`railiance-restore` beside this file is one static program without dependencies. Nothing below asks a network for anything,
except the installation of k3s itself.

## On a bare machine first
Install the same k3s, and do not start it:

```text
curl -sfL https://get.k3s.io | INSTALL_K3S_VERSION=@version@ INSTALL_K3S_SKIP_START=true sh -s - server
```

Without a network: put the program `k3s` of that release to `/usr/local/bin/k3s`, mode 0755; configuration and unit are in
the backup. Then copy this directory to `@dir@` and the key to `~/.config/sops/age/keys.txt`. Give the machine
the node's old name, and its address where you can.

## With our command
@trust@
```text
cd @dir@
@minisign@./railiance-restore list
./railiance-restore verify @run@ -i ~/.config/sops/age/keys.txt
./railiance-restore restore @run@ -i ~/.config/sops/age/keys.txt --dry-run   # says what it would do
./railiance-restore restore @run@ -i ~/.config/sops/age/keys.txt --execute   # does it
```

@pin@It goes back to the old data by itself when the restored server does not come up. Where the directory is mounted `noexec`,
copy the program elsewhere and say `--backup-dir @dir@`.

## With nothing but age, sh and k3s
The steps use what every Linux has besides: `tar`, `gzip`, `sha256sum`, `awk`, `grep`, `sed`, `tr`, `cp`, `mv`, `mkdir`, `rm`, `cat`,
`date`, `sleep`. Where the service manager is OpenRC, say `rc-service k3s stop` and `rc-service k3s start` instead of `systemctl`.

### 1. The files are whole
```sh
set -eu
umask 077
cd @dir@
KEYS=${KEYS:-$HOME/.config/sops/age/keys.txt}
WORK=@work@
sha256sum -c - <<'END'
@digests@END
```

### 2. Decrypt
The plaintext goes beside k3s's data, readable by root only.@age@
```sh
rm -rf "$WORK/host" "$WORK/host-state.tar.gz" "$WORK/snapshot"
mkdir -p "$WORK/host" "$WORK/before"
age -d -i "$KEYS" -o "$WORK/snapshot" @etcd@
sha256sum -c - <<END
@snapshot@  $WORK/snapshot
END
)md";

/// Where the set is signed, in the head: a row of its table,
constexpr std::string_view k_signed = "| signed by | `@key@` |\n";

/// what stands before our commands,
constexpr std::string_view k_trust = R"md(
**Who can write to this directory can have put their own program here, their own page in the place of this one, and their
own key into the table above.** So take `railiance-restore` from elsewhere (the host's `/usr/local/bin`, a release), or let
the key that you wrote down vouch for the one here, and for this page, before you run or follow anything. `RW…` is that key,
not the one of the table; each file has its signature beside it (`.minisig`), and stock minisign must say `Signature and
comment signature verified` and `railiance-backup file=` with the file's name. If it does not, the file is not the host's.
)md";

/// among them,
constexpr std::string_view k_minisign = R"md(minisign -Vm RESTORE.md -P RW…
minisign -Vm railiance-restore -P RW…
)md";

/// and below them.
constexpr std::string_view k_pin =
    R"md(The sets are signed by the same key. Say it to the program, too: `--public-key RW…`; or keep the line
`# railiance-backup public key: RW…` in `keys.txt`, then no command needs it. A set that is not signed by that key, or was
changed, is refused, and so is one without a signature. With stock minisign:

```text
minisign -Vm manifest-@run@.json -P RW…
```

)md";

/// Ends the block that k_head began, where there is a host state;
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
k3s does not notice that it is still running, and would restore under a living @living@.
```sh
systemctl stop k3s || true
for process in /proc/[0-9]*; do
  if [ "$(cat "$process/comm" 2>/dev/null)" = k3s-server ] ||
    tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q '^[^ ]*k3s server'; then
    echo "a k3s server still runs: process ${process#/proc/}" >&2
    exit 1
  fi
done
k3s --version
```
The last line must say `@version@`, or a newer patch of it.

)md";

/// Where there is a host state.
constexpr std::string_view k_put_back = R"md(### 4. Token, configuration and unit go back
What is there already is kept in `@work@/before`.
```sh
put_back() {
  [ -e "$WORK/host/$1" ] || return 0
  if [ -e "/$1" ] && [ ! -e "$WORK/before/$1" ]; then
    mkdir -p "$WORK/before/${1%/*}"
    cp -pR "/$1" "$WORK/before/${1%/*}/"
  fi
  (umask 022; mkdir -p "/${1%/*}")
  cp -pR "$WORK/host/$1" "/${1%/*}/"
}
for path in @data@/server/token @data@/server/agent-token \
  @data@/server/manifests @config@/k3s @config@/node /var/lib/railiance-backup; do
  put_back "${path#/}"
done
for path in "$WORK"/host/etc/systemd/system/k3s* "$WORK"/host/etc/default/k3s* \
  "$WORK"/host/etc/sysconfig/k3s* "$WORK"/host/etc/init.d/k3s* "$WORK"/host/etc/conf.d/k3s*; do
  put_back "${path#"$WORK"/host/}"
done
# what the configuration names elsewhere (an audit policy, say), where this machine has nothing:
tar -tzf "$WORK/host-state.tar.gz" | while IFS= read -r path; do
  case /$path in
    /host.json | */ | @data@/server/tls/* | @data@/server/cred/* | @data@/server/db/*) continue ;;
  esac
  [ -e "/$path" ] || put_back "$path" || echo "/$path: it could not be put back" >&2
done
if grep -qs '^server:' @config@/k3s/config.yaml; then
  echo "remove the line 'server:' from @config@/k3s/config.yaml first: this server begins the cluster anew" >&2
  exit 1
fi
```

)md";

/// SQLite: the copy is the database, and what else k3s needs is in it.
constexpr std::string_view k_place = R"md(### 5. The copy takes the place of the database
Database, log (`-wal`, `-journal`) and index (`-shm`) are one: they go aside together. An etcd that is there would be used
before SQLite, so it goes, too. The certificates k3s writes anew from the copy, which the token opens.
```sh
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
  [ ! -e "@data@/server/$name" ] || mv "@data@/server/$name" "$old/"
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
  for file in /lib/systemd/system/k3s.service /usr/lib/systemd/system/k3s.service \
    /usr/local/lib/systemd/system/k3s.service /etc/systemd/system/k3s.service \
    /lib/systemd/system/k3s.service.d/*.conf /usr/lib/systemd/system/k3s.service.d/*.conf \
    /usr/local/lib/systemd/system/k3s.service.d/*.conf /etc/systemd/system/k3s.service.d/*.conf; do
    [ ! -r "$file" ] || awk '{ while (sub(/\\$/, " ") && (getline more) > 0) $0 = $0 more; print }' "$file"
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
export_lines() {
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#export }
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
start=$(units | awk 'sub(/^ExecStart= */, "") { start = $0 } END { print start }')
if [ -z "$start" ] && [ -e /etc/init.d/k3s ]; then # OpenRC
  start=$(
    set +eu
    [ ! -e /etc/conf.d/k3s ] || . /etc/conf.d/k3s
    . /etc/init.d/k3s >/dev/null 2>&1
    printf '%s %s\n' "$command" "$command_args"
  )
fi
flags=$(printf '%s\n' "$start" |
  sed 's/^[^[:space:]]*[[:space:]]*server[[:space:]]*//; s/[[:space:]]*>>.*//')
(
  export_lines <<END
$(variables)
END
  for file in $(units | sed -n 's/^EnvironmentFile=-\{0,1\}//p' | sed 's/%[Nnp]/k3s/g') \
    /etc/conf.d/k3s @config@/k3s/k3s.env; do
    [ ! -r "$file" ] || export_lines <"$file"
  done
  K3S_TOKEN=$(cat @data@/server/token)
  export K3S_TOKEN
  unset K3S_URL
  eval "set -- $flags"
  exec k3s server "$@" --cluster-reset --cluster-reset-restore-path="$WORK/snapshot" \
    --data-dir=@data@ --etcd-s3=false --alsologtostderr
)
```
If it fails, nothing is lost: the old database is `@data@/server/db/etcd-old-…`. Move `etcd` aside, rename
the newest `etcd-old-…` back to `etcd`, remove `db/reset-flag`, rename `server/tls-…` back to `tls` if it is there, and start k3s.
Of a server that was on SQLite, move what lies in `db/state-old-…` back to `db`, too.

)md";

/// From there to the end.
constexpr std::string_view k_start = R"md(### 6. Start k3s (`systemctl start k3s`) and look
```sh
systemctl daemon-reload || true
systemctl enable k3s || true
systemctl start k3s
export K3S_DATA_DIR=@data@ # where it has unpacked its programs
tries=0
until k3s kubectl get --raw=/readyz >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 150 ]; then
    echo "the API server is not ready after 5 minutes: see journalctl -u k3s" >&2
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

constexpr std::string_view k_plain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "_./:@%+=,-";

/// For text between commands: names and versions of k3s need no other characters.
std::string plain(std::string_view text) {
  std::string safe(text.empty() ? "unknown" : text);
  std::ranges::replace_if(
      safe, [](char c) { return k_plain.find(c) == std::string_view::npos; }, '?');
  return safe;
}

/// Replaces every "@name@" of the text.
using Values = std::vector<std::pair<std::string_view, std::string>>;

std::string filled(std::string_view text, const Values& values) {
  std::string out;
  while (!text.empty()) {
    const auto hit = std::ranges::find_if(
        values, [&](const auto& value) { return text.starts_with(value.first); });
    if (hit != values.end()) {
      out += hit->second;
      text.remove_prefix(hit->first.size());
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string name_of(const Manifest& manifest, ArtifactType type) {
  const api::ArtifactStatus* const artifact = manifest.find(type);
  return artifact == nullptr ? std::string() : artifact->file_name;
}

std::string digest_lines(const Manifest& manifest) {
  std::string lines;
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    lines += artifact.sha256 + "  " + artifact.file_name + "\n";
  }
  return lines;
}

/// The line of k_head that age_needed() ends.
constexpr std::string_view k_before_age_needed =
    "The plaintext goes beside k3s's data, readable by root only.";

/// What the key of the set asks of age, where that is more than any release of it has.
std::string age_needed(const Manifest& manifest) {
  const auto any = [&](std::string_view begin) {
    return std::ranges::any_of(manifest.recipients, [&](const std::string& recipient) {
      return recipient.starts_with(begin);
    });
  };
  std::string needed;
  if (any("age1pq1")) {
    needed +=
        " A post-quantum key takes age 1.3 or newer\n(`age --version`), which Debian 13 and older "
        "do not have; our command needs no age.";
  }
  if (any("age1tag1") || any("age1tagpq1")) {
    needed +=
        "\nWhat a hardware token opens, our command does not: `age -d -j PLUGIN`, of age 1.3 and "
        "with the token's plugin, in the place of `age -d -i \"$KEYS\"`.";
  }
  return needed;
}

std::string version_of(const Manifest& manifest) {
  return Version{manifest.run_id, manifest.generation()}.text();
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// The head, with what a signed set says of its key.
std::string head_for(const std::string& public_key) {
  const bool known = !public_key.empty();
  const auto where_known = [known](std::string_view text) {
    return known ? std::string(text) : std::string();
  };
  return filled(k_head,
                {{"@signed@", where_known(k_signed)},
                 {"@trust@", where_known(k_trust)},
                 {"@minisign@", where_known(k_minisign)},
                 {"@pin@", where_known(k_pin)}});
}

} // namespace

std::string shell_word(std::string_view text) {
  if (!text.empty() && text.find_first_not_of(k_plain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string word = "'";
  for (const char c : text) {
    word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return word + "'";
}

std::string restore_guide(const Manifest& manifest, const GuideFacts& facts) {
  const SnapshotRecord snapshot = manifest.snapshot.value_or(SnapshotRecord{});
  const bool etcd = snapshot.kind == api::DatastoreKind::etcd;
  const Values values{{"@run@", manifest.run_id},
                      {"@set@", version_of(manifest)},
                      {"@time@", format_rfc3339(manifest.completion_time)},
                      {"@node@", plain(manifest.node_name)},
                      {"@address@", plain(manifest.node_address)},
                      {"@version@", plain(manifest.k3s_version)},
                      {"@token@", plain(manifest.token_hash)},
                      {"@kind@", std::string(word_of(snapshot.kind))},
                      {"@living@", etcd ? "etcd" : "database"},
                      {"@pattern@", api::file_name(ArtifactType::datastore, "$SET", snapshot.kind)},
                      {"@revision@", std::to_string(snapshot.revision)},
                      {"@keys@", std::to_string(snapshot.total_keys)},
                      {"@dir@", shell_word(facts.backup_dir)},
                      {"@data@", shell_word(facts.data_dir)},
                      {"@config@", shell_word(facts.config_dir)},
                      {"@work@", shell_word(facts.data_dir + "-restore")},
                      {"@digests@", digest_lines(manifest)},
                      {"@snapshot@", snapshot.file_sha256},
                      {"@age@", age_needed(manifest)},
                      {"@others@", other_servers_section(manifest, facts)},
                      {"@etcd@", name_of(manifest, ArtifactType::datastore)},
                      {"@key@", facts.public_key},
                      {"@hoststate@", name_of(manifest, ArtifactType::host_state)}};
  const bool host_state = manifest.find(ArtifactType::host_state) != nullptr;
  std::string guide = filled(head_for(facts.public_key), values);
  guide += filled(host_state ? k_open_host_state : k_no_host_state, values);
  guide += filled(k_stop, values);
  guide += host_state ? filled(k_put_back, values) : std::string();
  guide += filled(etcd ? k_reset : k_place, values);
  guide += filled(k_start, values);
  return guide;
}

std::optional<std::string>
guide_after_rewrap(std::string guide, const Manifest& before, const Manifest& now) {
  if (before.artifacts.empty() || guide.find(digest_lines(before)) == std::string::npos) {
    return std::nullopt;
  }
  for (const api::ArtifactStatus& old : before.artifacts) {
    if (const api::ArtifactStatus* const artifact = now.find(old.type)) {
      replace_all(guide, old.sha256, artifact->sha256);
      replace_all(guide, old.file_name, artifact->file_name);
    }
  }
  const std::string line(k_before_age_needed);
  replace_all(guide, line + age_needed(before), line + age_needed(now));
  replace_all(guide, "SET=" + version_of(before) + "\n", "SET=" + version_of(now) + "\n");
  return guide;
}

} // namespace rb::set
