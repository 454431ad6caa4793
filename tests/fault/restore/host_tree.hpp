// What lies below some directories of a host, as a value: it is kept, compared, and put back.
#pragma once

#include <map>
#include <span>
#include <string>

namespace rb::test {

struct HostEntry {
  unsigned mode = 0; ///< Permissions.
  bool directory = false;
  std::string content; ///< Of a file.

  bool operator==(const HostEntry&) const = default;
};

/// By absolute path; a directory comes before what is in it.
using HostTree = std::map<std::string, HostEntry>;

/// Files and directories below `roots`; the roots themselves are not in it.
[[nodiscard]] HostTree tree_below(std::span<const char* const> roots);

/// Afterwards that is what lies below `roots`, and nothing else.
void put_tree(const HostTree& tree, std::span<const char* const> roots);

/// What lies below `directory`, by its path from there.
[[nodiscard]] HostTree part_of(const HostTree& tree, const std::string& directory);

} // namespace rb::test
