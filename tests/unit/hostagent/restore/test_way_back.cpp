// Holds: a cluster that runs since a restore is not taken away without a word, and a restore of
// long ago that was not ended is not taken for the one that is asked for today.
#include "restore/cluster/journal.hpp"
#include "restore/commands.hpp"
#include "restore/host_work.hpp"
#include "restore/io.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"
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
  SUBCASE("it has ended") {
    state.phase = Phase::done;
  }
  SUBCASE("the server was back, and the comparison was cut off") {
    state.completed = {Step::decrypt, Step::stop, Step::reset, Step::start, Step::ready};
  }
  const Phase before = state.phase;
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
    CHECK((**journal.load()).phase == before);
  }
}

TEST_CASE("made_since: a set of after the restore began, from which a cluster can be restored") {
  const auto sets_of = [](std::vector<int> days) {
    std::vector<set::BackupSet> sets;
    for (const int day : days) {
      set::BackupSet& set = sets.emplace_back();
      set.run_id = test::run_id_of_day(day);
      set.time = parse_run_id(set.run_id).value();
      set.state = set::SetState::complete;
      set.manifest = test::make_manifest(set.run_id);
    }
    return sets;
  };
  const auto since = [](const std::vector<set::BackupSet>& sets, const JournalState& state) {
    const auto* const found = restore::made_since(sets, state);
    return found == nullptr ? std::string() : found->run_id;
  };
  JournalState state;
  state.plan.run_id = test::run_id_of_day(2);
  state.started = format_rfc3339(*parse_run_id(test::run_id_of_day(4)) + std::chrono::hours(3));
  CHECK(since(sets_of({4, 3, 2, 1}), state).empty()); // an older one was chosen then
  CHECK(since(sets_of({6, 5, 4}), state) == test::run_id_of_day(6));
  auto useless = sets_of({5});
  useless.front().manifest->snapshot.reset();
  CHECK(since(useless, state).empty());
  useless = sets_of({5});
  useless.front().state = set::SetState::damaged;
  CHECK(since(useless, state).empty());
  state.started = "1970-01-01T00:00:07Z"; // the clock of a host that has none
  CHECK(since(sets_of({2, 1}), state).empty());
  state.plan.joining.emplace(); // the others go on making sets
  CHECK(since(sets_of({6}), state).empty());
}

TEST_CASE_FIXTURE(test::BackupFixture,
                  "--execute does not go on with a restore after which sets were made") {
  add_set(test::run_id_of_day(1));
  JournalState state;
  state.started = "2026-01-02T03:00:00Z"; // as the fixture's first day
  state.plan.run_id = test::run_id_of_day(1);
  state.plan.data_dir = file("k3s");
  state.completed = {Step::decrypt, Step::stop, Step::reset, Step::start, Step::ready};
  state.current = Step::compare;
  const Journal journal(state.plan.work_dir());
  REQUIRE(journal.save(state));
  const auto restore = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"restore", "--data-dir", file("k3s"), "-i", keys()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  add_set(test::run_id_of_day(9));
  for (const char* const named : {"latest", "20260101T000000Z", "20260110T000000Z"}) {
    CAPTURE(named);
    const auto result = restore({named, "--execute", "--yes"});
    CHECK(result.code == 7);
    CHECK(result.err.find("was not ended, and the cluster has run since: set " +
                          test::run_id_of_day(9) + " was made; nothing was changed") !=
          std::string::npos);
    CHECK(result.err.find("journal.json.old, and repeat") != std::string::npos);
    CHECK((**journal.load()).current == Step::compare);
  }
}
