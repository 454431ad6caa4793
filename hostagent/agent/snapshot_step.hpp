// Has k3s take a snapshot, and finds out whether it did.
#pragma once

#include "agent/failure.hpp"
#include "agent/run_control.hpp"
#include "agent/settings.hpp"
#include "k3s/etcd_snapshot.hpp"

#include "base/clock.hpp"
#include "base/process.hpp"

#include <functional>
#include <string>
#include <variant>

namespace rb::agent {

/// A wait that `stop` ends; a port, so that tests need not wait.
using Wait = std::function<void(std::chrono::milliseconds, std::stop_token)>;
[[nodiscard]] Wait real_wait();

struct SaveRequest {
  const Settings& settings;
  const k3s::K3sCommand& command;
  std::string run_id;
  std::string snapshot_dir; ///< Where the file must appear.
};

struct SavedSnapshot {
  std::string name;
  std::string path;
};

/// Calls `k3s etcd-snapshot save`, again while the server is busy (Settings::save_attempts), and
/// waits for a file that comes late. What the file holds has not been looked at.
[[nodiscard]] std::variant<SavedSnapshot, Failure> save_snapshot(ProcessRunner& processes,
                                                                 const SaveRequest& request,
                                                                 const RunControl& control,
                                                                 const Wait& wait);

} // namespace rb::agent
