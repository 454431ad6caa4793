#include "set/directory.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"

#include <cstdio>

namespace rb::set {

Result<std::vector<std::string>> sweep_leftovers(Directory& directory) {
  RB_TRY_ASSIGN(const std::vector<DirectoryEntry> entries, directory.fs().list());
  std::vector<std::string> removed;
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    if (!entry.regular) {
      continue;
    }
    if (info.kind == NameKind::removing) {
      if (remove_set(directory, info.run_id)) {
        removed.push_back(entry.name);
      }
    } else if (info.kind == NameKind::part && directory.fs().remove(entry.name)) {
      removed.push_back(entry.name);
    }
  }
  if (!removed.empty()) {
    RB_TRY(directory.fs().sync_directory());
  }
  return removed;
}

namespace {

std::string readable_size(std::uint64_t bytes) {
  constexpr double mebibyte = 1024.0 * 1024.0;
  char text[32];
  static_cast<void>(
      std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / mebibyte));
  return text;
}

} // namespace

Status check_free_space(Directory& directory, std::uint64_t needed_bytes) {
  RB_TRY_ASSIGN(const Space space, directory.fs().space());
  if (space.available_bytes < needed_bytes) {
    return Error{ErrorCode::no_space,
                 directory.path() + ": " + readable_size(space.available_bytes) +
                     " free, a backup needs " + readable_size(needed_bytes),
                 "free some space, keep fewer sets, or use a larger disk"};
  }
  return {};
}

} // namespace rb::set
