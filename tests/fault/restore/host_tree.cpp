#include "fault/restore/host_tree.hpp"

#include "support/temporary_directory.hpp"

#include <filesystem>

namespace rb::test {

namespace fs = std::filesystem;

HostTree tree_below(std::span<const char* const> roots) {
  HostTree tree;
  for (const char* const root : roots) {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string path = entry.path().string();
      const auto mode = static_cast<unsigned>(entry.symlink_status().permissions());
      const bool directory = entry.is_directory();
      tree[path] = {mode, directory, directory ? std::string() : read_file(path)};
    }
  }
  return tree;
}

void put_tree(const HostTree& tree, std::span<const char* const> roots) {
  for (const char* const root : roots) {
    for (const auto& entry : fs::directory_iterator(root)) {
      fs::remove_all(entry.path());
    }
  }
  for (const auto& [path, entry] : tree) {
    if (entry.directory) {
      fs::create_directory(path);
    } else {
      write_file(path, entry.content);
    }
    fs::permissions(path, static_cast<fs::perms>(entry.mode));
  }
}

HostTree part_of(const HostTree& tree, const std::string& directory) {
  HostTree part;
  const std::string above = directory + "/";
  for (auto at = tree.lower_bound(above); at != tree.end() && at->first.starts_with(above); ++at) {
    part.emplace(at->first.substr(above.size()), at->second);
  }
  return part;
}

} // namespace rb::test
