// A remote behind rclone (https://rclone.org), run as a program of its own. Nothing secret is ever
// in its arguments or environment: passwords are in its configuration file.
#pragma once

#include "offsite/remote_store.hpp"

#include "base/process.hpp"

#include <functional>
#include <map>
#include <string_view>

namespace rb::offsite {

struct RcloneSettings {
  std::string program;     ///< Absolute path.
  std::string remote;      ///< "name:path", checked with check_remote().
  std::string config_file; ///< Empty: where rclone looks itself.
  /// For the program, besides what follows from the other settings. Nothing else is inherited.
  std::map<std::string, std::string> environment;
  std::string ca_file;         ///< CA certificates in PEM; empty: those of the system.
  std::string bandwidth_limit; ///< As rclone's --bwlimit; empty: none.
  /// What to do next when the remote cannot be reached, by what rclone printed; may be empty.
  std::function<std::string(std::string_view said)> unreachable_hint = {};
};

/// The remote must be a name of rclone's configuration file, a colon and a path. What rclone would
/// take besides (":webdav,pass=…:") would show passwords to everybody who can list processes.
/// Errors: invalid_argument.
[[nodiscard]] Status check_remote(const std::string& remote);

class RcloneStore final : public RemoteStore {
public:
  /// `processes` outlives it.
  RcloneStore(ProcessRunner& processes, RcloneSettings settings);

  [[nodiscard]] const std::string& name() const override { return m_settings.remote; }
  [[nodiscard]] Result<std::vector<RemoteFile>> list(std::stop_token stop) override;
  [[nodiscard]] Status
  put(const std::string& local_path, const RemoteFile& file, std::stop_token stop) override;
  [[nodiscard]] Result<std::string> sha256(const RemoteFile& file, std::stop_token stop) override;
  [[nodiscard]] Status
  get(const RemoteFile& file, const std::string& local_path, std::stop_token stop) override;
  [[nodiscard]] Status get_small(const std::vector<RemoteFile>& files,
                                 const std::string& local_path,
                                 std::stop_token stop) override;
  [[nodiscard]] Status remove(const std::string& name, std::stop_token stop) override;

private:
  [[nodiscard]] Result<std::string> run(std::vector<std::string> arguments,
                                        const std::string& subject,
                                        std::uint64_t bytes,
                                        std::stop_token stop);
  /// What all calls have in common.
  [[nodiscard]] ProcessSpec spec_of(std::vector<std::string> arguments, std::uint64_t bytes) const;
  [[nodiscard]] Result<ProcessResult>
  start(const ProcessSpec& spec, const std::string& subject, std::stop_token stop);
  [[nodiscard]] std::string path_of(const std::string& name) const;

  ProcessRunner& m_processes;
  const RcloneSettings m_settings;
};

} // namespace rb::offsite
