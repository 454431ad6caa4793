// The command line of `railiance-restore metrics`.
#pragma once

#include <chrono>
#include <string>

namespace CLI {
class App;
}

namespace rb::restore {

struct MetricsCommand {
  std::string text_file; ///< Empty: standard output.
  std::string node;      ///< Label of every sample; empty: as the newest manifest has it.
  long expected_interval_seconds = 0; ///< 0: not told.
};

void add_metrics(CLI::App& app, MetricsCommand& command);

} // namespace rb::restore
