#include "k3s/running_server.hpp"

#include "k3s/command.hpp"
#include "k3s/lines.hpp"
#include "k3s/output.hpp"
#include "terminal/terminal_text.hpp"

#include "archive/entry_path.hpp"
#include "base/fd.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <optional>
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

/// Split at blanks, and at the NUL between the words of a process.
Words words_of(std::string_view text) {
  constexpr std::string_view k_between("\0 \t\r\n", 5);
  Words words;
  for (std::size_t at = text.find_first_not_of(k_between); at != std::string_view::npos;
       at = text.find_first_not_of(k_between, at)) {
    const std::size_t end = std::min(text.find_first_of(k_between, at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
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
    const std::string_view log = result ? since_last_start(result->out) : std::string_view();
    std::string words = k3s::last_words(log);
    return words.empty() ? last_attempt(log) : words;
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
                   words.front() + ": " + how_it_ended(result) + (said.empty() ? "" : ": " + said),
                   {}};
    }
    return {};
  }

  ProcessRunner& m_processes;
  std::string m_name;
  Commands m_commands;
  ReadState m_read;
};

Words end_of(const std::string& log_file) {
  std::string tail = "/usr/bin/tail";
  for (const char* const place : {"/bin/tail", "/run/current-system/sw/bin/tail"}) { // of NixOS
    tail = ::access(tail.c_str(), X_OK) == 0 ? tail : place;
  }
  return {tail, "-n", k_log_lines, log_file};
}

ServiceState by_exit_status(const ProcessResult& result) {
  return result.exit_status == 0 ? ServiceState::active : ServiceState::inactive;
}

/// Source: OpenRC, sh/openrc-run.sh.in. A service that has crashed (32) does not run.
ServiceState by_openrc_status(const ProcessResult& result) {
  constexpr int k_stopping = 4;
  constexpr int k_starting = 8;
  const int status = result.exit_status;
  return status == k_stopping || status == k_starting ? ServiceState::active
                                                      : by_exit_status(result);
}

ServiceState by_systemd_word(const ProcessResult& result) {
  const std::string word = result.out.substr(0, result.out.find('\n'));
  if (word == "active" || word == "activating" || word == "reloading" || word == "deactivating") {
    return ServiceState::active;
  }
  return word == "inactive" || word == "failed" ? ServiceState::inactive : ServiceState::unknown;
}

namespace fs = std::filesystem;

constexpr std::size_t k_command_limit_bytes = std::size_t{1} << 20U;

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
}

std::string data_dir_of(const Words& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    for (const std::string_view flag : {"--data-dir", "-d", "-data-dir"}) {
      if (words[i] == flag && i + 1 < words.size()) {
        return words[i + 1];
      }
      if (words[i].starts_with(std::string(flag) + "=")) {
        return words[i].substr(flag.size() + 1);
      }
    }
  }
  return {};
}

/// That the process was given the command, "server" say.
bool says(const std::string& command, const Words& words, const std::string& comm) {
  if (comm == "k3s-" + command) {
    return true;
  }
  const std::string program = words.empty() ? "" : fs::path(words.front()).filename().string();
  return program == "k3s-" + command ||
         (program.starts_with("k3s") && words.size() > 1 && words[1] == command);
}

/// A k3s whose title is being rewritten. Its other commands have names of their own, "k3s-agent".
bool hides_its_command(const Words& words, const ProcessView& process) {
  return fs::path(process.program).filename().string().starts_with("k3s") &&
         (words.empty() || (words.size() == 1 && words.front().ends_with("k3s"))) &&
         !process.comm.starts_with("k3s-");
}

/// The target of a link in /proc; empty: gone, or not ours to read.
std::string target_of(const fs::path& link) {
  std::error_code error;
  std::string target = fs::read_symlink(link, error).string();
  constexpr std::string_view k_deleted = " (deleted)"; // replaced by an upgrade
  if (target.ends_with(k_deleted)) {
    target.resize(target.size() - k_deleted.size());
  }
  return error ? std::string{} : target;
}

/// k3s works in <data-dir>/server, where db/ is.
std::string data_dir_by_work(const fs::path& entry) {
  std::error_code error;
  const fs::path work = target_of(entry / "cwd");
  const bool ours = work.filename() == "server" && fs::is_directory(entry / "cwd/db", error);
  return ours ? work.parent_path().string() : std::string{};
}

std::string first_line(std::string text) {
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

/// Ended, and nobody has asked yet how: its command line is empty, its name is still there.
bool has_ended(const fs::path& entry) {
  const auto stat = read_text_file((entry / "stat").string(), k_command_limit_bytes);
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos; // it may hold anything
  const char state =
      name_end != std::string::npos && name_end + 2 < stat->size() ? (*stat)[name_end + 2] : '\0';
  return state == 'Z' || state == 'X';
}

/// Somebody else's: who may not write to root's data directory has no server there, whatever the
/// process calls itself. A program with the setuid bit runs as root under a name of its caller's.
bool is_of_another_user(const fs::path& entry) {
  struct stat program {};
  if (::stat((entry / "exe").c_str(), &program) == 0 && (program.st_mode & S_ISUID) != 0) {
    return true;
  }
  const auto status = read_text_file((entry / "status").string(), k_command_limit_bytes);
  constexpr std::string_view k_uid = "\nUid:"; // real, effective, saved, file system
  const std::size_t found = status ? status->find(k_uid) : std::string::npos;
  if (found == std::string::npos) {
    return false; // in doubt it is ours
  }
  std::istringstream words(status->substr(found + k_uid.size()));
  uid_t real = 0;
  return words >> real && real != 0 && real != ::geteuid();
}

/// Nothing where the process has ended meanwhile.
std::optional<ProcessView> look_at(const fs::path& entry) {
  if (has_ended(entry)) {
    return std::nullopt;
  }
  auto command = read_text_file((entry / "cmdline").string(), k_command_limit_bytes);
  if (!command) {
    return std::nullopt;
  }
  const auto comm = read_text_file((entry / "comm").string(), k_command_limit_bytes);
  return ProcessView{std::move(*command),
                     comm ? first_line(*comm) : "",
                     target_of(entry / "exe"),
                     data_dir_by_work(entry)};
}

std::string shown(const ProcessView& process) {
  std::string text = process.command_line;
  std::replace(text.begin(), text.end(), '\0', ' ');
  text = text.substr(0, text.find(" --"));
  text.resize(text.find_last_not_of(' ') + 1);
  return terminal_text(text.empty() ? process.program : text, k_shown_bytes);
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  return path;
}

/// Also where one of the paths leads through a link or another mount: /proc has the real one.
bool is_same_directory(const std::string& one, const std::string& other) {
  std::error_code error;
  return without_slash(one) == without_slash(other) || fs::equivalent(one, other, error);
}

/// Of the PID namespace of this process: others are in containers.
Result<std::vector<ServerProcess>>
find_processes(const std::string& proc, const std::function<bool(const ProcessView&)>& is_wanted) {
  std::error_code error;
  const fs::path here = fs::read_symlink(proc + "/self/ns/pid", error);
  std::vector<ServerProcess> found;
  fs::directory_iterator it(proc, error);
  if (error) {
    return Error{ErrorCode::io, proc + ": " + error.message(), {}};
  }
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!is_number(name)) {
      continue;
    }
    const auto process = look_at(it->path());
    if (!process || !is_wanted(*process) || is_of_another_user(it->path())) {
      continue;
    }
    std::error_code unreadable;
    const fs::path its = fs::read_symlink(it->path() / "ns/pid", unreadable);
    if (!unreadable && !here.empty() && its != here) {
      continue;
    }
    found.push_back({std::stoi(name), shown(*process)});
  }
  return found;
}

} // namespace

std::unique_ptr<ServiceManager> make_systemd(ProcessRunner& processes,
                                             std::string systemctl,
                                             std::string unit,
                                             const std::string& log_file) {
  CommandManager::Commands commands;
  // Without --no-block it would wait for a server that may never be ready.
  commands.start = {{systemctl, "daemon-reload"},
                    {systemctl, "reset-failed", unit},
                    {systemctl, "enable", unit},
                    {systemctl, "start", "--no-block", unit}};
  commands.stop = {systemctl, "stop", unit};
  commands.status = {systemctl, "is-active", unit};
  const std::string journalctl = systemctl.substr(0, systemctl.rfind('/') + 1) + "journalctl";
  commands.log =
      log_file.empty()
          ? Words{journalctl, "--no-pager", "--output=cat", "--lines", k_log_lines, "--unit", unit}
          : end_of(log_file);
  return std::make_unique<CommandManager>(
      processes, "systemd unit " + unit, std::move(commands), by_systemd_word);
}

std::unique_ptr<ServiceManager> make_openrc(ProcessRunner& processes,
                                            std::string rc_service,
                                            std::string name,
                                            const std::string& log_file) {
  CommandManager::Commands commands;
  // For OpenRC a service that has crashed is started already: it would do nothing, and say 0.
  commands.start = {{rc_service, "--ifcrashed", name, "zap"}, {rc_service, name, "start"}};
  commands.stop = {rc_service, name, "stop"};
  commands.status = {rc_service, name, "status"};
  commands.log = end_of(log_file);
  return std::make_unique<CommandManager>(
      processes, "OpenRC service " + name, std::move(commands), by_openrc_status);
}

Status check_commands(const ServiceCommands& given) {
  for (const std::string* const command : {&given.start, &given.stop, &given.status}) {
    const Words words = words_of(*command);
    if (words.empty() || !words.front().starts_with('/')) {
      return Error{ErrorCode::invalid_argument,
                   "the commands of the service manager: each needs the absolute path of a program",
                   "give all of --start-command, --stop-command and --status-command"};
    }
  }
  const Words log = words_of(given.log);
  if (!log.empty() && !log.front().starts_with('/')) {
    return Error{ErrorCode::invalid_argument,
                 "--log-command: it needs the absolute path of a program",
                 "for example --log-command '/usr/bin/tail -n 2000 /var/log/k3s.log'"};
  }
  return {};
}

std::unique_ptr<ServiceManager> make_commands(ProcessRunner& processes,
                                              const ServiceCommands& given) {
  CommandManager::Commands commands{
      {words_of(given.start)}, words_of(given.stop), words_of(given.status), words_of(given.log)};
  return std::make_unique<CommandManager>(
      processes, "the command " + given.stop, std::move(commands), by_exit_status);
}

bool is_server(const ProcessView& process, const std::string& data_dir) {
  const Words words = words_of(process.command_line);
  if (!says("server", words, process.comm) && !hides_its_command(words, process)) {
    return false;
  }
  const std::string named = data_dir_of(words);
  const std::string& own = named.empty() ? process.data_dir : named;
  return own.empty() || is_same_directory(own, data_dir);
}

bool is_agent(const ProcessView& process) {
  // Releases of 2024 gave servers that title (k3s, issue 10616).
  return process.comm != "k3s-server" &&
         says("agent", words_of(process.command_line), process.comm);
}

Result<std::vector<ServerProcess>> ProcServerProcesses::find(const std::string& data_dir) {
  return find_processes(m_proc,
                        [&](const ProcessView& process) { return is_server(process, data_dir); });
}

Result<std::vector<ServerProcess>> ProcServerProcesses::find_agents() {
  return find_processes(m_proc, is_agent);
}

} // namespace rb::k3s
