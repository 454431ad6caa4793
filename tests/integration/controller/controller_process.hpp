// The controller as a process of its own, so that it can be killed.
#pragma once

#include "cluster.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

namespace rb::test {

class ControllerProcess {
public:
  /// `more`: arguments besides.
  explicit ControllerProcess(const Cluster& cluster,
                             const std::string& identity = "controller-1",
                             const std::vector<std::string>& more = {});
  /// SIGTERM, and waits.
  ~ControllerProcess();
  ControllerProcess(const ControllerProcess&) = delete;
  ControllerProcess& operator=(const ControllerProcess&) = delete;
  ControllerProcess(ControllerProcess&&) = delete;
  ControllerProcess& operator=(ControllerProcess&&) = delete;

  /// SIGKILL, and waits.
  void kill();
  /// SIGTERM, and waits; the exit status, or -1 when a signal ended it.
  int terminate();

private:
  int end_with(int signal);
  pid_t m_pid = -1;
};

} // namespace rb::test
