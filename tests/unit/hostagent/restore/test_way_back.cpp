// Holds: a cluster that runs since a restore is not taken away without a word.
#include "restore/cluster/journal.hpp"
#include "restore/commands.hpp"
#include "restore/io.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <sstream>

using namespace rb;
using namespace rb::cluster;

TEST_CASE("--rollback asks on a terminal, and takes no other word than yes") {
  if (::geteuid() != 0) {
    return; // only root goes back
  }
  const test::TemporaryDirectory host;
  JournalState state;
  state.phase = Phase::done;
  state.started = "2026-11-22T02:00:00Z";
  state.plan.run_id = "20261122T020000Z";
  state.plan.data_dir = host.file("k3s");
  state.had_database = true;
  const Journal journal(state.plan.work_dir());
  REQUIRE(journal.save(state));
  for (const char* const answer : {"\n", "no\n", ""}) {
    CAPTURE(answer);
    std::istringstream in{std::string(answer)};
    std::ostringstream out;
    std::ostringstream err;
    const RealClock clock;
    restore::Io io{{"railiance-restore", out, err, clock}, in};
    io.in_is_terminal = true;
    const std::vector<std::string> words{"--backup-dir",
                                         host.file("backups"),
                                         "restore",
                                         "--rollback",
                                         "--data-dir",
                                         host.file("k3s"),
                                         "--start-command",
                                         "/bin/false",
                                         "--stop-command",
                                         "/bin/false",
                                         "--status-command",
                                         "/bin/true"};
    CHECK(restore::run(words, io) == 1);
    CHECK(err.str().find("Go back now?") != std::string::npos);
    CHECK(err.str().find("not confirmed; nothing was changed") != std::string::npos);
    CHECK((**journal.load()).phase == Phase::done);
  }
}
