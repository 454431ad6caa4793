// Carries out the plan of a restore, step by step, with a journal; and goes back.
#pragma once

#include "k3s/command.hpp"
#include "k3s/running_server.hpp"
#include "restore/cluster/journal.hpp"
#include "restore/cluster/lost_objects.hpp"
#include "set/host_state.hpp"
#include "set/manifest.hpp"

#include "base/port.hpp"

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::cluster {

/// The set that is restored.
class SetSource : public Port {
public:
  /// Whole and proven, mode 0600, replacing what is there. Errors: those of unpack.
  [[nodiscard]] virtual Status decrypt_snapshot(const std::string& path) = 0;
  [[nodiscard]] virtual Result<set::HostState> host_state() = 0;
  /// Puts the product's own image out of the kit, proven, to `path`, whose directory is there.
  /// False: the kit holds none. Errors: corrupt (not the host's), no_space, those of the system.
  [[nodiscard]] virtual Result<bool> put_image(const std::string&) { return false; }
};

/// Told of what is done; one line each.
class Progress : public Port {
public:
  virtual void on_step(Step step) = 0;
  virtual void on_line(const std::string& line) = 0;
};

struct Ports {
  ProcessRunner& processes;
  k3s::ServiceManager& service;
  k3s::ServerProcesses& servers;
  SetSource& set;
  ClusterApi& cluster;
  const Clock& clock;
  Waiter& waiter;
  Progress& progress;
  std::string root = {};     ///< Before the paths of host files; empty but in tests.
  std::stop_token stop = {}; ///< Told to stop, a restore goes back; the way back is not stopped.
};

struct Limits {
  std::chrono::seconds reset{600};
  std::chrono::seconds ready{300};
};

struct Outcome {
  ExitCode code = ExitCode::done;
  std::string message; ///< Why not; empty when done.
  std::string hint;
  bool rolled_back = false;      ///< The host is as it was before.
  std::uint64_t members = 0;     ///< Of a rejoin: those that vote now.
  ObjectComparison objects = {}; ///< Of the restored cluster with the backup.
};

/// From where the journal stands to the end. When a step fails after the cluster was stopped, it
/// goes back. The outcome is always a value; the journal is saved before and after each step.
[[nodiscard]] Outcome
execute(JournalState state, const Journal& journal, Ports& ports, const Limits& limits);

/// Back to the host as it was before: also after a restore that succeeded. Can be repeated.
[[nodiscard]] Outcome
roll_back(JournalState state, const Journal& journal, Ports& ports, const Limits& limits);

} // namespace rb::cluster
