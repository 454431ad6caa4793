#include "base/version.hpp"

namespace rb {

std::string_view commit() {
  return RB_COMMIT;
}

std::string version_line(std::string_view program, std::string_view of) {
  std::string line = std::string(program) + " " + RB_VERSION;
  if (!of.empty()) {
    line += " (commit " + std::string(of) + ")";
  }
  return line;
}

} // namespace rb
