// Programs that were started and go on, with their output in a file.
#pragma once

#include "base/process.hpp"

#include <sys/types.h>

#include <map>
#include <string>

namespace rb::proof {

class Spawned {
public:
  /// Errors: not_found, permission_denied, io.
  [[nodiscard]] Status start(const ProcessSpec& spec, const std::string& log_path);

  /// Errors: unavailable (the first that has ended, with its exit status). Reaps all children of
  /// this process that have ended.
  [[nodiscard]] Status alive();

private:
  std::map<pid_t, std::string> m_names;
  std::string m_ended; ///< What alive() says from then on.
};

} // namespace rb::proof
