// The commands that bring a set back on this host: ours, and those of a person with nothing but k3s
// and age. Pure.
#pragma once

#include "restore/cluster/plan.hpp"

#include <string>
#include <vector>

namespace rb::cluster {

struct GuideInput {
  std::string run_id;
  std::string backup_dir;
  std::string identity_file; ///< Empty: the keys come from the environment.
  std::string stop_command;  ///< "systemctl stop k3s"
  std::string start_command; ///< "systemctl start k3s"
  std::string extra_options; ///< Of railiance-restore, as the operator gave them; may be empty.
  Plan plan;
};

/// One command a line; those that are only for people begin with '#'.
[[nodiscard]] std::vector<std::string> our_commands(const GuideInput& input);
[[nodiscard]] std::vector<std::string> commands_by_hand(const GuideInput& input);

} // namespace rb::cluster
