// The k3s server of this host as it runs: the service that starts and stops it (systemd, OpenRC, or
// commands of the operator's), and its processes. k3s itself does not look whether it runs, and two
// servers on one data directory destroy it.
#pragma once

#include "base/port.hpp"
#include "base/process.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

enum class ServiceState {
  active,   ///< Running, starting or about to be restarted.
  inactive, ///< Stopped or failed.
  unknown,  ///< It could not be asked.
};

/// The port. Errors of all: those of ProcessRunner::run, io (with what the program said), timeout.
class ServiceManager : public Port {
public:
  /// "systemd unit k3s"
  [[nodiscard]] virtual std::string name() const = 0;
  /// Comes back when the service has stopped. Pods go on.
  [[nodiscard]] virtual Status stop() = 0;
  /// Does not wait for readiness. Takes in a unit that has changed.
  [[nodiscard]] virtual Status start() = 0;
  [[nodiscard]] virtual ServiceState state() = 0;
  /// Why the server ended, or does not get on, in k3s's own words since its last start; empty where
  /// its log cannot be read or says nothing.
  [[nodiscard]] virtual std::string last_words() = 0;
};

/// `systemctl start|stop|is-active UNIT`; the log is `log_file` (k3s's own --log), or the journal's
/// where that is empty.
[[nodiscard]] std::unique_ptr<ServiceManager> make_systemd(ProcessRunner& processes,
                                                           std::string systemctl,
                                                           std::string unit,
                                                           const std::string& log_file = {});

/// `rc-service NAME start|stop|status`, and `zap` where it has crashed; the log is `log_file`,
/// where k3s's install script sends it.
[[nodiscard]] std::unique_ptr<ServiceManager> make_openrc(ProcessRunner& processes,
                                                          std::string rc_service,
                                                          std::string name,
                                                          const std::string& log_file);

struct ServiceCommands {
  std::string start;
  std::string stop;
  std::string status; ///< Exit status 0: it runs.
  std::string log;    ///< Prints the server's log; may be empty.

  [[nodiscard]] bool given() const { return !start.empty() || !stop.empty() || !status.empty(); }
};

/// Errors: invalid_argument (one missing or not absolute).
[[nodiscard]] Status check_commands(const ServiceCommands& given);

/// Each is split at blanks; no shell. Precondition: check_commands() has nothing against them.
[[nodiscard]] std::unique_ptr<ServiceManager> make_commands(ProcessRunner& processes,
                                                            const ServiceCommands& given);

struct ServerProcess {
  int pid = 0;
  std::string command; ///< As it may be shown.
};

/// The port: the server processes, by /proc.
class ServerProcesses : public Port {
public:
  /// Those that may use `data_dir`. Errors: io.
  [[nodiscard]] virtual Result<std::vector<ServerProcess>> find(const std::string& data_dir) = 0;
};

/// Reads /proc, or what stands for it. A server in a container (another PID namespace), with a
/// --data-dir of its own, or of another user than root and ours is not one of ours.
class ProcServerProcesses final : public ServerProcesses {
public:
  explicit ProcServerProcesses(std::string proc = "/proc") : m_proc(std::move(proc)) {}
  [[nodiscard]] Result<std::vector<ServerProcess>> find(const std::string& data_dir) override;
  /// k3s agents, whatever their data directory: a server is an agent, too, and its kubelet and
  /// containerd want the same ports. Errors: io.
  [[nodiscard]] Result<std::vector<ServerProcess>> find_agents();

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

/// Whether it is, or may be, a k3s server on `data_dir`, by whatever path. In doubt it is one.
[[nodiscard]] bool is_server(const ProcessView& process, const std::string& data_dir);

/// Whether it is `k3s agent`.
[[nodiscard]] bool is_agent(const ProcessView& process);

} // namespace rb::k3s
