// Holds: a line is drawn anew only where a terminal can take it back, and is no longer than it.
#include "support/pseudo_terminal.hpp"
#include "terminal/program_io.hpp"

#include <doctest/doctest.h>

#include <sys/ioctl.h>

#include <cstdlib>

using namespace rb;

TEST_CASE("lines are drawn anew on a terminal that is not a dumb one") {
  const auto with_term = [](const char* word) {
    return test::at_terminal(
               [word] {
                 ::setenv("TERM", word, 1);
                 return can_redraw(STDERR_FILENO) ? 1 : 0;
               },
               {})
        .status;
  };
  CHECK(with_term("xterm") == 1);
  CHECK(with_term("dumb") == 0);
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  CHECK_FALSE(can_redraw(pipe[1]));
  CHECK(columns_of(pipe[1]) == 80);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_CASE("the columns are those that the terminal has now") {
  const auto session = test::at_terminal(
      [] {
        winsize size{};
        size.ws_col = 44; // a telephone
        ::ioctl(STDERR_FILENO, TIOCSWINSZ, &size);
        return static_cast<int>(columns_of(STDERR_FILENO));
      },
      {});
  CHECK(session.status == 44);
}
