// A copy of rclone.conf that rclone may write to. The Secret is mounted read-only, and some remotes
// (Box, Jottacloud) give a refresh token that counts once: rclone has to keep the next one. Servers
// cannot share such a token, so each may have a file of its own in the Secret.
#pragma once

#include "base/result.hpp"

#include <string>

namespace rb::offsite {

class RcloneConfig {
public:
  /// `source`: the file of the Secret; "rclone-NODE.conf" beside it, where it is, counts in its
  /// stead. `directory` is made where it is missing, mode 0700, and belongs to this alone; it must
  /// outlive a restart, as the tokens have to.
  RcloneConfig(std::string source, const std::string& node_name, std::string directory);

  /// The file of the Secret that counts now.
  [[nodiscard]] const std::string& source() const;

  /// What rclone is to be given.
  [[nodiscard]] std::string path() const;

  /// Makes the copy, mode 0600, where there is none or the source is not the one that it was made
  /// of; else it stays as rclone left it. Where the source is gone, the copy goes, too. Call it
  /// while no rclone runs. Errors: those of reading the source and of Fs; no message holds anything
  /// of the file.
  [[nodiscard]] Status refresh() const;

private:
  const std::string m_shared;
  const std::string m_own;
  const std::string m_directory;
};

} // namespace rb::offsite
