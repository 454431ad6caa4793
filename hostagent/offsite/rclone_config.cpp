#include "offsite/rclone_config.hpp"

#include "set/directory.hpp"

#include "base/digest.hpp"
#include "base/fd.hpp"

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

bool has_copy_of(set::Directory& directory, const std::string& digest) {
  const auto known = set::read_text(directory, std::string(k_digest_name), k_digest_limit_bytes);
  return known && *known == digest && directory.fs().open_read(std::string(k_copy_name));
}

} // namespace

RcloneConfig::RcloneConfig(std::string source, std::string directory)
    : m_source(std::move(source)), m_directory(std::move(directory)) {}

std::string RcloneConfig::path() const {
  return m_directory + "/" + std::string(k_copy_name);
}

Status RcloneConfig::refresh() const {
  const auto source = read_secret_file(m_source, k_config_limit_bytes);
  if (!source && source.error().code != ErrorCode::not_found) {
    return source.error();
  }
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(m_directory));
  if (!source) {
    return remove_all(directory);
  }
  const std::string digest = to_hex(sha256(source->view()));
  if (has_copy_of(directory, digest)) {
    return {};
  }
  RB_TRY(remove_all(directory));
  // The digest last: a copy that was cut off is made again.
  RB_TRY(set::replace_file(directory, std::string(k_copy_name), source->view()));
  return set::replace_file(directory, std::string(k_digest_name), as_bytes(digest));
}

} // namespace rb::offsite
