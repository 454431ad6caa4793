#include "k3s/host_files.hpp"

#include "base/open_beneath.hpp"

#include <algorithm>
#include <filesystem>

namespace rb::k3s {

namespace {

constexpr std::size_t k_limit_bytes = std::size_t{1} << 20U;

} // namespace

std::optional<std::string> DiskFiles::read(const std::string& path) const {
  auto text = read_regular_text(m_root + path, k_limit_bytes);
  return text ? std::optional<std::string>(std::move(*text)) : std::nullopt;
}

std::vector<std::string> DiskFiles::list(const std::string& directory) const {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(m_root + directory, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace rb::k3s
