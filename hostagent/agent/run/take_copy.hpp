// A copy of the datastore of this server, in plaintext, where k3s has its snapshots: whatever kind
// of datastore it is, the copy is found again and removed by its name.
#pragma once

#include "agent/run/k3s_snapshots.hpp"

#include "base/clock.hpp"

#include <cstdint>
#include <functional>

namespace rb::agent {

struct CopyTask {
  ProcessRunner& processes;
  const Settings& settings;
  const K3sPlace& k3s;
  const std::string& run_id;
  const RunControl& control;
  const Wait& wait;
  SystemTime now;
  std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)> on_bytes;
};

/// What it holds has not been looked at. After a failure it may be there in part: remove it by its
/// name. Each error bears its reason.
[[nodiscard]] Result<SavedSnapshot> take_copy(api::DatastoreKind kind, const CopyTask& task);

} // namespace rb::agent
