// How a command says that it failed, and how a signal ends it.
#include "terminal/program_io.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

using namespace rb;

TEST_CASE("a failure is a line with the name of the program, and a hint where there is one") {
  std::ostringstream out;
  std::ostringstream err;
  const RealClock clock;
  const ProgramIo io{"railiance-x", out, err, clock};
  CHECK(fail(io, {ErrorCode::corrupt, "a\x1b[2J", "b"}) == 6);
  CHECK(fail(io, {ErrorCode::io, "c", {}}, ExitCode::usage) == 2);
  warn(io, "d\n");
  CHECK(out.str().empty());
  CHECK(err.str() == "railiance-x: a?[2J\nhint: b\nrailiance-x: c\nrailiance-x: warning: d?\n");
}

TEST_CASE("a result that could not be written is a failure, and a reader that went is none") {
  const RealClock clock;
  const auto code_of = [&](std::ofstream out, int out_fd, int code, std::string* said) {
    std::ostringstream err;
    out << std::string(100'000, 'x');
    const int flushed = flush_results({"railiance-x", out, err, clock}, out_fd, code);
    *said = err.str();
    return flushed;
  };
  std::string said;
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK(code_of(std::ofstream("/dev/full"), full.get(), 0, &said) == 1);
  CHECK(said.starts_with("railiance-x: standard output: "));
  CHECK(code_of(std::ofstream("/dev/full"), full.get(), 6, &said) == 6);
  CHECK(said.empty());
  CHECK(code_of(std::ofstream("/dev/null"), full.get(), 0, &said) == 0);
  CHECK(said.empty());
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const Fd ends[]{Fd(pipe[0]), Fd(pipe[1])};
  CHECK(code_of(std::ofstream("/dev/full"), ends[1].get(), 0, &said) == 0);
  CHECK(said.empty());
}

TEST_CASE("a wrong command line is said in our form") {
  const auto said = [](const char* message, const std::vector<std::string>& remaining) {
    return usage_error(message, remaining, "railiance-x", "list or show").message;
  };
  CHECK(said("A subcommand is required", {}) == "a command is required: list or show");
  CHECK(said("A subcommand is required", {"--flag", "lst"}) == "there is no command 'lst'");
  CHECK(said("The following argument was not expected: x", {}) ==
        "the following argument was not expected: x");
  CHECK(said("NAME is required", {}) == "NAME is required");
}

TEST_CASE("the first signal requests a stop, and so does the outer stop") {
  {
    const StopSignals signals({SIGUSR2});
    CHECK_FALSE(signals.token().stop_requested());
    CHECK(signals.seen() == 0);
    REQUIRE(::kill(::getpid(), SIGUSR2) == 0);
    for (int tries = 0; tries < 500 && !signals.token().stop_requested(); ++tries) {
      RealWaiter().wait(std::chrono::milliseconds(10), {});
    }
    CHECK(signals.token().stop_requested());
    CHECK(signals.seen() == SIGUSR2);
  }
  std::stop_source outer;
  const StopSignals signals({SIGUSR2}, outer.get_token());
  outer.request_stop();
  CHECK(signals.token().stop_requested());
  CHECK(signals.seen() == 0);
}

namespace {

/// Sends `signal` to this process, and waits until it has been taken or a moment is over.
void send(const StopSignals& signals, int signal) {
  REQUIRE(::kill(::getpid(), signal) == 0);
  for (int tries = 0; tries < 10 && !signals.token().stop_requested(); ++tries) {
    RealWaiter().wait(std::chrono::milliseconds(10), {});
  }
}

} // namespace

TEST_CASE("a terminal that goes away says so twice, and ends nobody who is clearing up") {
  static_cast<void>(std::signal(SIGHUP, SIG_DFL)); // the tests may run under nohup
  const StopSignals signals({SIGTERM, SIGHUP});
  send(signals, SIGHUP);
  REQUIRE(signals.token().stop_requested());
  for (int again = 0; again < 2; ++again) { // a second one ended this process
    REQUIRE(::kill(::getpid(), SIGHUP) == 0);
    RealWaiter().wait(std::chrono::milliseconds(50), {});
  }
  // The end of a session: of two signals that wait, the one with the lower number is read first.
  REQUIRE(::kill(::getpid(), SIGTERM) == 0);
  RealWaiter().wait(std::chrono::milliseconds(50), {});
  CHECK(signals.seen() == SIGHUP);
}

TEST_CASE("a hang-up that nohup has made ignored stays ignored") {
  static_cast<void>(std::signal(SIGHUP, SIG_IGN));
  {
    const StopSignals signals({SIGUSR2, SIGHUP});
    send(signals, SIGHUP);
    CHECK_FALSE(signals.token().stop_requested());
    send(signals, SIGUSR2);
    CHECK(signals.seen() == SIGUSR2);
  }
  static_cast<void>(std::signal(SIGHUP, SIG_DFL));
}
