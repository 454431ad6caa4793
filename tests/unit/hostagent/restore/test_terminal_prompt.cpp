#include "restore/secret_input.hpp"
#include "support/pseudo_terminal.hpp"

#include <doctest/doctest.h>

#include <termios.h>

#include <csignal>

using namespace rb;
using restore::ask_on_terminal;

namespace {

constexpr int k_right = 0;
constexpr int k_wrong = 1;
constexpr int k_cancelled = 2;
constexpr int k_echo_lost = 3;

bool echoes() {
  termios state{};
  return ::tcgetattr(STDIN_FILENO, &state) == 0 && (state.c_lflag & ECHO) != 0 &&
         (state.c_lflag & ICANON) != 0 && (state.c_lflag & ISIG) != 0;
}

/// Asks, and says by the exit status whether it got `expected`.
std::function<int()> expecting(const std::string& expected) {
  return [expected] {
    const auto typed = ask_on_terminal("Passphrase: ");
    if (!echoes()) {
      return k_echo_lost;
    }
    if (!typed) {
      return typed.error().code == ErrorCode::cancelled ? k_cancelled : k_wrong;
    }
    return typed->text() == expected ? k_right : k_wrong;
  };
}

} // namespace

TEST_CASE("ask_on_terminal: one line, which the screen never shows") {
  const auto session =
      test::at_terminal(expecting("correct horse"), {{"Passphrase: ", "correct horse\r"}});
  CHECK(session.status == k_right);
  CHECK(session.screen.find("correct") == std::string::npos);
}

TEST_CASE("ask_on_terminal: mistakes are mended, in UTF-8 too") {
  CHECK(test::at_terminal(expecting("ab"),
                          {{": ",
                            "axy\x7f\x08"
                            "b\n"}})
            .status == k_right);
  CHECK(test::at_terminal(expecting("ab"),
                          {{": ",
                            "a\xc3\xa4\x7f"
                            "b\n"}})
            .status == k_right);
  CHECK(test::at_terminal(expecting("ab"),
                          {{": ",
                            "wrong\x15"
                            "ab\n"}})
            .status == k_right);
  CHECK(test::at_terminal(expecting(""), {{": ", "\x7f\x7f\n"}}).status == k_right);
}

TEST_CASE("ask_on_terminal: Ctrl-C and Ctrl-D end the question, and the terminal echoes again") {
  CHECK(test::at_terminal(expecting(""), {{": ", "a\x03"}}).status == k_cancelled);
  CHECK(test::at_terminal(expecting(""), {{": ", "\x04"}}).status == k_cancelled);
}

TEST_CASE("ask_on_terminal: a line that is too long is refused") {
  CHECK(test::at_terminal(expecting(""), {{": ", std::string(5000, 'a') + "\n"}}).status ==
        k_wrong);
}

TEST_CASE("ask_on_terminal: a signal ends the program, and not before the terminal is as it was") {
  const auto session = test::at_terminal(
      [] {
        const pid_t parent = ::getpid();
        if (::fork() == 0) {
          ::usleep(300000);
          ::kill(parent, SIGTERM);
          ::_exit(0);
        }
        return expecting("")();
      },
      {});
  CHECK(session.signal == SIGTERM);
}

TEST_CASE("ask_on_terminal: without a terminal that is said at once") {
  const auto session = test::at_terminal(
      [] {
        const pid_t pid = ::fork();
        if (pid == 0) {
          ::setsid();
          const auto typed = ask_on_terminal("Passphrase: ");
          ::_exit(typed ? k_wrong : typed.error().code == ErrorCode::not_found ? k_right : k_wrong);
        }
        int status = 0;
        ::waitpid(pid, &status, 0);
        return WEXITSTATUS(status);
      },
      {});
  CHECK(session.status == k_right);
}
