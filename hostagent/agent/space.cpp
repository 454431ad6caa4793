#include "agent/space.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <filesystem>

namespace rb::agent {

namespace {

/// The other artifacts, and room for the file system's own needs.
constexpr std::uint64_t k_margin_bytes = std::uint64_t{16} << 20U;

std::string nearest_existing(std::filesystem::path path) {
  std::error_code ignored;
  while (!path.empty() && path != path.root_path() && !std::filesystem::exists(path, ignored)) {
    path = path.parent_path();
  }
  return path.string();
}

bool on_one_file_system(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev;
}

} // namespace

std::uint64_t etcd_database_bytes(const std::string& data_dir) {
  std::error_code error;
  const auto size = std::filesystem::file_size(data_dir + "/server/db/etcd/member/snap/db", error);
  return error ? 0 : static_cast<std::uint64_t>(size);
}

StepFailure check_space(set::Directory& directory,
                        const std::string& snapshot_dir,
                        std::uint64_t database_bytes,
                        std::uint64_t expected_bytes) {
  const std::string snapshots = nearest_existing(snapshot_dir);
  const bool shared = on_one_file_system(directory.path(), snapshots);
  const std::uint64_t needed =
      database_bytes == 0 ? expected_bytes : database_bytes * (shared ? 2 : 1) + k_margin_bytes;
  const Status fits = set::check_free_space(directory, needed);
  if (!fits) {
    return storage_failure(fits.error());
  }
  struct statvfs space {};
  if (shared || database_bytes == 0 || ::statvfs(snapshots.c_str(), &space) != 0) {
    return std::nullopt;
  }
  const std::uint64_t available = std::uint64_t{space.f_bavail} * space.f_frsize;
  if (available >= database_bytes + k_margin_bytes) {
    return std::nullopt;
  }
  return Failure{api::Reason::storage_full,
                 snapshots + ": " + std::to_string(available) +
                     " bytes are free, and a snapshot needs " +
                     std::to_string(database_bytes + k_margin_bytes),
                 "free some space in k3s's snapshot directory"};
}

} // namespace rb::agent
