// The agent as a process of its own, so that it can be killed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace rb::test {

class AgentProcess {
public:
  /// Starts it; its log goes to `log_path`.
  AgentProcess(std::vector<std::string> arguments, const std::string& log_path);
  /// SIGTERM, and waits.
  ~AgentProcess();
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;
  AgentProcess(AgentProcess&&) = delete;
  AgentProcess& operator=(AgentProcess&&) = delete;

  /// Sends the signal and waits; the exit status, or -1 when the signal ended it.
  int end_with(int signal);

private:
  pid_t m_pid = -1;
};

} // namespace rb::test
