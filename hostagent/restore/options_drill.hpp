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
  std::vector<std::string> identity_files; ///< Empty: where SOPS looks.
  bool no_record = false;
  bool allow_unsigned = false;    ///< Sets without a signature pass, though the key is known.
  bool boot = false;              ///< Boot a scratch server from the set, too.
  std::string scratch_dir;        ///< Where; empty: beside k3s's data directory.
  std::string k3s;                ///< Empty: the program of the backed-up host.
  unsigned timeout_seconds = 300; ///< For the reset, and again for the API to get ready.
};

void add_drill(CLI::App& app, DrillCommand& command);

} // namespace rb::restore
