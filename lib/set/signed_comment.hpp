// What the trusted comment of a file's signature says, so that no signed file passes for another.
#pragma once

#include <string>
#include <string_view>

namespace rb::set {

inline std::string comment_of_file(std::string_view name) {
  return "railiance-backup file=" + std::string(name);
}

} // namespace rb::set
