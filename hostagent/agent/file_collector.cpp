#include "agent/file_collector.hpp"

#include "archive/entry_path.hpp"
#include "base/open_beneath.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace rb::agent {

namespace {

constexpr std::size_t k_skipped_limit = 200;
constexpr unsigned k_permissions = 0777;

struct Names {
  std::vector<std::string> names;
  std::error_code error;
};

Names sorted_names(const std::string& path) {
  Names listing;
  for (std::filesystem::directory_iterator it(path, listing.error), end;
       !listing.error && it != end;
       it.increment(listing.error)) {
    listing.names.push_back(it->path().filename().string());
  }
  std::sort(listing.names.begin(), listing.names.end());
  return listing;
}

bool is_plain_directory(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

} // namespace

void FileCollector::skip(const std::string& archive_path, std::string why) {
  if (m_skipped.size() < k_skipped_limit) {
    m_skipped.push_back({archive::printable(archive_path), std::move(why)});
  }
}

bool FileCollector::add_file(const std::string& path, const std::string& archive_path) {
  const auto fd = open_regular(path);
  if (!fd) {
    if (fd.error().code != ErrorCode::not_found) {
      skip(archive_path, fd.error().message);
    }
    return false;
  }
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0) {
    skip(archive_path, system_error(errno, path + ": stat").message);
    return false;
  }
  if (!archive::check_entry_path(archive_path)) {
    skip(archive_path, "a name that no archive of ours takes");
    return false;
  }
  if (m_entries.size() >= m_limits.files) {
    skip(archive_path, "too many files");
    return false;
  }
  auto content = read_secret_file(*fd, path, m_limits.file_bytes);
  if (!content) {
    skip(archive_path, content.error().message);
    return false;
  }
  if (content->size() > m_limits.total_bytes - m_total_bytes) {
    skip(archive_path, "too many bytes in all");
    return false;
  }
  m_total_bytes += content->size();
  m_entries.push_back({archive_path,
                       std::move(*content),
                       status.st_mode & k_permissions,
                       SystemTime{std::chrono::seconds(std::max<time_t>(status.st_mtime, 0))}});
  return true;
}

void FileCollector::add_below(const std::string& path,
                              const std::string& archive_path,
                              unsigned depth) {
  if (depth > m_limits.depth) {
    skip(archive_path, "too deep");
    return;
  }
  const Names listing = sorted_names(path);
  if (listing.error) {
    skip(archive_path, listing.error.message());
  }
  for (const std::string& name : listing.names) {
    const std::string below = path + "/" + name;
    if (is_plain_directory(below)) {
      add_below(below, archive_path + "/" + name, depth + 1);
    } else {
      add_file(below, archive_path + "/" + name);
    }
  }
}

void FileCollector::add_tree(const std::string& path, const std::string& archive_path) {
  if (is_plain_directory(path)) {
    add_below(path, archive_path, 0);
  }
}

void FileCollector::add_matching(const std::string& path,
                                 const std::string& prefix,
                                 const std::string& archive_path) {
  for (const std::string& name : sorted_names(path).names) {
    if (!name.starts_with(prefix)) {
      continue;
    }
    const std::string below = path + "/" + name;
    if (is_plain_directory(below)) {
      add_below(below, archive_path + "/" + name, 1);
    } else {
      add_file(below, archive_path + "/" + name);
    }
  }
}

} // namespace rb::agent
