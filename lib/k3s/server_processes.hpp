// The k3s server processes of this host, by /proc: k3s itself does not look whether it runs, and
// two servers on one data directory destroy it.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

struct ServerProcess {
  int pid = 0;
  std::string command; ///< As it may be shown.
};

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

/// What /proc tells of one process. k3s rewrites its command line about two seconds after the
/// start: for a moment it is empty or lacks the subcommand, and afterwards its flags are gone.
struct ProcessView {
  std::string command_line; ///< Words separated by NUL, or by blanks where k3s has set its title.
  std::string comm;         ///< "k3s-server" for k3s's second program, whatever the title says.
  std::string program;      ///< Of /proc/<pid>/exe; empty: not known.
  std::string data_dir;     ///< By its working directory, <data-dir>/server; empty: not known.
};

/// Whether it is, or may be, a k3s server on `data_dir`. In doubt it is one.
[[nodiscard]] bool is_server(const ProcessView& process, const std::string& data_dir);

} // namespace rb::k3s
