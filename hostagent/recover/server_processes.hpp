// The k3s server processes of this host, by /proc: k3s itself does not look whether it runs, and
// two servers on one data directory destroy it.
#pragma once

#include "recover/facts.hpp"

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::recover {

/// The port.
class ServerProcesses {
public:
  ServerProcesses() = default;
  virtual ~ServerProcesses() = default;
  ServerProcesses(const ServerProcesses&) = delete;
  ServerProcesses& operator=(const ServerProcesses&) = delete;
  ServerProcesses(ServerProcesses&&) = delete;
  ServerProcesses& operator=(ServerProcesses&&) = delete;

  /// Those that may use `data_dir`. Errors: io.
  [[nodiscard]] virtual Result<std::vector<ServerProcess>> find(const std::string& data_dir) = 0;
};

/// Reads /proc, or what stands for it. A server in a container (another PID namespace) or with a
/// --data-dir of its own is not one of ours.
class ProcServerProcesses final : public ServerProcesses {
public:
  explicit ProcServerProcesses(std::string proc = "/proc") : m_proc(std::move(proc)) {}
  [[nodiscard]] Result<std::vector<ServerProcess>> find(const std::string& data_dir) override;

private:
  std::string m_proc;
};

/// Whether a command line (words separated by NUL, or by blanks where k3s has set its title) is
/// that of a k3s server on `data_dir`.
[[nodiscard]] bool is_server(std::string_view command_line, const std::string& data_dir);

} // namespace rb::recover
