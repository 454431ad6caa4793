// Runs another program: argument vector, environment of our making, bounded output, a deadline.
// No shell is ever involved.
#pragma once

#include "base/port.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace rb {

struct ProcessSpec {
  std::string program;                ///< Absolute path.
  std::vector<std::string> arguments; ///< Without argv[0]. Never a secret: anyone can read it.
  std::map<std::string, std::string> environment; ///< All of it; nothing is inherited.
  std::chrono::seconds timeout{120};              ///< Then SIGTERM, and SIGKILL 5 s later.
  std::size_t output_limit_bytes = 1U
                                   << 20U; ///< Of each stream; what exceeds it is read and dropped.
  /// Takes standard output as it comes, in place of ProcessResult::out; false ends the program, and
  /// nothing more is given to it.
  std::function<bool(std::string_view)> on_output = {};
  /// Asked about every 50 ms while the program runs; false ends it.
  std::function<bool()> go_on = {};
};

struct ProcessResult {
  int exit_status = -1;   ///< As given to exit(3), or -1 when a signal ended it.
  int signal = 0;         ///< The signal that ended it, or 0.
  bool timed_out = false; ///< We ended it because `timeout` passed.
  bool refused = false;   ///< We ended it because on_output or go_on said so.
  std::string out;
  std::string err;
};

/// How a program begins.
struct SpawnOrder {
  std::vector<std::string> words;         ///< The program, then its arguments.
  std::vector<std::string> environment;   ///< "NAME=VALUE"; all of it.
  std::vector<std::pair<int, int>> files; ///< A descriptor of ours, and its number there.
  bool on_path = false;  ///< A program whose name has no slash is looked for on PATH.
  bool own_group = true; ///< What it starts is ended with it; no interrupt of the terminal.
};

/// Program, arguments and environment of `spec`.
[[nodiscard]] SpawnOrder spawn_order(const ProcessSpec& spec);

/// posix_spawn(3): without input, with the default signal mask. The caller waits for its end.
/// Errors: those of the system.
[[nodiscard]] Result<int> spawn(SpawnOrder order);

/// The port, so that tests can stand in for the other program.
class ProcessRunner : public Port {
public:
  /// Waits for the end of the program. A program that ran is a value, whatever its exit status.
  /// Errors: not_found and permission_denied (it could not be started), cancelled (`stop`; the
  /// program is ended first), io.
  [[nodiscard]] virtual Result<ProcessResult> run(const ProcessSpec& spec,
                                                  std::stop_token stop) = 0;
};

/// posix_spawn(3). Safe to call from several threads.
class RealProcessRunner final : public ProcessRunner {
public:
  [[nodiscard]] Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override;
};

/// Runs only programs that nobody but root can have put there: check_root_owned before each start;
/// a program that is not there is `runner`'s to report. Thread-safe as `runner` is, which outlives
/// it. Errors besides: permission_denied, unsupported.
class TrustedRunner final : public ProcessRunner {
public:
  explicit TrustedRunner(ProcessRunner& runner) : m_runner(runner) {}

  [[nodiscard]] Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override;

private:
  ProcessRunner& m_runner;
};

/// What exec(2) takes as argv and envp: pointers into `strings`, and a null at
/// the end. `strings` must outlive them, unchanged.
[[nodiscard]] inline std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// The last line of what a program wrote, where most say why they ended; without the white space at
/// its end.
[[nodiscard]] inline std::string_view last_line(std::string_view text) {
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

} // namespace rb
