#include "offsite/decide.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::offsite;
using rb::artifact::BackupSet;
using rb::artifact::SetState;
using rb::test::run_id_of_day;
using std::chrono::seconds;

namespace {

const SystemTime k_now = parse_run_id("20260201T000000Z").value();
const Schedule k_schedule;

BackupSet set_of_day(int day, SetState state = SetState::complete) {
  BackupSet set;
  set.run_id = run_id_of_day(day);
  set.state = state;
  set.manifest = test::make_manifest(set.run_id);
  set.files = {{"manifest-" + set.run_id + ".json", 1000}};
  return set;
}

State state_with(std::set<std::string> replicated) {
  State state;
  state.remote = "r:";
  state.replicated = std::move(replicated);
  state.compared = k_now;
  return state;
}

std::vector<RemoteFile> remote_of(const std::vector<BackupSet>& sets) {
  std::vector<RemoteFile> files;
  for (const BackupSet& set : sets) {
    const auto own = files_of(set);
    files.insert(files.end(), own.begin(), own.end());
  }
  return files;
}

} // namespace

TEST_CASE("complete sets that are not off-site are pending, the newest first") {
  const std::vector<BackupSet> sets{set_of_day(4, SetState::incomplete),
                                    set_of_day(1),
                                    set_of_day(3),
                                    set_of_day(2),
                                    set_of_day(5, SetState::damaged)};
  const auto found = pending(sets, state_with({run_id_of_day(2)}));
  REQUIRE(found.size() == 2);
  CHECK(found[0]->run_id == run_id_of_day(3));
  CHECK(found[1]->run_id == run_id_of_day(1));
}

TEST_CASE("nothing is due when all is there, until it is time to compare") {
  const std::vector<BackupSet> sets{set_of_day(1)};
  State state = state_with({run_id_of_day(1)});
  CHECK_FALSE(is_due(sets, state, k_now + seconds(60), k_schedule));
  CHECK(is_due(sets, state, k_now + k_schedule.compare_every, k_schedule));
  CHECK(is_due(sets, state, k_now - seconds(60), k_schedule)); // the clock went back
  CHECK_FALSE(is_due({}, state_with({}), k_now, k_schedule));
}

TEST_CASE("after a failure there is a pause, which a newer set does not wait for") {
  std::vector<BackupSet> sets{set_of_day(1)};
  State state = state_with({});
  state.failures = 2;
  state.tried = run_id_of_day(1);
  state.not_before = k_now + seconds(60);
  CHECK_FALSE(is_due(sets, state, k_now, k_schedule));
  CHECK(is_due(sets, state, k_now + seconds(60), k_schedule));
  SUBCASE("a newer set") {
    sets.push_back(set_of_day(2));
    CHECK(is_due(sets, state, k_now, k_schedule));
  }
  SUBCASE("a clock that jumped back by a year") {
    CHECK(is_due(sets, state, k_now - std::chrono::days(365), k_schedule));
  }
}

TEST_CASE("pauses double up to an hour") {
  CHECK(pause_after(1, k_schedule) == seconds(30));
  CHECK(pause_after(2, k_schedule) == seconds(60));
  CHECK(pause_after(5, k_schedule) == seconds(480));
  CHECK(pause_after(9, k_schedule) == seconds(3600));
  CHECK(pause_after(4000000000U, k_schedule) == seconds(3600));
}

TEST_CASE("the manifest is the last file of a set") {
  const auto files = files_of(set_of_day(1));
  REQUIRE(files.size() == 5);
  CHECK(files.back().name == "manifest-" + run_id_of_day(1) + ".json");
}

TEST_CASE("the signature comes before the manifest, and goes with its set") {
  BackupSet set = set_of_day(1);
  const std::string signature = "manifest-" + run_id_of_day(1) + ".json.minisig";
  set.files.push_back({signature, 300});
  const auto files = files_of(set);
  REQUIRE(files.size() == 6);
  CHECK(files[4].name == signature);
  CHECK(files[4].size_bytes == 300);
  CHECK(files.back().name == "manifest-" + run_id_of_day(1) + ".json");
  const auto removed = removal_order(files, run_id_of_day(1));
  CHECK(removed.front() == files.back().name);
  CHECK(std::ranges::find(removed, signature) != removed.end());
  // Nor does a set stand over there without it.
  const State state = state_with({run_id_of_day(1)});
  CHECK(still_there(state, {set}, files) == std::set<std::string>{run_id_of_day(1)});
  CHECK(still_there(state, {set}, remote_of({set_of_day(1)})).empty());
}

TEST_CASE("a set stands only while all its files are over there with their sizes") {
  const std::vector<BackupSet> sets{set_of_day(1), set_of_day(2), set_of_day(3)};
  const State state = state_with({run_id_of_day(0), run_id_of_day(1), run_id_of_day(2)});
  auto remote = remote_of(sets);
  CHECK(still_there(state, sets, remote) ==
        std::set<std::string>{run_id_of_day(1), run_id_of_day(2)});
  remote[0].size_bytes -= 1;
  CHECK(still_there(state, sets, remote) == std::set<std::string>{run_id_of_day(2)});
  remote.erase(remote.begin() + 9); // the manifest of day 2
  CHECK(still_there(state, sets, remote).empty());
}

TEST_CASE("nothing is removed over there unless told, and never what is on the disk") {
  const std::vector<BackupSet> all{set_of_day(1), set_of_day(2), set_of_day(3), set_of_day(4)};
  const auto remote = remote_of(all);
  CHECK(to_remove(remote, {}, 0).empty());
  CHECK(to_remove(remote, {}, 4).empty());
  CHECK(to_remove(remote, {}, 2) == std::vector{run_id_of_day(1), run_id_of_day(2)});
  CHECK(to_remove(remote, {set_of_day(1)}, 2) == std::vector{run_id_of_day(2)});
}

TEST_CASE("a set goes manifest first, and nothing foreign goes with it") {
  auto remote = remote_of({set_of_day(1)});
  remote.push_back({"notes-" + run_id_of_day(1) + ".txt", 1});
  const auto names = removal_order(remote, run_id_of_day(1));
  REQUIRE(names.size() == 5);
  CHECK(names.front() == "manifest-" + run_id_of_day(1) + ".json");
}
