#include "restore/progress.hpp"
#include "support/pseudo_terminal.hpp"

#include <doctest/doctest.h>

#include <sys/ioctl.h>

#include <sstream>

using namespace rb;
using restore::Progress;

namespace {

class SteppedClock final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override { return {}; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override { return time; }

  std::chrono::steady_clock::time_point time{};
};

struct ProgressFixture {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  SteppedClock clock;
  restore::Io io{{"railiance-restore", out, err, clock}, in};

  /// `done` of a GiB, each after another second.
  void work(Progress& progress, int seconds) {
    for (int i = 1; i <= seconds; ++i) {
      clock.time += std::chrono::seconds(1);
      progress.show("etcd.snap.age: decrypted", std::uint64_t{10} << 20U, std::uint64_t{1} << 30U);
    }
  }
};

} // namespace

TEST_CASE_FIXTURE(ProgressFixture, "not on a terminal: a plain line every ten seconds") {
  Progress progress(io);
  work(progress, 10);
  CHECK(err.str().empty()); // what ends within ten seconds is silent
  work(progress, 1);
  CHECK(err.str() == "etcd.snap.age: decrypted 10.0 MiB of 1.0 GiB (0 %)\n");
  work(progress, 20);
  CHECK(err.str().size() ==
        3 * std::string("etcd.snap.age: decrypted 10.0 MiB of 1.0 GiB (0 %)\n").size());
  progress.clear();
  CHECK(err.str().find('\x1b') == std::string::npos);
  CHECK(out.str().empty());
}

TEST_CASE_FIXTURE(ProgressFixture, "on a terminal: one line, drawn anew and taken away") {
  io.err_is_terminal = true;
  {
    Progress progress(io);
    work(progress, 3);
    CHECK(err.str() == "\retcd.snap.age: decrypted 10.0 MiB of 1.0 GiB (0 %)\x1b[K"
                       "\retcd.snap.age: decrypted 10.0 MiB of 1.0 GiB (0 %)\x1b[K");
  }
  CHECK(err.str().ends_with("\r\x1b[K"));
}

TEST_CASE_FIXTURE(ProgressFixture, "on a narrow terminal the line does not wrap") {
  io.err_is_terminal = true;
  const auto session = test::at_terminal(
      [this] {
        winsize size{};
        size.ws_col = 30;
        ::ioctl(STDERR_FILENO, TIOCSWINSZ, &size);
        Progress progress(io);
        work(progress, 2);
        const std::string drawn = err.str();
        return static_cast<int>(drawn.size() - std::string("\r\x1b[K").size());
      },
      {});
  CHECK(session.status == 29);
}

TEST_CASE_FIXTURE(ProgressFixture,
                  "work of less than 256 MiB is silent; of unknown size, what is done counts") {
  Progress progress(io);
  for (int i = 0; i < 100; ++i) {
    clock.time += std::chrono::seconds(1);
    progress.show("a", std::uint64_t{255} << 20U, std::uint64_t{255} << 20U);
    progress.show("b", std::uint64_t{255} << 20U, 0);
  }
  CHECK(err.str().empty());
  progress.show("b", std::uint64_t{512} << 20U, 0);
  clock.time += std::chrono::seconds(10);
  progress.show("b", std::uint64_t{512} << 20U, 0);
  CHECK(err.str() == "b 512.0 MiB\n");
}
