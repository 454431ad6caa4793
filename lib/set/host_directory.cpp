#include "set/host_directory.hpp"

#include "base/fd.hpp"

#include <sys/stat.h>

namespace rb::set {

namespace {

constexpr std::size_t k_path_limit_bytes = 8192;

} // namespace

Status note_directory(Directory& kept, const std::string& backup_dir) {
  const std::string name(k_noted_directory_name);
  const std::string text = backup_dir + "\n";
  const auto noted = read_text(kept, name, k_path_limit_bytes);
  return noted && *noted == text ? Status() : replace_file(kept, name, as_bytes(text));
}

std::string directory_of_host(const std::string& note) {
  const auto is_there = [](const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  };
  const std::string usual(k_usual_directory);
  const auto text = read_text_file(note, k_path_limit_bytes);
  const std::string noted = text ? text->substr(0, text->find('\n')) : std::string();
  return noted.starts_with('/') && (is_there(noted) || !is_there(usual)) ? noted : usual;
}

} // namespace rb::set
