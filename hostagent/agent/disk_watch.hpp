// What the agent knows of its backup directory and of the server beside it, looked up when somebody
// asks.
#pragma once

#include "agent/mounted_files.hpp"
#include "agent/settings.hpp"

#include "api/backup_status.hpp"
#include "base/clock.hpp"

#include <mutex>
#include <optional>

namespace rb::agent {

/// Reads the directory at most every few seconds, however often it is asked. Safe to share.
class DiskWatch {
public:
  /// `clock` outlives it.
  DiskWatch(const Settings& settings,
            const Clock& clock,
            std::chrono::milliseconds pause = std::chrono::seconds(5));

  /// With the agent's names in it, and what the server of this node keeps its state in. A directory
  /// that is not there yet is an empty one; one that cannot be read gives what was last known, with
  /// its report time, or nothing.
  [[nodiscard]] std::optional<api::NodeFacts> facts();

  /// The next facts() looks at the disk.
  void changed();

private:
  const std::string m_backup_dir;
  const std::string m_public_key; ///< The file.
  const std::string m_data_dir;
  const MountedFiles m_files;
  const std::string m_node_name;
  const std::string m_agent_id;
  const Clock& m_clock;
  const std::chrono::milliseconds m_pause;
  std::mutex m_mutex;
  std::optional<api::NodeFacts> m_facts;
  std::optional<std::chrono::steady_clock::time_point> m_next_look;
};

} // namespace rb::agent
