#include "agent/mounted_files.hpp"

#include "base/open_beneath.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

} // namespace

MountedFiles::MountedFiles(const Settings& settings)
    : m_in_container(settings.host_etc_dir != "/etc"), m_mounts{
                                                           {"/etc/rancher", settings.config_dir},
                                                           {"/etc", settings.host_etc_dir}} {}

bool MountedFiles::is_of_the_image(const std::string& path) const {
  constexpr std::array<std::string_view, 4> k_of_images{"/usr/", "/lib/", "/run/", "/bin/"};
  return m_in_container && std::ranges::any_of(k_of_images, [&](std::string_view place) {
           return path.starts_with(place);
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

} // namespace rb::agent
