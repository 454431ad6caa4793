#include "restore/proof/scratch_places.hpp"

#include "restore/proof/scratch_dir.hpp"

#include "base/open_beneath.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace rb::proof {

namespace {

constexpr std::size_t k_record_limit_bytes = std::size_t{64} << 10U;

constexpr std::array<const char*, 4> k_usual{
    "/var/tmp", "/tmp", "/var/lib/rancher", "/var/lib/rancher/k3s"};

void add_once(std::vector<std::string>& paths, std::string path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  if (path.starts_with('/') && std::ranges::find(paths, path) == paths.end()) {
    paths.push_back(std::move(path));
  }
}

Status append_line(const std::string& path, const std::string& line) {
  std::error_code ignored;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (std::filesystem::create_directories(parent, ignored)) {
    ::chmod(parent.c_str(), 0700);
  }
  RB_TRY_ASSIGN(const Fd file,
                open_file(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0600));
  const ssize_t written = ::write(file.get(), line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    return system_error(written < 0 ? errno : ENOSPC, path);
  }
  RB_TRY(sync_file(file, path));
  RB_TRY_ASSIGN(const Fd directory, open_file(parent.string(), O_RDONLY | O_DIRECTORY));
  return sync_file(directory, parent.string());
}

} // namespace

std::vector<std::string> ScratchPlaces::recorded() const {
  std::vector<std::string> paths;
  const auto text = read_regular_text(m_record, k_record_limit_bytes);
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    add_once(paths, std::string(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return paths;
}

Status ScratchPlaces::note(const std::string& parent) const {
  if (m_record.empty()) {
    return {};
  }
  if (parent.find('\n') != std::string::npos) {
    return Error{
        ErrorCode::invalid_argument, "a scratch directory with a line end in its path", {}};
  }
  std::vector<std::string> known = recorded();
  known.insert(known.end(), k_usual.begin(), k_usual.end());
  if (std::ranges::find(known, parent) != known.end()) {
    return {};
  }
  Status noted = append_line(m_record, "\n" + parent + "\n"); // the last line may be a torn one
  if (!noted) {
    noted.error().hint = "name a usual place for the scratch directory: --scratch-dir /var/tmp";
  }
  return noted;
}

std::vector<std::string> ScratchPlaces::all() const {
  if (m_record.empty()) {
    return {};
  }
  std::vector<std::string> paths = recorded();
  for (const char* const usual : k_usual) {
    add_once(paths, usual);
  }
  if (const char* const temporary = std::getenv("TMPDIR"); temporary != nullptr) {
    add_once(paths, temporary);
  }
  return paths;
}

void ScratchPlaces::sweep() const {
  for (const std::string& path : all()) {
    sweep_scratch_dirs(path);
  }
}

} // namespace rb::proof
