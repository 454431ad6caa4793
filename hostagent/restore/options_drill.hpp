// The options of `drill`.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace rb::restore {

struct DrillCommand {
  std::string set = "latest";
  std::vector<std::string> identity_files; ///< At least one.
  bool no_record = false;
};

void add_drill(CLI::App& app, DrillCommand& command);

} // namespace rb::restore
