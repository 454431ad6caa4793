#include "k3s/service_manager.hpp"

#include "k3s/command.hpp"
#include "k3s/output.hpp"
#include "terminal/terminal_text.hpp"

#include <functional>
#include <sstream>

namespace rb::k3s {

namespace {

constexpr std::chrono::seconds k_stop_timeout{180};
constexpr std::chrono::seconds k_start_timeout{60};
constexpr std::chrono::seconds k_state_timeout{15};
constexpr std::size_t k_log_limit_bytes = std::size_t{4} << 20U;
/// A server that does not get on repeats itself; its start must be among them.
constexpr const char* k_log_lines = "2000";

constexpr std::size_t k_shown_bytes = 80;

using Words = std::vector<std::string>;

Words words_of(const std::string& line) {
  std::istringstream stream(line);
  Words words;
  for (std::string word; stream >> word;) {
    words.push_back(word);
  }
  return words;
}

/// Any service manager is three commands; how an answer to the third is read differs.
class CommandManager final : public ServiceManager {
public:
  using ReadState = std::function<ServiceState(const ProcessResult&)>;
  struct Commands {
    std::vector<Words> start; ///< One after the other; all but the last may fail.
    Words stop;
    Words status;
    Words log; ///< Prints it; empty: nobody knows where it is.
  };

  CommandManager(ProcessRunner& processes, std::string name, Commands commands, ReadState read)
      : m_processes(processes), m_name(std::move(name)), m_commands(std::move(commands)),
        m_read(std::move(read)) {}

  [[nodiscard]] std::string name() const override { return m_name; }

  [[nodiscard]] Status stop() override { return run(m_commands.stop, k_stop_timeout); }

  [[nodiscard]] Status start() override {
    Status status;
    for (const Words& words : m_commands.start) {
      status = run(words, k_start_timeout);
    }
    return status;
  }

  [[nodiscard]] ServiceState state() override {
    const auto result = m_processes.run(spec_of(m_commands.status, k_state_timeout), {});
    return result && !result->timed_out ? m_read(*result) : ServiceState::unknown;
  }

  [[nodiscard]] std::string last_words() override {
    if (m_commands.log.empty()) {
      return {};
    }
    ProcessSpec spec = spec_of(m_commands.log, k_state_timeout);
    spec.output_limit_bytes = k_log_limit_bytes;
    const auto result = m_processes.run(spec, {});
    return result ? k3s::last_words(since_last_start(result->out)) : std::string();
  }

private:
  static ProcessSpec spec_of(const Words& words, std::chrono::seconds timeout) {
    ProcessSpec spec;
    spec.program = words.front();
    spec.arguments.assign(words.begin() + 1, words.end());
    spec.environment = clean_environment();
    spec.timeout = timeout;
    return spec;
  }

  Status run(const Words& words, std::chrono::seconds timeout) {
    RB_TRY_ASSIGN(const ProcessResult result, m_processes.run(spec_of(words, timeout), {}));
    if (result.timed_out) {
      return Error{ErrorCode::timeout, words.front() + ": did not end in time", {}};
    }
    if (result.exit_status != 0) {
      const std::string said =
          terminal_text(result.err.substr(0, result.err.find('\n')), k_shown_bytes);
      return Error{ErrorCode::io,
                   words.front() + ": exit status " + std::to_string(result.exit_status) +
                       (said.empty() ? "" : ": " + said),
                   {}};
    }
    return {};
  }

  ProcessRunner& m_processes;
  std::string m_name;
  Commands m_commands;
  ReadState m_read;
};

ServiceState by_exit_status(const ProcessResult& result) {
  return result.exit_status == 0 ? ServiceState::active : ServiceState::inactive;
}

ServiceState by_systemd_word(const ProcessResult& result) {
  const std::string word = result.out.substr(0, result.out.find('\n'));
  if (word == "active" || word == "activating" || word == "reloading" || word == "deactivating") {
    return ServiceState::active;
  }
  return word == "inactive" || word == "failed" ? ServiceState::inactive : ServiceState::unknown;
}

} // namespace

std::unique_ptr<ServiceManager>
make_systemd(ProcessRunner& processes, std::string systemctl, std::string unit) {
  CommandManager::Commands commands;
  // Without --no-block it would wait for a server that may never be ready.
  commands.start = {{systemctl, "daemon-reload"},
                    {systemctl, "reset-failed", unit},
                    {systemctl, "enable", unit},
                    {systemctl, "start", "--no-block", unit}};
  commands.stop = {systemctl, "stop", unit};
  commands.status = {systemctl, "is-active", unit};
  const std::string journalctl = systemctl.substr(0, systemctl.rfind('/') + 1) + "journalctl";
  commands.log = {journalctl, "--no-pager", "--output=cat", "--lines", k_log_lines, "--unit", unit};
  return std::make_unique<CommandManager>(
      processes, "systemd unit " + unit, std::move(commands), by_systemd_word);
}

std::unique_ptr<ServiceManager> make_openrc(ProcessRunner& processes,
                                            std::string rc_service,
                                            std::string name,
                                            const std::string& log_file) {
  CommandManager::Commands commands;
  commands.start = {{rc_service, name, "start"}};
  commands.stop = {rc_service, name, "stop"};
  commands.status = {rc_service, name, "status"};
  commands.log = {"/usr/bin/tail", "-n", k_log_lines, log_file};
  return std::make_unique<CommandManager>(
      processes, "OpenRC service " + name, std::move(commands), by_exit_status);
}

Result<std::unique_ptr<ServiceManager>> make_commands(ProcessRunner& processes,
                                                      const ServiceCommands& given) {
  CommandManager::Commands commands{
      {words_of(given.start)}, words_of(given.stop), words_of(given.status), words_of(given.log)};
  for (const Words* const words : {&commands.start.front(), &commands.stop, &commands.status}) {
    if (words->empty() || !words->front().starts_with('/')) {
      return Error{ErrorCode::invalid_argument,
                   "the commands of the service manager: each needs the absolute path of a program",
                   "give all of --start-command, --stop-command and --status-command"};
    }
  }
  if (!commands.log.empty() && !commands.log.front().starts_with('/')) {
    return Error{ErrorCode::invalid_argument,
                 "--log-command: it needs the absolute path of a program",
                 "for example --log-command '/usr/bin/tail -n 2000 /var/log/k3s.log'"};
  }
  std::unique_ptr<ServiceManager> manager = std::make_unique<CommandManager>(
      processes, "the command " + given.stop, std::move(commands), by_exit_status);
  return manager;
}

} // namespace rb::k3s
