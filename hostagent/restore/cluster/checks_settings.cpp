#include "datastore/detect.hpp"
#include "k3s/token.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/database.hpp"
#include "set/restore_guide.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace rb::cluster {

namespace {

using set::shell_word;

/// The reset would be made by the one k3s, and the start fail for want of the other.
std::optional<Check> program_of_service(const ObservedHost& host) {
  const std::string& path = host.absent_program;
  if (path.empty() || host.own_commands) {
    return std::nullopt;
  }
  return refused("k3s",
                 "the service that is put back starts " + path + ", which is not on this host",
                 "make it there before: `mkdir -p " + shell_word(path.substr(0, path.rfind('/'))) +
                     " && ln -s " + shell_word(host.k3s_program) + " " + shell_word(path) + "`");
}

/// Started would be the one of this host, without the flags of the other; at the next boot both.
std::optional<Check> one_unit(const ObservedHost& host) {
  const std::string& unit = host.other_unit;
  if (unit.empty() || host.own_commands) {
    return std::nullopt;
  }
  return refused("service-name",
                 "k3s is started by the unit " + unit +
                     " here, and the backup brings one of another name: at the next boot both "
                     "would start, and two servers on one data directory destroy it",
                 "`systemctl disable --now " + shell_word(unit) + " && rm /etc/systemd/system/" +
                     shell_word(unit) + ".service` before");
}

Check server_url(const ServerSettings& settings) {
  if (settings.has("server") && !settings.value("server").empty()) {
    const k3s::Setting named = settings.of("server").back();
    return refused("server-url",
                   "the configuration has `server:` (or K3S_URL)" +
                       (named.place.empty() ? std::string() : " in " + named.place) +
                       ": this server joined another one, " + named.value +
                       ", and k3s resets none that names one",
                   "restore on that one; where it is lost, or names another one itself, take the "
                   "line out here until the other servers are back; a server that is to come back "
                   "to a restored one: `railiance-restore rejoin`");
  }
  return passed("server-url", "no `server:` in the configuration");
}

/// As k3s will call this host: known to the set, or a node of a new name. Nothing where the name
/// has a number of the host's own (`with-node-id`).
std::optional<Check>
node_name(const ObservedHost& host, const SetFacts& set, const ServerSettings& settings) {
  const std::string name = node_name_of(settings, host.host_name);
  const bool told = !set.node_name.empty() && !name.empty() && !settings.is_on("with-node-id");
  const bool known =
      name == set.node_name ||
      std::ranges::find(set.servers, name, &api::ServerEntry::node_name) != set.servers.end();
  if (!told || known) {
    return std::nullopt;
  }
  const std::string name_then = shell_word(set.node_name);
  return warned(
      "node-name",
      "k3s will call this host " + name + ", and the set is of " + set.node_name +
          ": that node stays NotReady, and pods with volumes on it (local-path) stay "
          "Pending",
      "before the restore `hostnamectl set-hostname " + name_then +
          "`, where this host takes its place; else afterwards `k3s kubectl delete node " +
          name_then + "`");
}

/// Of the two together: what lies there, and whether the server would use what is put there.
std::vector<Check> datastore_checks(const ObservedHost& host,
                                    const SetFacts& set,
                                    const ServerSettings& settings,
                                    bool from_set) {
  const Database& database = database_of(set.datastore);
  if (!datastore::fits(datastore::endpoint_of(settings, host.data_dir), set.datastore)) {
    return {refused("datastore",
                    "the configuration has `datastore-endpoint`: this server would not use " +
                        std::string(word_of(set.datastore)),
                    from_set ? "--keep-config with a configuration of this host's own, without "
                               "that setting, goes over to " +
                                   database.name()
                             : "remove it to go over to " + database.name())};
  }
  return database.check(host, settings);
}

Check snapshots(const ServerSettings& settings) {
  std::string text;
  if (settings.is_on("etcd-s3")) {
    text = "etcd-s3 is on: the reset is told --etcd-s3=false";
  }
  if (settings.has("etcd-snapshot-dir")) {
    text += text.empty() ? "" : "; ";
    text += "etcd-snapshot-dir is set: the reset gets an absolute path";
  }
  return passed("snapshot-settings", text.empty() ? "none that matter" : text);
}

/// A server with etcd alone cannot show that the cluster is back, one without etcd cannot bring it.
Check roles(const ServerSettings& settings) {
  if (settings.is_on("disable-etcd")) {
    return refused(
        "roles",
        "the configuration has `disable-etcd`: there is no etcd on this server to restore into",
        "restore on a server with etcd, or remove the line");
  }
  if (settings.is_on("disable-apiserver")) {
    return refused(
        "roles",
        "the configuration has `disable-apiserver`: nobody could see that the cluster is back, "
        "and no other server can join before it is",
        "remove disable-apiserver, disable-controller-manager and disable-scheduler for the "
        "restore (--keep-config with a configuration of this host's own does it for a bare "
        "host), and set them again when the other servers are back");
  }
  return passed("roles", "etcd and API server");
}

Check encryption(const ObservedHost& host, const SetFacts& set, bool from_set) {
  const bool then = set.settings.is_on("secrets-encryption");
  const bool now = effective_settings(host, set, from_set).is_on("secrets-encryption");
  if (then && !now) {
    return refused(
        "secrets-encryption",
        "Secrets were encrypted at the backup, and are not any more by this configuration: "
        "the restored server could not read them",
        "add `secrets-encryption: true` to /etc/rancher/k3s/config.yaml");
  }
  if (now && !then && set.host_state) {
    return warned("secrets-encryption",
                  "Secrets were not encrypted at the backup",
                  "run `k3s secrets-encrypt reencrypt` afterwards");
  }
  return passed("secrets-encryption", now ? "on, and carried over" : "off");
}

/// What etcd takes before it refuses every write (server/storage/quota.go); nothing: there is no
/// limit.
std::optional<std::uint64_t> etcd_quota(const ServerSettings& settings) {
  constexpr std::string_view k_name = "quota-backend-bytes=";
  std::int64_t quota = 0;
  for (const std::string& argument : settings.values("etcd-arg")) {
    const std::string_view word = std::string_view(argument).substr(
        std::min(argument.find_first_not_of('-'), argument.size()));
    if (word.starts_with(k_name)) {
      std::from_chars(word.data() + k_name.size(), word.data() + word.size(), quota);
    }
  }
  constexpr std::uint64_t k_usual = std::uint64_t{2} << 30U;
  return quota < 0 ? std::nullopt
                   : std::optional(quota == 0 ? k_usual : static_cast<std::uint64_t>(quota));
}

std::string mib(std::uint64_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

/// Nobody can take a line out of what a set puts back.
void name_way_out(std::vector<Check>& checks) {
  for (Check& check : checks) {
    if (check.verdict == Verdict::refuse && check.hint.find("--keep-config") == std::string::npos) {
      check.hint += "; that is the set's configuration, which is put back: where it must change, "
                    "write one of this host's own and repeat with --keep-config";
    }
  }
}

constexpr std::size_t k_shown = 5;

std::string list_of(const std::vector<NamedFact>& missing) {
  std::string list;
  for (std::size_t i = 0; i < std::min(missing.size(), k_shown); ++i) {
    list += (i > 0 ? ", " : "") + missing[i].path + " (" + missing[i].by + ")";
  }
  return missing.size() <= k_shown
             ? list
             : list + " and " + std::to_string(missing.size() - k_shown) + " more";
}

} // namespace

Check check_data_dir(const ObservedHost& host, const SetFacts& set, bool from_set) {
  const ServerSettings& settings = effective_settings(host, set, from_set);
  const std::vector<k3s::Setting> named = settings.of("data-dir");
  // A start that nobody could read has it all the same: the host state was found there.
  const bool by_set = from_set && named.empty() && !set.data_dir.empty();
  const std::string used = by_set ? set.data_dir : k3s::data_dir_of(settings);
  if (used == host.data_dir || host.own_commands) {
    return passed("data-dir", host.data_dir);
  }
  const std::string place = named.empty() ? std::string() : named.back().place;
  std::string message = "k3s would start on " + used +
                        (place.empty() ? std::string() : " (" + place + ")") + ", and not on " +
                        host.data_dir;
  if (from_set) {
    return refused("data-dir",
                   std::move(message),
                   "--data-dir " + used +
                       " goes there; --keep-config takes this host's own configuration instead");
  }
  std::string hint = "leave --data-dir out, or write `data-dir: " + host.data_dir +
                     "` to the configuration of this host";
  return named.empty() ? warned("data-dir", std::move(message), std::move(hint))
                       : refused("data-dir", std::move(message), std::move(hint));
}

std::string node_name_of(const ServerSettings& settings, std::string host_name) {
  const std::string named = settings.value("node-name");
  std::string name = named.empty() ? std::move(host_name) : named;
  std::ranges::transform(
      name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

std::optional<Check> check_quota(const SetFacts& set, const ServerSettings& settings) {
  const auto now = etcd_quota(settings);
  if (set.datastore != api::DatastoreKind::etcd || !now || set.snapshot_bytes <= *now) {
    return std::nullopt;
  }
  std::string message = "the snapshot has " + mib(set.snapshot_bytes) + ", and etcd's quota is " +
                        mib(*now) + ": nobody could write, on any server, and none would get ready";
  std::string hint = "add `etcd-arg: [quota-backend-bytes=8589934592]` to "
                     "/etc/rancher/k3s/config.yaml";
  const auto then = etcd_quota(set.settings);
  return !then || *then > *now
             ? refused("etcd-quota",
                       message + "; at the backup it was " +
                           (then ? mib(*then) : std::string("without a limit")),
                       std::move(hint))
             : warned("etcd-quota",
                      message + ", unless k3s's defragmentation makes it small enough",
                      std::move(hint));
}

std::optional<Check> check_kernel(const ObservedHost& host, const ServerSettings& settings) {
  const auto is_asked_for = [](const std::string& argument) {
    return argument.ends_with("protect-kernel-defaults=true") ||
           argument.ends_with("protect-kernel-defaults");
  };
  const bool strict = settings.is_on("protect-kernel-defaults") ||
                      std::ranges::any_of(settings.values("kubelet-arg"), is_asked_for);
  if (!strict || settings.is_on("disable-agent") || host.kernel_flags.empty()) {
    return std::nullopt;
  }
  std::string here;
  std::string lines;
  for (const KernelFlag& flag : host.kernel_flags) {
    here += (here.empty() ? "" : ", ") + flag.name + " is " + flag.here;
    lines += (lines.empty() ? "" : " ") + flag.name + "=" + flag.wanted;
  }
  return refused("kernel-settings",
                 "the configuration has `protect-kernel-defaults`, and the kubelet does not start "
                 "on this kernel: " +
                     here,
                 "`printf '%s\\n' " + lines +
                     " >/etc/sysctl.d/90-kubelet.conf && sysctl --system`, and repeat");
}

Check check_configured_tokens(const std::vector<ConfiguredToken>& tokens, const SetFacts& set) {
  for (const ConfiguredToken& token : tokens) {
    if (token.only_for_service()) {
      return warned("configured-token",
                    token.source + ": only systemd can read that credential, so that it is the "
                                   "token of the snapshot is not known",
                    "k3s would not start with another one: see that it holds what the backup has "
                    "in server/token");
    }
    if (!set.opens_with(token.hash)) {
      return refused("configured-token",
                     token.source + (token.hash.empty()
                                         ? ": cannot be read"
                                         : ": another token than that of the snapshot"),
                     "make it the token of the backup, or remove it: k3s would not start");
    }
  }
  return passed("configured-token",
                tokens.empty() ? "none in the configuration" : "that of the snapshot");
}

bool puts_back(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  if (host.data.token_hash.empty()) {
    return true;
  }
  const bool rotated =
      set.host_state && k3s::is_same_cluster(host.data.cluster_cas, set.cluster_cas);
  return !set.opens_with(host.data.token_hash) && (rotated || wishes.replace_cluster);
}

bool puts_back_configuration(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  return puts_back(host, set, wishes) && !wishes.keep_config;
}

const ServerSettings&
effective_settings(const ObservedHost& host, const SetFacts& set, bool from_set) {
  return from_set ? set.settings : host.settings;
}

std::vector<Check>
check_settings(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  const bool from_set = puts_back_configuration(host, set, wishes);
  const ServerSettings& settings = effective_settings(host, set, from_set);
  std::vector<Check> checks;
  if (!host.settings_problem.empty() && !from_set) {
    checks.push_back(refused(
        "configuration", host.settings_problem, "repair the file: k3s would not start with it"));
  }
  add_found(checks, from_set ? program_of_service(host) : std::nullopt);
  add_found(checks, from_set ? one_unit(host) : std::nullopt);
  checks.push_back(check_data_dir(host, set, from_set));
  add_found(checks, node_name(host, set, settings));
  checks.push_back(server_url(settings));
  for (Check& check : datastore_checks(host, set, settings, from_set)) {
    checks.push_back(std::move(check));
  }
  add_found(checks, check_quota(set, settings));
  checks.push_back(roles(settings));
  add_found(checks, check_kernel(host, settings));
  checks.push_back(snapshots(settings));
  checks.push_back(encryption(host, set, from_set));
  checks.push_back(check_configured_tokens(from_set ? set.tokens : host.tokens, set));
  if (from_set) {
    name_way_out(checks);
  }
  return checks;
}

Check check_named_files(const std::vector<NamedFact>& named) {
  std::vector<NamedFact> missing;
  std::ranges::copy_if(named, std::back_inserter(missing), [](const NamedFact& fact) {
    return !fact.in_set && !fact.on_host;
  });
  std::ranges::stable_partition(missing, [](const NamedFact& fact) { return fact.needed; });
  if (missing.empty()) {
    return passed("named-files",
                  named.empty() ? "the configuration names none"
                                : std::to_string(named.size()) +
                                      " that the configuration names: in the set or on this host");
  }
  const bool needed = missing.front().needed;
  return {"named-files",
          needed ? Verdict::refuse : Verdict::warn,
          "neither in the set nor on this host: " + list_of(missing) +
              (needed ? ": k3s would not start" : ""),
          "put them there before the restore, with the content that they had"};
}

} // namespace rb::cluster
