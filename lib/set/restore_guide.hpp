// RESTORE.md: how the cluster comes back from one set, in the exact commands of that set: with
// railiance-restore, and with nothing but age, sh and k3s. It lies in clear beside the artifacts,
// so nothing secret may go into it.
#pragma once

#include "set/manifest.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::set {

/// What the manifest does not say. Absolute paths.
struct GuideFacts {
  std::string backup_dir;
  std::string data_dir;   ///< k3s's, "/var/lib/rancher/k3s".
  std::string config_dir; ///< "/etc/rancher".
  /// The host's, "RW…"; empty: the set is not signed.
  std::string public_key{}; // NOLINT(readability-redundant-member-init)
  /// Of systemd or OpenRC, that starts k3s; empty: "k3s".
  std::string service{}; // NOLINT(readability-redundant-member-init)
};

/// Markdown. The blocks marked `sh` below "With nothing but age, sh and k3s" make one script in
/// their order; those marked `text` are for people. The same set and facts give the same bytes. The
/// set must have a datastore artifact.
[[nodiscard]] std::string restore_guide(const Manifest& manifest, const GuideFacts& facts);

/// The guide of the set that `before` describes, as restore_guide would write it for `now`, which
/// stands in its place with the same facts. Nothing: it is the guide of another set.
[[nodiscard]] std::optional<std::string>
guide_after_rewrap(std::string guide, const Manifest& before, const Manifest& now);

/// The part of the guide that is for every set, from the host state on; its places ("@run@" and its
/// like) are filled in by restore_guide.
[[nodiscard]] std::string steps_by_hand(api::DatastoreKind kind, bool host_state);

// How the other servers of a cluster come back to the one that was restored: the words of it, once,
// for RESTORE.md and for the end of a restore (other_servers.cpp).

/// With nothing but k3s, as lines of sh; to be run on the other server. `url` is that of the
/// restored one; paths are absolute.
[[nodiscard]] std::vector<std::string>
rejoin_by_hand(const std::string& data_dir, const std::string& config_dir, const std::string& url);

/// The section of RESTORE.md. Empty for a set of a datastore that only one server has.
[[nodiscard]] std::string other_servers_section(const Manifest& manifest, const GuideFacts& facts);

/// One word of sh: as it is where that is safe, else in single quotes.
[[nodiscard]] std::string shell_word(std::string_view text);

} // namespace rb::set
