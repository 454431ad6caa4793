#include "restore/cluster/journal_place.hpp"

#include "restore/cluster/host_files.hpp"

#include "base/fd.hpp"

#include <linux/limits.h>

namespace rb::cluster {

Status remember_place(const std::string& data_dir, const std::string& file) {
  RB_TRY(make_directories(file.substr(0, file.rfind('/')), 0755));
  return write_file(file, as_bytes(data_dir + "\n"), 0600);
}

Status forget_place(const std::string& before, const std::string& file) {
  return before.empty() ? remove_path(file) : remember_place(before, file);
}

std::string remembered_place(const std::string& file) {
  const auto text = read_text_file(file, PATH_MAX);
  const bool is_path = text && text->starts_with('/') && text->ends_with('\n') &&
                       text->find('\n') == text->size() - 1 &&
                       text->find('\0') == std::string::npos;
  return is_path ? text->substr(0, text->size() - 1) : std::string();
}

} // namespace rb::cluster
