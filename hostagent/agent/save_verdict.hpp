// Decides what a call of `k3s etcd-snapshot save` came to. Neither its exit status nor its output
// can be trusted alone: k3s exits 0 without a snapshot when the disk is full, and fails with a
// timeout although the file is complete.
#pragma once

#include "agent/failure.hpp"

#include "base/process.hpp"

#include <string>
#include <vector>

namespace rb::agent {

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
    failed,    ///< `failure`, for good.
    cancelled, ///< We stopped the command.
  };
  Kind kind = Kind::failed;
  std::string name; ///< Of saved; of failed, where k3s has a snapshot that we do not see.
  Failure failure;  ///< For wait and try_again: what to report when patience ends.
};

/// saved <=> exit 0, and the line "Snapshot X saved.", and X is of this run and this node, and
/// the file is there; or a timeout, and exactly one complete file of this run and node is there.
[[nodiscard]] SaveVerdict judge_save(const SaveObservation& seen);

} // namespace rb::agent
