#include "set/restore_guide.hpp"

#include "set/directory.hpp"
#include "set/names.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace rb::set {

namespace {

using api::ArtifactType;

// The words of RESTORE.md up to the steps that every set has (restore_guide_steps.cpp), in the
// pieces that they are put together from; "@run@" and its like are filled in below.

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
curl -sfL https://get.k3s.io | INSTALL_K3S_VERSION=@version@ @name@INSTALL_K3S_SKIP_START=true sh -s - server
```

Without a network: put the program `k3s` of that release to `/usr/local/bin/k3s`, mode 0755; configuration and unit are in
the backup. Then copy this directory to `@dir@` and the key to `~/.config/sops/age/keys.txt`. Give the machine
the node's old name, and its address where you can.

## With our command
@trust@
```text
cd @dir@
@where@@minisign@./railiance-restore list
./railiance-restore verify @run@ -i ~/.config/sops/age/keys.txt
./railiance-restore restore @run@ -i ~/.config/sops/age/keys.txt --dry-run   # says what it would do
./railiance-restore restore @run@ -i ~/.config/sops/age/keys.txt --execute   # does it
```

@pin@It goes back to the old data by itself when the restored server does not come up. Where the directory is mounted `noexec`,
copy the program elsewhere and say `--backup-dir @dir@`.

## With nothing but age, sh and k3s
The steps use what every Linux has besides: `tar`, `gzip`, `sha256sum`, `awk`, `grep`, `sed`, `tr`, `cp`, `mv`, `mkdir`, `rm`, `cat`,
`date`, `sleep`, `readlink`. Where the service manager is OpenRC, say `rc-service @unit@ stop` and `rc-service @unit@ start` instead of `systemctl`.
Begin with `sh`: a step that fails ends that shell, and not your session. Mend what it says, and begin again with `sh` and step 1.

### 1. The files are whole
```sh
set -eu
umask 077
PATH=$PATH:/usr/local/bin:/opt/bin # where sudo does not look, on RHEL for example
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
(umask 022; mkdir -p "${WORK%/*}/")
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

namespace {

/// For our commands, where they would look elsewhere.
std::string named(const std::string& backup_dir) {
  return backup_dir == k_usual_directory
             ? std::string()
             : "export RAILIANCE_BACKUP_DIR=" + shell_word(backup_dir) + "\n";
}

/// The install script calls the service "k3s", or "k3s-" and what it is told: with another one than
/// that of the backup the machine would start two.
std::string name_for_installer(const std::string& unit) {
  constexpr std::string_view k_begin = "k3s-";
  return unit.starts_with(k_begin)
             ? "INSTALL_K3S_NAME=" + shell_word(unit.substr(k_begin.size())) + " "
             : std::string();
}

} // namespace

std::string restore_guide(const Manifest& manifest, const GuideFacts& facts) {
  const SnapshotRecord snapshot = manifest.snapshot.value_or(SnapshotRecord{});
  const bool etcd = snapshot.kind == api::DatastoreKind::etcd;
  const std::string unit = facts.service.empty() ? "k3s" : facts.service;
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
                      {"@where@", named(facts.backup_dir)},
                      {"@data@", shell_word(facts.data_dir)},
                      {"@config@", shell_word(facts.config_dir)},
                      {"@unit@", shell_word(unit)},
                      {"@name@", name_for_installer(unit)},
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
  guide += filled(steps_by_hand(snapshot.kind, host_state), values);
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
