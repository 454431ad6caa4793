#include "agent/host/mounted_files.hpp"

#include "agent/host/backup_disk.hpp"

#include "archive/entry_path.hpp"
#include "base/fd.hpp"
#include "base/open_beneath.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace rb::agent {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_limit_bytes = std::size_t{1} << 20U;
constexpr int k_most_links = 40; // as the kernel

bool is_ours(const struct stat& status) {
  return status.st_uid == 0 || status.st_uid == ::geteuid();
}

/// Nobody but root (and ourselves) can have put the link where it is.
bool can_be_trusted(const std::string& directory, const struct stat& link) {
  struct stat status {};
  const bool known = ::lstat(directory.c_str(), &status) == 0;
  const bool open = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  return known && is_ours(status) && is_ours(link) && (!open || (status.st_mode & S_ISVTX) != 0);
}

/// Where an image has its own programs and libraries.
bool is_in_images(const std::string& path) {
  constexpr std::array<std::string_view, 4> k_of_images{"/usr/", "/lib/", "/run/", "/bin/"};
  return std::ranges::any_of(k_of_images,
                             [&](std::string_view place) { return path.starts_with(place); });
}

} // namespace

MountedFiles::MountedFiles(const Settings& settings)
    : m_in_container(settings.host_etc_dir != "/etc"), m_mounts{
                                                           {"/etc/rancher", settings.config_dir},
                                                           {"/etc", settings.host_etc_dir}} {
  if (m_in_container) {
    const auto mountinfo = read_text_file(settings.mountinfo, k_limit_bytes);
    m_of_the_host = mountinfo ? mount_points_of_mountinfo(*mountinfo) : std::vector<std::string>();
    std::erase_if(m_of_the_host, [](const std::string& point) { return !is_in_images(point); });
  }
}

bool MountedFiles::is_of_the_image(const std::string& path) const {
  return m_in_container && is_in_images(path) &&
         std::ranges::none_of(m_of_the_host, [&](const std::string& point) {
           return path == point || path.starts_with(point + "/");
         });
}

std::string MountedFiles::mounted(const std::string& path) const {
  for (const Mount& mount : m_mounts) {
    if (path == mount.there || path.starts_with(mount.there + "/")) {
      return mount.here + path.substr(mount.there.size());
    }
  }
  return path;
}

std::string MountedFiles::seen_as(const std::string& path) const {
  fs::path left = fs::path(path).lexically_normal().relative_path();
  fs::path done = "/";
  for (int links = 0; !left.empty();) {
    const fs::path name = *left.begin();
    const fs::path rest = left.lexically_relative(name);
    const std::string here = mounted((done / name).string());
    struct stat status {};
    const bool link = ::lstat(here.c_str(), &status) == 0 && S_ISLNK(status.st_mode) &&
                      ++links <= k_most_links && can_be_trusted(mounted(done.string()), status);
    std::error_code error;
    const fs::path target = link ? fs::read_symlink(here, error) : fs::path();
    if (!target.empty() && !error) {
      const fs::path whole = (done / target / (rest == "." ? fs::path() : rest)).lexically_normal();
      left = whole.relative_path();
      done = "/";
    } else {
      done /= name;
      left = rest == "." ? fs::path() : rest;
    }
  }
  return mounted(done.string());
}

std::optional<std::string> MountedFiles::read(const std::string& path) const {
  if (is_of_the_image(path)) {
    return std::nullopt;
  }
  auto text = read_regular_text(seen_as(path), k_limit_bytes);
  return text ? std::optional<std::string>(std::move(*text)) : std::nullopt;
}

std::vector<std::string> MountedFiles::list(const std::string& directory) const {
  std::vector<std::string> names;
  if (is_of_the_image(directory)) {
    return names;
  }
  std::error_code error;
  for (fs::directory_iterator it(seen_as(directory), error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

constexpr std::string_view k_leads_nowhere =
    "a link to what is not there, or not to be seen here: mount what it leads to "
    "(agent.extraHostPaths of the chart)";
constexpr std::size_t k_skipped_limit = 200;
constexpr unsigned k_permissions = 0777;
/// As the header of a tar holds it: 1970 to 2242.
constexpr time_t k_latest_time = (time_t{1} << 33U) - 1;

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

enum class Kind { none, directory, link, other };

Kind kind_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return Kind::none;
  }
  if (S_ISDIR(status.st_mode)) {
    return Kind::directory;
  }
  return S_ISLNK(status.st_mode) ? Kind::link : Kind::other;
}

/// What the link leads to, whoever made it.
bool leads_to_directory(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

} // namespace

void FileCollector::skip(const std::string& archive_path, std::string why) {
  const std::string shown = archive::printable(archive_path);
  const bool known = std::ranges::find(m_skipped, shown, &SkippedFile::path) != m_skipped.end();
  if (!known && m_skipped.size() < k_skipped_limit) {
    m_skipped.push_back({shown, std::move(why)});
  }
  m_skipped_in_all += known ? 0U : 1U;
}

bool FileCollector::has(const std::string& archive_path) const {
  return std::ranges::find(m_entries, archive_path, &archive::Entry::path) != m_entries.end();
}

std::string FileCollector::seen(const std::string& path, const std::string& archive_path) const {
  return m_resolve ? m_resolve("/" + archive_path) : path;
}

bool FileCollector::add_file(const std::string& path, const std::string& archive_path) {
  if (has(archive_path)) {
    return true;
  }
  const auto fd = open_regular(seen(path, archive_path));
  if (!fd) {
    if (fd.error().code != ErrorCode::not_found) {
      skip(archive_path, fd.error().message);
    } else if (kind_of(path) == Kind::link) {
      skip(archive_path, std::string(k_leads_nowhere));
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
  m_entries.push_back(
      {archive_path,
       std::move(*content),
       status.st_mode & k_permissions,
       SystemTime{std::chrono::seconds(std::clamp<time_t>(status.st_mtime, 0, k_latest_time))}});
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
    add_entry(path + "/" + name, archive_path + "/" + name, depth);
  }
}

void FileCollector::add_entry(const std::string& path,
                              const std::string& archive_path,
                              unsigned depth) {
  const Kind kind = kind_of(path);
  if (kind == Kind::directory) {
    add_below(path, archive_path, depth + 1);
    return;
  }
  const std::string target = kind == Kind::link ? seen(path, archive_path) : path;
  if (kind != Kind::link || !leads_to_directory(target)) {
    add_file(path, archive_path);
  } else if (m_resolve && kind_of(target) == Kind::directory) {
    add_below(target, archive_path, depth + 1);
  } else {
    skip(archive_path, "a link to a directory, which is not followed");
  }
}

void FileCollector::add_tree(const std::string& path, const std::string& archive_path) {
  const std::string here = seen(path, archive_path);
  const Kind kind = kind_of(here);
  if (kind == Kind::directory) {
    add_below(here, archive_path, 0);
  } else if (kind == Kind::link) {
    skip(archive_path, "a link to a directory, which is not followed");
  } else if (kind == Kind::none && kind_of(path) == Kind::link) {
    skip(archive_path, std::string(k_leads_nowhere));
  }
}

void FileCollector::add_matching(const std::string& path,
                                 const std::string& prefix,
                                 const std::string& archive_path) {
  const std::string here = seen(path, archive_path);
  for (const std::string& name : sorted_names(here).names) {
    if (name.starts_with(prefix)) {
      add_entry(here + "/" + name, archive_path + "/" + name, 0);
    }
  }
}

} // namespace rb::agent
