// What is known, as metrics in the Prometheus text format (version 0.0.4). Pure.
// Every family is there from the start, with 0 for what never happened: an alert must not rest on
// the absence of a metric.
#pragma once

#include "api/backup_status.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rb::status {

struct Sample {
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

/// All of ours are gauges.
struct Family {
  std::string name;
  std::string help;
  std::vector<Sample> samples;
};

/// railiance_backup_* of all these nodes, each sample with the label `node`. The same whoever tells
/// them: the controller, the agent, or a text file.
[[nodiscard]] std::vector<Family> families_of(const std::vector<api::NodeFacts>& nodes);

/// railiance_backup_expected_interval_seconds. 0: nobody said how often a backup is made.
[[nodiscard]] Family expected_interval(std::chrono::seconds interval);

/// `# HELP`, `# TYPE` and samples; ends in a line feed.
[[nodiscard]] std::string exposition(const std::vector<Family>& families);

} // namespace rb::status
