// From the plaintext snapshot to the verified artifact: one pass that hashes, encrypts, hashes and
// writes; then the look into the bbolt file; then the read-back. Nothing has its final name before
// all of it was right.
#pragma once

#include "agent/failure.hpp"
#include "agent/run_control.hpp"
#include "k3s/server_settings.hpp"
#include "set/directory.hpp"
#include "set/manifest.hpp"

#include "age/identity.hpp"

#include <functional>
#include <span>
#include <string>
#include <variant>

namespace rb::agent {

struct StoreRequest {
  std::string path;      ///< Of the plaintext snapshot.
  std::string name;      ///< As k3s named it.
  std::string file_name; ///< Of the artifact.
  std::span<const age::Recipient> recipients;
  unsigned threads = 0;
  std::string node_name; ///< Of the server: what its Node says is looked up.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

struct StoredSnapshot {
  set::StoredFile file;
  set::SnapshotRecord record;
  k3s::NodeArguments node; ///< Empty where the server has no Node.
};

/// Reasons: snapshot_invalid (empty, truncated, wrong digest, not a sound bbolt file),
/// snapshot_failed (it cannot be read, it is gone), the storage reasons, those of a stop.
/// After a failure the directory is as it was.
[[nodiscard]] std::variant<StoredSnapshot, Failure>
store_snapshot(set::Directory& directory, const StoreRequest& request, const RunControl& control);

} // namespace rb::agent
