// The checks that come before anything is touched, one function a question. Private to this room.
#pragma once

#include "restore/cluster/plan.hpp"

#include <optional>

namespace rb::cluster {

[[nodiscard]] inline Check passed(std::string name, std::string message) {
  return {std::move(name), Verdict::ok, std::move(message), {}};
}
[[nodiscard]] inline Check warned(std::string name, std::string message, std::string hint = {}) {
  return {std::move(name), Verdict::warn, std::move(message), std::move(hint)};
}
[[nodiscard]] inline Check
refused(std::string name, std::string message, std::string hint, ExitCode code = ExitCode::failed) {
  return {std::move(name), Verdict::refuse, std::move(message), std::move(hint), code};
}

/// Of a check that says nothing where all is well.
inline void add_found(std::vector<Check>& checks, std::optional<Check> found) {
  if (found) {
    checks.push_back(*std::move(found));
  }
}

/// As k3s names the node of a server: `node-name`, else `host_name`, in small letters; without the
/// number that `with-node-id` puts behind it. Empty: neither is known. Pure.
[[nodiscard]] std::string node_name_of(const ServerSettings& settings, std::string host_name);

/// The restore puts the host state's files back: there is no token here, or another cluster's.
[[nodiscard]] bool puts_back(const ObservedHost& host, const SetFacts& set, const Wishes& wishes);

/// Its configuration among them.
[[nodiscard]] bool
puts_back_configuration(const ObservedHost& host, const SetFacts& set, const Wishes& wishes);

/// The configuration that the restored server will run with; `from_set` as above.
[[nodiscard]] const ServerSettings&
effective_settings(const ObservedHost& host, const SetFacts& set, bool from_set);

/// Who made the set.
[[nodiscard]] Check
signature_check(const std::string& run_id, const SignatureFact& fact, bool allow_unsigned);

/// Of the set: artifacts, the snapshot, its token, what is missing.
[[nodiscard]] std::vector<Check> check_set_facts(const SetFacts& set, const Wishes& wishes);

/// Of the two together: cluster, version, space, number of servers.
[[nodiscard]] std::vector<Check>
check_fit(const ObservedHost& host, const SetFacts& set, const Wishes& wishes);

/// Of the configuration that the restored server will run with.
[[nodiscard]] std::vector<Check>
check_settings(const ObservedHost& host, const SetFacts& set, const Wishes& wishes);

/// The server that is started afterwards has its data where this is done.
[[nodiscard]] Check check_data_dir(const ObservedHost& host, const SetFacts& set, bool from_set);

/// Of the files that the settings of the set name: whether each will be there.
[[nodiscard]] Check check_named_files(const std::vector<NamedFact>& named);

/// Of addresses and interfaces in it: whether this host has them, and what was rewritten.
[[nodiscard]] std::vector<Check>
check_addresses(const ObservedHost& host, const SetFacts& set, const Wishes& wishes);

/// Room on the disk of the data directory for the set's database.
[[nodiscard]] Check check_space(const ObservedHost& host, const SetFacts& set);

/// Where the snapshot is larger than the quota of etcd in the configuration that the server will
/// run with: one member over its quota ends the writes of all. It may be smaller after k3s's
/// defragmentation, which comes with each start.
[[nodiscard]] std::optional<Check> check_quota(const SetFacts& set, const ServerSettings& settings);

/// Where the kubelet would not start on this kernel: k3s ends with it, again and again, and its API
/// is there in between.
[[nodiscard]] std::optional<Check> check_kernel(const ObservedHost& host,
                                                const ServerSettings& settings);

/// Each token that the configuration names opens the snapshot.
[[nodiscard]] Check check_configured_tokens(const std::vector<ConfiguredToken>& tokens,
                                            const SetFacts& set);

/// "process 4711, 4712"
[[nodiscard]] std::string pids(const std::vector<k3s::ServerProcess>& servers);
/// No service manager is known that could `act` ("start k3s"): why, and what to do about it.
struct NoManager {
  std::string why;
  std::string hint;
};
[[nodiscard]] NoManager no_manager(const ObservedHost& host, std::string_view act);

/// Of the host: root, program, service, processes, data directory.
[[nodiscard]] std::vector<Check> check_host(const ObservedHost& host);

} // namespace rb::cluster
