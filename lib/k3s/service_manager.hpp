// Starts and stops the k3s server: by systemd, by OpenRC, or by commands of the operator's.
#pragma once

#include "base/process.hpp"

#include <memory>
#include <string>
#include <vector>

namespace rb::k3s {

enum class ServiceState {
  active,   ///< Running, starting or about to be restarted.
  inactive, ///< Stopped or failed.
  unknown,  ///< It could not be asked.
};

/// The port. Errors of all: those of ProcessRunner::run, io (with what the program said), timeout.
class ServiceManager {
public:
  ServiceManager() = default;
  virtual ~ServiceManager() = default;
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  ServiceManager(ServiceManager&&) = delete;
  ServiceManager& operator=(ServiceManager&&) = delete;

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

/// `systemctl start|stop|is-active UNIT`; the log is the journal's.
[[nodiscard]] std::unique_ptr<ServiceManager>
make_systemd(ProcessRunner& processes, std::string systemctl, std::string unit);

/// `rc-service NAME start|stop|status`; the log is `log_file`, where k3s's install script sends it.
[[nodiscard]] std::unique_ptr<ServiceManager> make_openrc(ProcessRunner& processes,
                                                          std::string rc_service,
                                                          std::string name,
                                                          const std::string& log_file);

struct ServiceCommands {
  std::string start;
  std::string stop;
  std::string status; ///< Exit status 0: it runs.
  std::string log;    ///< Prints the server's log; may be empty.
};

/// Each is split at blanks; no shell. Errors: invalid_argument (one missing or not absolute).
[[nodiscard]] Result<std::unique_ptr<ServiceManager>> make_commands(ProcessRunner& processes,
                                                                    const ServiceCommands& given);

} // namespace rb::k3s
