#include "restore/proof/spawned.hpp"

#include "base/process.hpp"
#include "base/fd.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rb::proof {

namespace {

std::string ending(int status) {
  return WIFSIGNALED(status) ? "ended by signal " + std::to_string(WTERMSIG(status))
                             : "ended with exit status " + std::to_string(WEXITSTATUS(status));
}

} // namespace

Status Spawned::start(const ProcessSpec& spec, const std::string& log_path) {
  RB_TRY_ASSIGN(const Fd log,
                open_file(log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
  std::vector<std::string> words{spec.program};
  words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<char*> arguments = pointers_to(words);
  std::vector<std::string> variables;
  for (const auto& [name, value] : spec.environment) {
    variables.push_back(name + "=" + value);
  }
  std::vector<char*> environment = pointers_to(variables);

  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, log.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, log.get(), STDERR_FILENO);
  pid_t pid = -1;
  const int failed = ::posix_spawn(
      &pid, spec.program.c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  for (std::string& variable : variables) {
    wipe({reinterpret_cast<std::uint8_t*>(variable.data()), variable.size()});
  }
  if (failed != 0) {
    return system_error(failed, spec.program + ": cannot be started");
  }
  m_names.emplace(pid, spec.program + (words.size() > 1 ? " " + words[1] : ""));
  return {};
}

Status Spawned::alive() {
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0;
       pid = ::waitpid(-1, &status, WNOHANG)) {
    const auto named = m_names.find(pid);
    if (named != m_names.end() && m_ended.empty()) {
      m_ended = named->second + ": " + ending(status);
    }
  }
  return m_ended.empty() ? Status() : Status(Error{ErrorCode::unavailable, m_ended, {}});
}

} // namespace rb::proof
