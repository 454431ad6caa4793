// Where everything of a laid-out host lies, and a clock that a test sets.
#pragma once

#include "agent/host/settings.hpp"

#include "base/clock.hpp"

#include <string>

namespace rb::test {

class SetClock final : public Clock {
public:
  SystemTime time{};
  std::chrono::seconds passed{0}; ///< Of the steady clock, besides what really passes.
  [[nodiscard]] SystemTime now() const override { return time; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::now() + passed;
  }
};

inline agent::Settings host_settings(const std::string& root) {
  agent::Settings settings;
  settings.node_name = "vm";
  settings.agent_id = "test";
  settings.backup_dir = root + "/backups";
  settings.key_dir = root + "/keys";
  settings.data_dir = root + "/data";
  settings.config_dir = root + "/etc-rancher";
  settings.host_etc_dir = root + "/etc";
  settings.k3s_program = root + "/bin/k3s";
  settings.sops_config = root + "/sops.yaml";
  settings.kit_program.clear();
  settings.snapshot_timeout = std::chrono::seconds(20);
  settings.late_file_wait = std::chrono::milliseconds(2000);
  settings.retry_delay = std::chrono::milliseconds(10);
  return settings;
}

} // namespace rb::test
