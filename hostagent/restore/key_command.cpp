#include "restore/secret_input.hpp"

#include "age/identity.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/secret_bytes.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string_view>

namespace rb::restore {

namespace {

using SteadyClock = std::chrono::steady_clock;

Error bad_command(std::string_view what) {
  return {ErrorCode::invalid_argument,
          std::string(what),
          "write it as a shell would take it, without pipes and variables"};
}

/// One word of the command after another.
class Splitter {
public:
  explicit Splitter(std::string_view text) : m_left(text) {}

  /// Nothing at the end.
  Result<std::optional<std::string>> next() {
    skip_blanks_and_comments();
    if (m_left.empty()) {
      return std::optional<std::string>();
    }
    std::string word;
    while (!m_left.empty() && !is_blank(m_left.front())) {
      const char c = take();
      if (c == '\'' || c == '"') {
        RB_TRY(quoted(c, word));
      } else {
        RB_TRY(plain(c, word));
      }
    }
    return std::optional<std::string>(std::move(word));
  }

private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  char take() {
    const char c = m_left.front();
    m_left.remove_prefix(1);
    return c;
  }

  void skip_blanks_and_comments() {
    while (!m_left.empty() && (is_blank(m_left.front()) || m_left.front() == '#')) {
      const bool comment = m_left.front() == '#';
      const std::size_t end = comment ? m_left.find('\n') : 1;
      m_left.remove_prefix(std::min(end, m_left.size()));
    }
  }

  Status plain(char c, std::string& word) {
    if (c == '\\') {
      if (m_left.empty()) {
        return bad_command("nothing follows its last backslash");
      }
      c = take();
    }
    word += c;
    return {};
  }

  Status quoted(char quote, std::string& word) {
    while (!m_left.empty()) {
      const char c = take();
      if (c == quote) {
        return {};
      }
      if (quote == '"') {
        RB_TRY(plain(c, word));
      } else {
        word += c;
      }
    }
    return bad_command("a quote in it is not closed");
  }

  std::string_view m_left;
};

/// Reads what is there within 50 ms; false at the end.
Result<bool> read_some(const Fd& pipe, SecretBuffer& output) {
  constexpr std::size_t k_piece_bytes = 4096;
  pollfd polled{pipe.get(), POLLIN, 0};
  if (::poll(&polled, 1, 50) <= 0) {
    return true;
  }
  const ssize_t got = ::read(pipe.get(), output.prepare(k_piece_bytes).data(), k_piece_bytes);
  if (got < 0) {
    return errno == EINTR || errno == EAGAIN ? Result<bool>(true)
                                             : Result<bool>(system_error(errno, "read"));
  }
  output.commit(static_cast<std::size_t>(got));
  return got > 0;
}

/// Until the program closes its output.
Status read_output(const Fd& pipe,
                   SecretBuffer& output,
                   const std::stop_token& stop,
                   SteadyClock::time_point deadline) {
  for (;;) {
    RB_TRY_ASSIGN(const bool more, read_some(pipe, output));
    if (!more) {
      return {};
    }
    if (output.size() > age::k_identity_file_limit_bytes) {
      return Error{ErrorCode::unsupported, "it prints more than a keys file may hold", {}};
    }
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "stopped before it ended", {}};
    }
    if (SteadyClock::now() >= deadline) {
      return Error{ErrorCode::timeout, "it did not end in time", "run it by hand"};
    }
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

} // namespace

Result<std::vector<std::string>> split_command(const std::string& text) {
  std::vector<std::string> words;
  Splitter splitter(text);
  for (;;) {
    RB_TRY_ASSIGN(auto word, splitter.next());
    if (!word) {
      break;
    }
    words.push_back(std::move(*word));
  }
  if (words.empty()) {
    return bad_command("it names no program");
  }
  return words;
}

Result<SecretBytes> run_key_command(std::vector<std::string> words,
                                    std::vector<std::string> environment,
                                    std::stop_token stop,
                                    std::chrono::milliseconds limit) {
  const std::string program = words.front();
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    return system_error(errno, "pipe");
  }
  const Fd read_end(fds[0]);
  Fd write_end(fds[1]);
  SpawnOrder order;
  order.words = std::move(words);
  order.environment = std::move(environment);
  order.files = {{write_end.get(), STDOUT_FILENO}};
  order.on_path = true;
  order.own_group = false; // it may ask for a passphrase at our terminal
  RB_TRY_ASSIGN(const pid_t pid, spawn(std::move(order)));
  write_end = Fd();
  SecretBuffer output;
  Status read = read_output(read_end, output, stop, SteadyClock::now() + limit);
  if (!read) {
    ::kill(pid, SIGKILL); // it may keep SIGTERM for itself, and has nothing of ours to put right
  }
  const int status = wait_for(pid);
  if (!read) {
    return std::move(read).error().within(program);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const std::string how = WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status))
                                              : "signal " + std::to_string(WTERMSIG(status));
    return Error{ErrorCode::io, program + ": ended with " + how, "run it by hand"};
  }
  return std::move(output).take();
}

} // namespace rb::restore
