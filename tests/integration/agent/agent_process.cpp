#include "agent_process.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace rb::test {

AgentProcess::AgentProcess(std::vector<std::string> arguments, const std::string& log_path) {
  arguments.insert(arguments.begin(), RB_AGENT_PROGRAM);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  char* environment[] = {nullptr};
  const int failed =
      ::posix_spawn(&m_pid, RB_AGENT_PROGRAM, &actions, nullptr, pointers.data(), environment);
  ::posix_spawn_file_actions_destroy(&actions);
  REQUIRE(failed == 0);
}

AgentProcess::~AgentProcess() {
  end_with(SIGTERM);
}

int AgentProcess::end_with(int signal) {
  if (m_pid < 0) {
    return -1;
  }
  ::kill(m_pid, signal);
  int status = 0;
  ::waitpid(m_pid, &status, 0);
  m_pid = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace rb::test
