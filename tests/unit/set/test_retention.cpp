#include "set/retention.hpp"
#include "support/fault_disk.hpp"
#include "support/immutable.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::set;

namespace {

/// One set a day from day 1 on: 'c' complete, 'i' incomplete, 'd' damaged, 'p' proven; 'u' to be
/// proven, and not; incomplete with a manifest: 'h' lacks the Helm values, 'e' the etcd snapshot.
std::vector<BackupSet> sets_of(std::string_view states) {
  std::vector<BackupSet> sets;
  for (std::size_t i = 0; i < states.size(); ++i) {
    BackupSet set;
    set.run_id = test::run_id_of_day(static_cast<int>(i) + 1);
    set.time = parse_run_id(set.run_id).value();
    const bool incomplete = states[i] == 'i' || states[i] == 'h' || states[i] == 'e';
    set.state = incomplete         ? SetState::incomplete
                : states[i] == 'd' ? SetState::damaged
                                   : SetState::complete;
    if (states[i] == 'h' || states[i] == 'e') {
      set.manifest = test::make_manifest(set.run_id, false);
    }
    if (states[i] == 'e') {
      set.manifest->snapshot.reset();
    }
    if (states[i] == 'p' || states[i] == 'u') {
      set.manifest = test::make_manifest(set.run_id);
      set.manifest->proof = ProofRecord{};
      set.manifest->proof->reason =
          states[i] == 'p' ? api::Reason::completed : api::Reason::proof_failed;
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

SystemTime day(int number) {
  return parse_run_id(test::run_id_of_day(number)).value();
}

/// The days whose sets would go.
std::vector<int> removed(std::string_view states, const RetentionPolicy& policy, int today = 100) {
  std::vector<int> days;
  for (const std::string& run_id :
       select_for_removal(sets_of(states), policy, day(today)).run_ids) {
    days.push_back(
        static_cast<int>((parse_run_id(run_id).value() - day(0)) / std::chrono::days(1)));
  }
  return days;
}

using Days = std::vector<int>;

} // namespace

TEST_CASE("select_for_removal keeps the newest complete sets") {
  CHECK(removed("ccccccccc", {7, "", {}}) == Days{1, 2});
  CHECK(removed("ccccccc", {7, "", {}}).empty());
  CHECK(removed("c", {7, "", {}}).empty());
  CHECK(removed("", {7, "", {}}).empty());
  CHECK(removed("ccc", {1, "", {}}) == Days{1, 2});
}

TEST_CASE("select_for_removal: less than one is taken as one") {
  CHECK(removed("ccc", {0, "", {}}) == Days{1, 2});
  CHECK(removed("ccc", {-5, "", {}}) == Days{1, 2});
}

TEST_CASE("select_for_removal: incomplete sets do not count and go first") {
  CHECK(removed("cicic", {2, "", {}}) == Days{2, 4, 1});
  CHECK(removed("ciiic", {7, "", {}}) == Days{2, 3, 4});
}

TEST_CASE("select_for_removal: an incomplete set newer than every complete one stays") {
  CHECK(removed("ccii", {1, "", {}}) == Days{1});
}

TEST_CASE("select_for_removal: where nothing is complete, nothing goes") {
  CHECK(removed("iidi", {1, "", {}}).empty());
}

TEST_CASE("select_for_removal: where every run is incomplete, a bounded number of sets stays") {
  const RetentionPolicy after_incomplete{3, test::run_id_of_day(8), {}, {}, true};
  CHECK(removed("chhhhhhh", after_incomplete) == Days{2, 3, 4, 5});
  CHECK(removed("hhhhhhhh", after_incomplete) == Days{1, 2, 3, 4, 5});
  // Those without a datastore are bounded for themselves, and push out none that has one.
  CHECK(removed("cheeeeee", after_incomplete) == Days{3, 4, 5});
}

TEST_CASE("select_for_removal: an incomplete run removes no complete set, proven or not") {
  const RetentionPolicy after_incomplete{1, test::run_id_of_day(7), {}, {}, true};
  CHECK(removed("cdcuhch", after_incomplete) == Days{5});
  CHECK(removed("ccccuuh", after_incomplete).empty());
}

TEST_CASE("select_for_removal never takes the newest set from which a cluster can be restored") {
  auto sets = sets_of("hpc");
  for (std::size_t i = 1; i < sets.size(); ++i) { // complete, and asked for a kubeconfig only
    sets[i].manifest = test::make_manifest(sets[i].run_id);
    sets[i].manifest->snapshot.reset();
  }
  CHECK(select_for_removal(sets, {1, "", {}}, day(100)).run_ids ==
        std::vector<std::string>{sets[1].run_id});
}

TEST_CASE("select_for_removal: damaged sets do not count and go when they are old") {
  CHECK(removed("dcdcc", {2, "", {}}) == Days{1, 2, 3});
  CHECK(removed("dcdcc", {3, "", {}}) == Days{1});
  CHECK(removed("dcdcc", {4, "", {}}).empty());
}

TEST_CASE("select_for_removal: sets whose proof failed push no good set out") {
  CHECK(removed("cpcpu", {4, "", {}}).empty());
  CHECK(removed("cpuuuuu", {2, test::run_id_of_day(7), {}}) == Days{3, 4, 5});
  CHECK(removed("cccpu", {2, test::run_id_of_day(5), {}}) == Days{1, 2});
  CHECK(removed("puuuuuuuuuuuuuuuuuuuu", {1, test::run_id_of_day(21), {}}).size() == 19);
}

TEST_CASE(
    "select_for_removal: sets whose proof failed go when they are older than all that stays") {
  CHECK(removed("upupp", {2, "", {}}) == Days{1, 2, 3});
  CHECK(removed("upupp", {3, "", {}}) == Days{1});
}

TEST_CASE("select_for_removal: where no proof succeeded, the newest of the unproven stay") {
  CHECK(removed("uuuuu", {2, "", {}}) == Days{1, 2, 3});
  CHECK(removed("u", {1, "", {}}).empty());
  CHECK(removed("iudu", {1, "", {}}) == Days{2}); // nothing else goes
}

TEST_CASE("select_for_removal never takes the set that the cluster was last restored from") {
  // Restored from day 1, since the newer ones hold the mistake; then the next run ends.
  CHECK(removed("cccccccc", {7, test::run_id_of_day(8), {}, test::run_id_of_day(1)}).empty());
  // It does not count: what retention keeps besides is as much as ever.
  CHECK(removed("cccccccccc", {7, test::run_id_of_day(10), {}, test::run_id_of_day(1)}) ==
        Days{2, 3});
  CHECK(removed("cccc", {1, "", {}, test::run_id_of_day(2)}) == Days{1, 3});
  // An incomplete or damaged one can be restored from, too.
  CHECK(removed("idcc", {1, "", {}, test::run_id_of_day(1)}) == Days{2, 3});
  CHECK(removed("idcc", {1, "", {}, test::run_id_of_day(2)}) == Days{1, 3});
}

TEST_CASE("select_for_removal: sets made after the one restored from keep their rank") {
  // Days 3 to 5 were made before the disaster, day 6 after the restore from day 2.
  CHECK(removed("cccccc", {3, test::run_id_of_day(6), {}, test::run_id_of_day(2)}) == Days{1, 3});
  // A bare machine whose clock is behind them: nothing goes.
  CHECK(removed("cccccc", {1, test::run_id_of_day(2), {}, test::run_id_of_day(2)}, 3).empty());
}

TEST_CASE("select_for_removal never takes the run that has just ended") {
  CHECK(removed("cic", {1, test::run_id_of_day(2), {}}) == Days{1});
  CHECK(removed("ccc", {1, test::run_id_of_day(1), {}}) == Days{2});
}

TEST_CASE("select_for_removal never takes the newest verified set") {
  CHECK(removed("cccc", {1, "", test::run_id_of_day(2)}) == Days{1, 3});
}

TEST_CASE("select_for_removal does nothing when the clock is behind the newest set") {
  const RemovalPlan plan = select_for_removal(sets_of("ccccc"), {1, "", {}}, day(4));
  CHECK(plan.clock_anomaly);
  CHECK(plan.ahead_run_id == test::run_id_of_day(5));
  CHECK(plan.run_ids.empty());
  CHECK(!select_for_removal(sets_of("ccccc"), {1, "", {}}, day(5)).clock_anomaly);
}

TEST_CASE("select_for_removal bears with two machines whose clocks are a little apart") {
  CHECK(!select_for_removal(sets_of("cc"), {1, "", {}}, day(2) - k_clock_tolerance).clock_anomaly);
  CHECK(select_for_removal(
            sets_of("cc"), {1, "", {}}, day(2) - k_clock_tolerance - std::chrono::seconds{1})
            .clock_anomaly);
}

TEST_CASE("remove_set removes the files of one run, and nothing else") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  const std::string gone = test::run_id_of_day(1);
  const std::string kept = test::run_id_of_day(2);
  REQUIRE(test::store_set(directory, test::make_manifest(gone)));
  REQUIRE(test::store_set(directory, test::make_manifest(kept)));
  disk.put("etcd-" + gone + ".snap.age.bak", Bytes{1});
  REQUIRE(remove_set(directory, gone));
  CHECK(disk.contents().size() == 6);
  CHECK(disk.contents().contains("etcd-" + gone + ".snap.age.bak"));
  CHECK(list_sets(directory)->size() == 1);
  // Once more does no harm.
  CHECK(remove_set(directory, gone));
}

TEST_CASE("prune goes on after a set that fails, and tells what is gone and what is left") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  for (int number = 1; number <= 3; ++number) {
    REQUIRE(test::store_set(directory, test::make_manifest(test::run_id_of_day(number))));
  }
  const RemovalPlan plan{{test::run_id_of_day(1), test::run_id_of_day(2)}, false, {}};
  disk.arrange(test::Fault::io_error_once, 3);
  Pruned pruned = prune(directory, plan);
  CHECK(pruned.removed == std::vector<std::string>{test::run_id_of_day(2)});
  REQUIRE(pruned.left.size() == 1);
  CHECK(pruned.left[0].run_id == test::run_id_of_day(1));
  CHECK(pruned.left[0].why.code == ErrorCode::io);
  pruned = prune(directory, plan);
  CHECK(pruned.left.empty());
  CHECK(list_sets(directory)->size() == 1);
}

TEST_CASE("a set with a file that can't be removed is not touched, named, and ends no pruning") {
  const test::TemporaryDirectory temporary;
  Directory directory = Directory::open(temporary.file("backups")).value();
  for (int number = 1; number <= 4; ++number) {
    REQUIRE(test::store_set(directory, test::make_manifest(test::run_id_of_day(number))));
  }
  const std::string name = "etcd-" + test::run_id_of_day(2) + ".snap.age";
  const test::Immutable immutable(directory.path() + "/" + name);
  if (!immutable.holds()) {
    MESSAGE("not run here: the file system of TMPDIR has no immutable files, or we are not root");
    return;
  }
  const RemovalPlan plan{
      {test::run_id_of_day(1), test::run_id_of_day(2), test::run_id_of_day(3)}, false, {}};
  const Pruned pruned = prune(directory, plan);
  CHECK(pruned.removed == std::vector<std::string>{test::run_id_of_day(1), test::run_id_of_day(3)});
  REQUIRE(pruned.left.size() == 1);
  CHECK(pruned.left[0].why.code == ErrorCode::permission_denied);
  CHECK(pruned.left[0].why.message.find(name) != std::string::npos);
  CHECK(pruned.left[0].why.hint.find("chattr -i") != std::string::npos);
  const auto sets = list_sets(directory).value();
  REQUIRE(sets.size() == 2);
  CHECK(sets[1].run_id == test::run_id_of_day(2));
  CHECK(sets[1].state == SetState::complete);
}

TEST_CASE("a removal that was begun and can't be ended keeps no run from its sweep") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  REQUIRE(test::store_set(directory, test::make_manifest(test::run_id_of_day(1))));
  REQUIRE(directory.fs().rename_over("manifest-" + test::run_id_of_day(1) + ".json",
                                     "manifest-" + test::run_id_of_day(1) + ".json.removing"));
  disk.put(".last-backup.part", Bytes{1});
  disk.arrange(test::Fault::io_error_once, 2);
  const auto swept = sweep_leftovers(directory);
  REQUIRE(swept);
  CHECK(*swept == std::vector<std::string>{".last-backup.part"});
  CHECK(sweep_leftovers(directory)->size() == 1);
}
