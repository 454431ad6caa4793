// `k3s etcd-snapshot`: how it is called, the names of our snapshots in k3s's snapshot directory,
// and what a call of `save` came to. Source of the rules: k3s's flags and its issues 8730, 10513,
// 12945, 14526; messages of pkg/etcd, pkg/clientaccess and pkg/cli/etcdsnapshot.
#pragma once

#include "base/clock.hpp"
#include "base/process.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

/// The server that the command talks to.
struct K3sCommand {
  std::string program; ///< Absolute path.
  std::string data_dir;
  std::string node_name;
  std::string snapshot_dir; ///< Only where the server uses one of its own; else empty.
  std::string etcd_server;  ///< Empty: k3s's default, https://127.0.0.1:6443.
  bool logs_to_file = false;
  std::string version = {}; ///< Of the program; empty: not known, and taken for one of today.
};

/// `etcd-snapshot save`: flags after the subcommand (before it they are lost), in their long
/// spellings (two forms of one flag are refused), compression and S3 off whatever config.yaml says.
[[nodiscard]] ProcessSpec
save_spec(const K3sCommand& command, const std::string& run_id, std::chrono::seconds timeout);

/// `etcd-snapshot delete`: all flags stand before the name (after it they are not read).
[[nodiscard]] ProcessSpec delete_spec(const K3sCommand& command, const std::string& snapshot_name);

/// Whether k3s removed it: a file that it could not remove it calls "not found", and exits with 0.
[[nodiscard]] bool says_deleted(const ProcessResult& result, const std::string& snapshot_name);

/// Where the server puts its snapshots: `configured` (relative ones below <data_dir>/server, where
/// the server's working directory is), or <data_dir>/server/db/snapshots.
[[nodiscard]] std::string snapshot_directory(const std::string& data_dir,
                                             const std::string& configured);

/// railiance-<run_id>-<node, lower-case>-<unix seconds>[.zip][.part], as k3s names its files; what
/// SQLite has beside one that it writes (-journal) counts as partial, too.
struct SnapshotName {
  std::string run_id;
  std::string node;
  bool compressed = false;
  bool partial = false; ///< Still being written, or left by a crash.
};

/// The name that k3s would give: for what is no snapshot of k3s, but lies where they do.
[[nodiscard]] std::string
snapshot_name(std::string_view run_id, std::string_view node, SystemTime now);

/// nullopt for a file that is not ours: nothing in k3s's directory is, but what this recognises;
/// and for a name with any character that k3s does not put into names ([A-Za-z0-9._-]; above all no
/// '/').
[[nodiscard]] std::optional<SnapshotName> parse_snapshot_name(std::string_view name);

/// A finished snapshot of that run, taken by that node (compared without regard to case).
[[nodiscard]] bool
is_snapshot_of(const SnapshotName& name, std::string_view run_id, std::string_view node);

/// What was asked for, and what lies in the snapshot directory afterwards.
struct SaveObservation {
  std::string run_id;
  std::string node_name;
  std::string directory;
  Result<ProcessResult> process = ProcessResult{};
  std::vector<std::string> files; ///< Names of the regular files in `directory`.
};

struct SaveVerdict {
  enum class Kind {
    saved,     ///< `name` is there; whether it is whole is for the digest to say.
    wait,      ///< A timeout; the file is not there (yet): list again for a while.
    try_again, ///< The server was busy, away, or refused without saying why.
    failed,    ///< `error`, for good.
    cancelled, ///< We stopped the command.
  };
  Kind kind = Kind::failed;
  std::string name; ///< Of saved; of failed, where k3s has a snapshot that we do not see.
  /// With its reason. Of all but saved; for wait and try_again, what to report when patience ends.
  Error error = {};
};

/// Neither the exit status nor the output of `k3s etcd-snapshot save` can be trusted alone: k3s
/// exits 0 without a snapshot when the disk is full, and fails with a timeout although the file is
/// complete. saved <=> exit 0, and the line "Snapshot X saved.", and X is of this run and this
/// node, and the file is there; or a timeout, and exactly one complete file of this run and node is
/// there.
[[nodiscard]] SaveVerdict judge_save(const SaveObservation& seen);

} // namespace rb::k3s
