// A program at a terminal of its own, and somebody who types.
#pragma once

#include <doctest/doctest.h>

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rb::test {

struct Typed {
  std::string prompt; ///< What the screen must show first.
  std::string keys;   ///< Then this is typed.
};

struct TerminalSession {
  int status = -1;    ///< As of exit(3), or -1.
  int signal = 0;     ///< That ended it, or 0.
  std::string screen; ///< All that was shown.
};

/// Runs `child` in a process with a new controlling terminal; its result is the exit status.
/// Anything that lasts longer than 20 s is ended.
inline TerminalSession at_terminal(const std::function<int()>& child, std::vector<Typed> typed) {
  int terminal = -1;
  const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::_exit(child());
  }
  TerminalSession session;
  std::size_t seen = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (bool open = true; open && std::chrono::steady_clock::now() < deadline;) {
    pollfd polled{terminal, POLLIN, 0};
    if (::poll(&polled, 1, 100) > 0) {
      std::array<char, 1024> text{};
      const ssize_t got = ::read(terminal, text.data(), text.size());
      open = got > 0;
      session.screen.append(text.data(), open ? static_cast<std::size_t>(got) : 0);
    }
    while (!typed.empty()) {
      const std::size_t at = session.screen.find(typed.front().prompt, seen);
      if (at == std::string::npos) {
        break;
      }
      seen = at + typed.front().prompt.size();
      const std::string keys = typed.front().keys;
      REQUIRE(::write(terminal, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
      typed.erase(typed.begin());
    }
  }
  CHECK_MESSAGE(typed.empty(), "never asked; the screen shows: " << session.screen);
  if (!typed.empty()) {
    ::kill(pid, SIGKILL);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  ::close(terminal);
  session.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  session.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return session;
}

} // namespace rb::test
