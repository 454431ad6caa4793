#include "offsite/rclone_config.hpp"

#include "set/directory.hpp"

#include "base/digest.hpp"
#include "base/fd.hpp"

#include <filesystem>
#include <string_view>

namespace rb::offsite {

namespace {

constexpr std::size_t k_config_limit_bytes = 1U << 20U;
constexpr std::size_t k_digest_limit_bytes = 128;
constexpr std::string_view k_copy_name = "rclone.conf";
/// The SHA-256 of the source that the copy was made of.
constexpr std::string_view k_digest_name = "source.sha256";

/// The copy, and what an rclone that was killed left of it: all of it holds passwords.
Status remove_all(set::Directory& directory) {
  RB_TRY_ASSIGN(const auto entries, directory.fs().list());
  for (const DirectoryEntry& entry : entries) {
    if (entry.regular) {
      RB_TRY(directory.fs().remove(entry.name));
    }
  }
  return directory.fs().sync_directory();
}

/// "/etc/railiance-offsite/rclone.conf" -> "/etc/railiance-offsite/rclone-cp-2.conf"
std::string own_file(const std::string& shared, const std::string& node_name) {
  const std::filesystem::path path(shared);
  return (path.parent_path() / (path.stem().string() + "-" + node_name + ".conf")).string();
}

bool has_copy_of(set::Directory& directory, const std::string& digest) {
  const auto known = set::read_text(directory, std::string(k_digest_name), k_digest_limit_bytes);
  return known && *known == digest && directory.fs().open_read(std::string(k_copy_name));
}

} // namespace

RcloneConfig::RcloneConfig(std::string source, const std::string& node_name, std::string directory)
    : m_shared(std::move(source)), m_own(own_file(m_shared, node_name)),
      m_directory(std::move(directory)) {}

const std::string& RcloneConfig::source() const {
  std::error_code ignored;
  return std::filesystem::exists(m_own, ignored) ? m_own : m_shared;
}

std::string RcloneConfig::path() const {
  return m_directory + "/" + std::string(k_copy_name);
}

Status RcloneConfig::refresh() const {
  const auto config = read_secret_file(source(), k_config_limit_bytes);
  if (!config && config.error().code != ErrorCode::not_found) {
    return config.error();
  }
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(m_directory));
  if (!config) {
    return remove_all(directory);
  }
  const std::string digest = to_hex(sha256(config->view()));
  if (has_copy_of(directory, digest)) {
    return {};
  }
  RB_TRY(remove_all(directory));
  // The digest last: a copy that was cut off is made again.
  RB_TRY(set::replace_file(directory, std::string(k_copy_name), config->view()));
  return set::replace_file(directory, std::string(k_digest_name), as_bytes(digest));
}

} // namespace rb::offsite
