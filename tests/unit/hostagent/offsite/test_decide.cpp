#include "fake_remote.hpp"
#include "offsite/decide.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>

using namespace rb;
using namespace rb::offsite;
using rb::set::BackupSet;
using rb::set::SetState;
using rb::test::run_id_of_day;
using std::chrono::seconds;

namespace {

const SystemTime k_now = parse_run_id("20260201T000000Z").value();
const Schedule k_schedule;

BackupSet set_of_day(int day, SetState state = SetState::complete) {
  BackupSet set;
  set.run_id = run_id_of_day(day);
  set.time = parse_run_id(set.run_id).value();
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
  state.reread_at = k_now;
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

State full() {
  State state;
  state.remote = "nextcloud:backups/cluster";
  state.replicated = {test::run_id_of_day(1), test::run_id_of_day(2)};
  state.kit = {{"RESTORE.md", std::string(64, 'a')}};
  state.tried = test::run_id_of_day(3);
  state.failures = 3;
  state.unfinished = true;
  state.not_before = parse_run_id("20260201T000000Z").value();
  state.compared = parse_run_id("20260131T000000Z").value();
  state.read = {{test::run_id_of_day(1), state.compared}};
  state.reread_at = parse_run_id("20260130T000000Z").value();
  state.damaged = {{test::run_id_of_day(3), "etcd: damaged on this disk"}};
  state.outdated = {test::run_id_of_day(0)};
  state.trouble = Trouble{api::Reason::remote_full, "no \"space\" left"};
  return state;
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

TEST_CASE("what an attempt left undone is due, after the pause of a failure") {
  const std::vector<BackupSet> sets{set_of_day(1)};
  State state = state_with({run_id_of_day(1)});
  state.tried = run_id_of_day(1);
  state.unfinished = true;
  CHECK(is_due(sets, state, k_now, k_schedule));
  state.failures = 1;
  state.not_before = k_now + seconds(30);
  CHECK_FALSE(is_due(sets, state, k_now, k_schedule));
  CHECK(is_due(sets, state, k_now + seconds(30), k_schedule));
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

TEST_CASE("a remote with 100,000 files is looked through in no time") {
  std::vector<RemoteFile> remote;
  for (int day = 10'000; day < 100'000; ++day) { // of other servers
    remote.push_back({"etcd-" + run_id_of_day(day) + ".snap.age", 1});
  }
  std::vector<BackupSet> sets;
  State state = state_with({});
  for (int day = 0; day < 2000; ++day) {
    sets.push_back(set_of_day(day));
    sets.back().generation = day < 200 ? 1 : 0;
    state.replicated.insert(sets.back().version());
  }
  const auto ours = remote_of(sets);
  remote.insert(remote.end(), ours.begin(), ours.end());
  const std::clock_t begin = std::clock();
  CHECK(still_there(state, sets, remote).size() == 2000);
  CHECK(superseded(remote, sets, state).size() >= 200); // of files, those without a generation
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 3.0);
}

TEST_CASE("nothing is removed over there unless told, and never what is on the disk") {
  const std::vector<BackupSet> all{set_of_day(1), set_of_day(2), set_of_day(3), set_of_day(4)};
  CHECK(to_remove(all, {}, 0, "", k_now).empty());
  CHECK(to_remove(all, {}, 4, "", k_now).empty());
  CHECK(to_remove(all, {}, 2, "", k_now) == std::vector{run_id_of_day(1), run_id_of_day(2)});
  CHECK(to_remove(all, {set_of_day(1)}, 2, "", k_now) == std::vector{run_id_of_day(2)});
  CHECK(to_remove(all, {}, 4000000000U, "", k_now).empty());
  // A clock that is behind the sets is not believed.
  CHECK(to_remove(all, {}, 2, "", k_now - std::chrono::days(700)).empty());
  const auto files = remote_of(all);
  CHECK(are_too_many(files, 3));
  CHECK_FALSE(are_too_many(files, 4));
  CHECK_FALSE(are_too_many(files, 0));
}

TEST_CASE("sets whose proof failed never push out a good one over there") {
  std::vector<BackupSet> all;
  for (int day = 6; day >= 1; --day) {
    all.push_back(set_of_day(day));
    if (day >= 4) {
      all.back().manifest->proof = set::ProofRecord{};
    }
  }
  // 6, 5, 4 failed; 3, 2, 1 are good.
  CHECK(to_remove(all, {}, 3, "", k_now).empty());
  CHECK(to_remove(all, {}, 2, "", k_now) == std::vector{run_id_of_day(1), run_id_of_day(4)});
}

TEST_CASE("what has no manifest over there stays: it may be on its way") {
  BackupSet cut_off = set_of_day(1);
  cut_off.state = set::SetState::incomplete;
  cut_off.manifest.reset();
  CHECK(to_remove({set_of_day(3), set_of_day(2), cut_off}, {}, 1, "", k_now) ==
        std::vector{run_id_of_day(2)});
}

TEST_CASE("one set a day is read back, the one that was read the longest ago first") {
  std::vector<BackupSet> sets{set_of_day(3), set_of_day(2), set_of_day(1), set_of_day(4)};
  State state = state_with({run_id_of_day(1), run_id_of_day(2), run_id_of_day(3)});
  state.reread_at = k_now;
  const auto due_at = k_now + k_schedule.reread_every;
  CHECK(to_reread(sets, state, due_at - seconds(1), k_schedule) == nullptr);
  state.read = {{run_id_of_day(1), k_now}, {run_id_of_day(2), k_now - seconds(5)}};
  REQUIRE(to_reread(sets, state, due_at, k_schedule) != nullptr);
  CHECK(to_reread(sets, state, due_at, k_schedule)->run_id == run_id_of_day(3)); // never yet
  state.read[run_id_of_day(3)] = k_now;
  CHECK(to_reread(sets, state, due_at, k_schedule)->run_id == run_id_of_day(2));
  CHECK(to_reread(sets, state_with({}), due_at, k_schedule) == nullptr);
  Schedule never = k_schedule;
  never.reread_every = seconds(0);
  CHECK(to_reread(sets, state, due_at, never) == nullptr);
  // A clock that jumped back does not put it off for ever.
  CHECK(to_reread(sets, state, k_now - seconds(1), k_schedule) != nullptr);
}

TEST_CASE("reading back is due by itself, and is put off by a failure like all else") {
  const std::vector<BackupSet> sets{set_of_day(1)};
  State state = state_with({run_id_of_day(1)});
  state.compared = k_now + k_schedule.reread_every;
  state.tried = run_id_of_day(1);
  const auto due_at = k_now + k_schedule.reread_every;
  CHECK(is_due(sets, state, due_at, k_schedule));
  state.failures = 1;
  state.not_before = due_at + seconds(30);
  CHECK_FALSE(is_due(sets, state, due_at, k_schedule));
}

namespace {

BackupSet set_of_node(int day, const std::string& node) {
  BackupSet set = set_of_day(day);
  set.manifest->node_name = node;
  return set;
}

std::vector<const BackupSet*> pointers_to(const std::vector<BackupSet>& sets) {
  std::vector<const BackupSet*> pointers;
  for (const BackupSet& set : sets) {
    pointers.push_back(&set);
  }
  return pointers;
}

} // namespace

TEST_CASE("what another server's retention would remove again is not worth sending") {
  const std::vector<BackupSet> ours{set_of_node(1, "cp-1"), set_of_node(3, "cp-1")};
  const std::vector<BackupSet> theirs{
      set_of_node(4, "cp-2"), set_of_node(2, "cp-2"), set_of_node(5, "cp-2")};
  const auto waiting = pointers_to(ours);
  CHECK(outdated(waiting, theirs, 3, k_now) == std::set<std::string>{run_id_of_day(1)});
  CHECK(outdated(waiting, theirs, 2, k_now) ==
        std::set<std::string>{run_id_of_day(1), run_id_of_day(3)});
  CHECK(outdated(waiting, theirs, 5, k_now).empty());
  CHECK(outdated(waiting, theirs, 0, k_now).empty()); // nothing is ever removed
  SUBCASE("this server's own sets push out none of its own") {
    const std::vector<BackupSet> own{set_of_node(4, "cp-1"), set_of_node(5, "cp-1")};
    CHECK(outdated(waiting, own, 1, k_now).empty());
  }
  SUBCASE("a run that is over there is mended") {
    auto there = theirs;
    there.push_back(set_of_node(1, "cp-1"));
    CHECK_FALSE(outdated(waiting, there, 3, k_now).contains(run_id_of_day(1)));
  }
  SUBCASE("sets that were asked for something else do not count") {
    auto there = theirs;
    for (BackupSet& set : there) {
      set.manifest->requested = {api::ArtifactType::kubeconfig};
    }
    CHECK(outdated(waiting, there, 2, k_now).empty());
  }
}

TEST_CASE("a set that is not worth sending is not pending, and is looked at again with the rest") {
  const std::vector<BackupSet> sets{set_of_day(1)};
  State state = state_with({});
  state.outdated = {run_id_of_day(1)};
  CHECK(pending(sets, state).empty());
  CHECK_FALSE(is_due(sets, state, k_now + seconds(60), k_schedule));
  CHECK(is_due(sets, state, k_now + k_schedule.compare_every, k_schedule));
}

TEST_CASE("a set goes manifest first, and nothing foreign goes with it") {
  auto remote = remote_of({set_of_day(1)});
  remote.push_back({"notes-" + run_id_of_day(1) + ".txt", 1});
  const auto names = removal_order(remote, run_id_of_day(1));
  REQUIRE(names.size() == 5);
  CHECK(names.front() == "manifest-" + run_id_of_day(1) + ".json");
}

TEST_CASE("the state is read back as it was written, from a file of mode 0600") {
  test::Backups backups;
  REQUIRE(write_state(backups.directory, full()));
  CHECK(read_state(backups.directory, full().remote) == full());
  CHECK(test::mode_of(backups.directory.path() + "/.offsite-state") == "600");
}

TEST_CASE("a state that was written before sets were read back in turn is read") {
  test::Backups backups;
  std::string text = serialize(full());
  const std::size_t from = text.find("  \"read\"");
  const std::size_t to = text.find("  \"trouble\"");
  REQUIRE(from < to);
  text.erase(from, to - from);
  const auto state = parse_state(text);
  REQUIRE(state);
  CHECK(state->replicated == full().replicated);
  CHECK(state->read.empty());
  CHECK(state->reread_at == SystemTime{});
}

TEST_CASE("another remote's state, a damaged one and none are an empty one") {
  test::Backups backups;
  State empty;
  empty.remote = "r:";
  CHECK(read_state(backups.directory, "r:") == empty);
  REQUIRE(write_state(backups.directory, full()));
  CHECK(read_state(backups.directory, "r:") == empty);
  for (const char* const text :
       {"",
        "{",
        "[]",
        "{\"schema\":\"railiance.io/offsite-state/v2\"}",
        "{\"schema\":\"railiance.io/offsite-state/v1\",\"remote\":\"r:\"}"}) {
    CAPTURE(text);
    test::write_file(backups.directory.path() + "/.offsite-state", text);
    CHECK(read_state(backups.directory, "r:") == empty);
  }
}
