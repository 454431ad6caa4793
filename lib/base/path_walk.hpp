// Walks an absolute path component by component, by descriptors, and knows at each step who could
// change it. Private to open_beneath.
#pragma once

#include "base/fd.hpp"

#include <sys/stat.h>

#include <deque>
#include <string>

namespace rb {

/// What a walk came to.
struct WalkEnd {
  Fd parent;        ///< The directory of the last component, O_PATH.
  std::string name; ///< The last component: no link; it need not be there any more.
  struct stat status {};
  std::string weak;       ///< The first component that others can change; empty: none.
  bool weak_link = false; ///< A link was followed that others can change.
};

/// Follows links, 40 at most. Errors: not_found, io (ELOOP) and others of openat(2).
[[nodiscard]] Result<WalkEnd> walk_path(const std::string& path);

} // namespace rb
