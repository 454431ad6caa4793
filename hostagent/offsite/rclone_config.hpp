// rclone.conf: a copy that rclone may write to, and the ports that its remotes are reached at.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::offsite {

/// The Secret is mounted read-only, and some remotes (Box, Jottacloud) give a refresh token that
/// counts once: rclone has to keep the next one. Servers cannot share such a token, so each may
/// have a file of its own in the Secret.
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

// A network policy that does not let a port through looks like a server that is away. Pure.

struct RemotePorts {
  std::vector<int> numbers; ///< In their order, each once. Empty: the file does not say.
  bool changing = false;    ///< FTP: data goes to one that the server chooses each time.

  bool operator==(const RemotePorts&) const = default;
};

/// Of NAME in "NAME:PATH", by `port`, `url`, `endpoint` or the kind's usual one, or those of the
/// proxy that it names; remotes that stand on others (crypt, alias, union, combine, …) are
/// followed.
[[nodiscard]] RemotePorts remote_ports(std::string_view rclone_conf, const std::string& remote);

/// What to do next when the remote at `ports` cannot be reached and only `let_through` are. `said`
/// is what rclone printed, which names the port of a connection that did not come about: MEGA,
/// Swift, HDFS and FTP send to others than the first. Empty: no policy stands in the way.
[[nodiscard]] std::string unreachable_hint(const RemotePorts& ports,
                                           const std::vector<int>& let_through,
                                           std::string_view said = {});

} // namespace rb::offsite
