// The names of our snapshots inside k3s's snapshot directory. Nothing there is ours but what these
// functions recognise.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rb::agent {

/// "railiance-<run_id>": what is given to `k3s etcd-snapshot save --name`. It never begins with
/// the name of k3s's scheduled snapshots, whose retention matches by prefix.
[[nodiscard]] std::string snapshot_prefix(std::string_view run_id);

/// <prefix>-<node, lower-case>-<unix seconds>[.zip][.part], as k3s names its files.
struct SnapshotName {
  std::string run_id;
  std::string node;
  bool compressed = false;
  bool partial = false; ///< Still being written, or left by a crash.
};

/// nullopt for a file that is not ours, and for a name with any character that k3s does not put
/// into names ([A-Za-z0-9._-]; above all no '/').
[[nodiscard]] std::optional<SnapshotName> parse_snapshot_name(std::string_view name);

/// A finished snapshot of that run, taken by that node (compared without regard to case).
[[nodiscard]] bool
is_snapshot_of(const SnapshotName& name, std::string_view run_id, std::string_view node);

} // namespace rb::agent
