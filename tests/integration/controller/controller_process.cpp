#include "controller_process.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>

namespace rb::test {

ControllerProcess::ControllerProcess(const Cluster& cluster,
                                     const std::string& identity,
                                     const std::vector<std::string>& more) {
  std::vector<std::string> words{RB_CONTROLLER_PROGRAM,
                                 "--kubeconfig",
                                 cluster.kubeconfig_path(),
                                 "--namespace",
                                 cluster.name_space(),
                                 "--identity",
                                 identity,
                                 "--sops-config",
                                 cluster.sops_yaml(),
                                 "--metrics-listen",
                                 "127.0.0.1:0",
                                 "--agent-wait-seconds",
                                 "5",
                                 "--schedule",
                                 "0 2 * * *",
                                 "--log-format",
                                 "text"};
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const std::string log = cluster.directory() + "/controller.log";
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  char* environment[] = {nullptr};
  const int failed = ::posix_spawn(
      &m_pid, RB_CONTROLLER_PROGRAM, &actions, nullptr, arguments.data(), environment);
  ::posix_spawn_file_actions_destroy(&actions);
  REQUIRE(failed == 0);
}

ControllerProcess::~ControllerProcess() {
  terminate();
}

int ControllerProcess::end_with(int signal) {
  if (m_pid < 0) {
    return -1;
  }
  ::kill(m_pid, signal);
  int status = 0;
  ::waitpid(m_pid, &status, 0);
  m_pid = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void ControllerProcess::kill() {
  end_with(SIGKILL);
}

int ControllerProcess::terminate() {
  return end_with(SIGTERM);
}

} // namespace rb::test
