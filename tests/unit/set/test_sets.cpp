#include "set/retention.hpp"
#include "set/sets.hpp"
#include "support/fault_disk.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::set;
using api::ArtifactType;
using test::FaultDisk;
using test::run_id_of_day;

namespace {

struct Fixture {
  FaultDisk disk;
  Directory directory{disk.mount(), "/backup"};
  std::string run_id = test::run_id_of_day(1);
  Manifest manifest = test::make_manifest(run_id);

  Fixture() { REQUIRE(test::store_set(directory, manifest)); }

  BackupSet only_set() {
    auto sets = list_sets(directory);
    REQUIRE(sets);
    REQUIRE(sets->size() == 1);
    return sets->at(0);
  }
};

BackupSet complete(int day) {
  BackupSet set;
  set.run_id = run_id_of_day(day);
  set.time = parse_run_id(set.run_id).value();
  set.state = SetState::complete;
  set.manifest = test::make_manifest(set.run_id);
  return set;
}

/// Asked for no more than it has: complete all the same.
BackupSet without(ArtifactType type, int day, SetState state = SetState::complete) {
  BackupSet set = complete(day);
  set.state = state;
  set.manifest->complete = state == SetState::complete;
  std::erase_if(set.manifest->artifacts, [&](const auto& each) { return each.type == type; });
  if (type == ArtifactType::datastore) {
    set.manifest->snapshot.reset();
  }
  return set;
}

BackupSet with_proof(int day, api::Reason reason, const std::string& message = {}) {
  BackupSet set = complete(day);
  set.manifest->proof.emplace();
  set.manifest->proof->reason = reason;
  set.manifest->proof->message = message;
  return set;
}

BackupSet cut_off(int day) {
  BackupSet set = complete(day);
  set.state = SetState::incomplete;
  set.manifest.reset();
  return set;
}

BackupSet damaged(int day) {
  BackupSet set = complete(day);
  set.state = SetState::damaged;
  set.problems = {"x.age is gone"};
  return set;
}

std::string chosen(const std::vector<BackupSet>& newest_first,
                   std::optional<ArtifactType> wanted = {}) {
  const Latest latest = choose_latest(newest_first, wanted);
  return latest.set == nullptr ? "" : latest.set->run_id;
}

} // namespace

TEST_CASE_FIXTURE(Fixture, "list_sets: a set with all its files is complete") {
  const BackupSet set = only_set();
  CHECK(set.state == SetState::complete);
  CHECK(set.run_id == run_id);
  CHECK(set.problems.empty());
  CHECK(set.files.size() == 5);
  CHECK(set.manifest == manifest);
}

TEST_CASE_FIXTURE(Fixture, "list_sets: a file that is gone or of another size is damage") {
  const std::string name = manifest.artifacts.at(1).file_name;
  SUBCASE("gone") {
    REQUIRE(directory.fs().remove(name));
    CHECK(only_set().problems == std::vector<std::string>{name + " is gone"});
  }
  SUBCASE("shorter") {
    disk.put(name, Bytes{1});
    CHECK(only_set().problems.at(0).starts_with(name + " has 1 bytes instead of "));
  }
  CHECK(only_set().state == SetState::damaged);
}

TEST_CASE_FIXTURE(Fixture, "list_sets: a bad manifest hides no other set") {
  disk.put("manifest-" + test::run_id_of_day(2) + ".json", Bytes{'{'});
  disk.put("etcd-" + test::run_id_of_day(3) + ".snap.age", Bytes{1});
  disk.put("notes.txt", Bytes{1});
  REQUIRE(test::store_set(directory, test::make_manifest(test::run_id_of_day(4), false)));
  const auto sets = list_sets(directory);
  REQUIRE(sets);
  REQUIRE(sets->size() == 4);
  CHECK(sets->at(0).state == SetState::incomplete);
  CHECK(sets->at(0).problems.at(0) ==
        "HelmValues is missing: HelmFailed: the releases could not be listed");
  CHECK(sets->at(1).state == SetState::incomplete);
  CHECK(sets->at(1).problems.at(0) == "there is no manifest: the run was cut off");
  CHECK(sets->at(2).state == SetState::damaged);
  CHECK(!sets->at(2).manifest);
  CHECK(sets->at(3).state == SetState::complete);
}

TEST_CASE_FIXTURE(
    Fixture,
    "list_sets: a manifest that is there and cannot be looked at is damage, not a run "
    "that was cut off, which the next run would clear away") {
  REQUIRE(test::store_set(directory, test::make_manifest(run_id_of_day(2))));
  // As a listing has a file of which stat(2) failed.
  disk.put(manifest_name(run_id), {});
  const auto sets = list_sets(directory).value();
  CHECK(sets.back().state == SetState::damaged);
  const auto plan = select_for_removal(sets, {}, sets.front().time);
  CHECK(plan.run_ids.empty());
}

TEST_CASE_FIXTURE(Fixture, "list_sets: an empty directory has no sets") {
  FaultDisk empty;
  Directory other(empty.mount(), "/backup");
  const auto sets = list_sets(other);
  REQUIRE(sets);
  CHECK(sets->empty());
}

TEST_CASE_FIXTURE(Fixture, "expected_run_bytes goes by the newest complete set") {
  auto sets = list_sets(directory);
  REQUIRE(sets);
  CHECK(expected_run_bytes(*sets) == 64U << 20U);
  CHECK(expected_run_bytes({}) == 64U << 20U);
  sets->at(0).size_bytes = 1U << 30U;
  CHECK(expected_run_bytes(*sets) == (1U << 30U) + (1U << 28U));
  sets->at(0).state = SetState::incomplete;
  CHECK(expected_run_bytes(*sets) == 64U << 20U);
}

// Holds: "latest" is the newest set from which a cluster can be restored, and what is passed over
// is said with its reason.
TEST_CASE("a set without an etcd snapshot is never latest, however complete it is") {
  CHECK(chosen({without(ArtifactType::datastore, 2), complete(1)}) == run_id_of_day(1));
  CHECK(chosen({without(ArtifactType::datastore, 2)}).empty());
}

TEST_CASE("a set without host state, and so without a token, is never latest") {
  CHECK(chosen({without(ArtifactType::host_state, 2), complete(1)}) == run_id_of_day(1));
}

TEST_CASE("what no restore needs may be missing: the newest datastore is taken") {
  for (const auto type : {ArtifactType::helm_values, ArtifactType::kubeconfig}) {
    CHECK(chosen({without(type, 2, SetState::incomplete), complete(1)}) == run_id_of_day(2));
  }
}

TEST_CASE("of one artifact latest is the newest whole set that has it") {
  const std::vector<BackupSet> sets{
      without(ArtifactType::helm_values, 3, SetState::incomplete), complete(2), complete(1)};
  CHECK(chosen(sets) == run_id_of_day(3));
  CHECK(chosen(sets, ArtifactType::helm_values) == run_id_of_day(2));
  CHECK(choose_latest(sets, ArtifactType::helm_values).passed_over.at(0).why ==
        "it has no HelmValues");
}

TEST_CASE("everything newer is named with the reason why it is passed over") {
  const std::vector<BackupSet> sets{
      cut_off(9),
      damaged(8),
      without(ArtifactType::datastore, 7),
      without(ArtifactType::host_state, 6, SetState::incomplete),
      with_proof(5, api::Reason::proof_failed, "the scratch server differs"),
      with_proof(4, api::Reason::proof_unavailable),
      complete(3)};
  const Latest latest = choose_latest(sets);
  REQUIRE(latest.set == &sets[5]); // nothing speaks against a set that could not be tried
  std::vector<std::string> why;
  for (const PassedOver& each : latest.passed_over) {
    why.push_back(each.why);
  }
  CHECK(why == std::vector<std::string>{"its run was cut off",
                                        "it is damaged: x.age is gone",
                                        "it has no copy of the datastore",
                                        "it has no host state, and with it no server token",
                                        "its proof failed: the scratch server differs"});
  CHECK(latest.passed_over.front().set == &sets[0]);
}

TEST_CASE("where no server came up from any, the newest is taken all the same") {
  CHECK(chosen({with_proof(3, api::Reason::proof_failed),
                with_proof(1, api::Reason::proof_failed)}) == run_id_of_day(3));
}

TEST_CASE("where no cluster can be restored there is no latest, and all is named") {
  const std::vector<BackupSet> sets{damaged(2), cut_off(1)};
  const Latest latest = choose_latest(sets);
  CHECK(latest.set == nullptr);
  CHECK(latest.passed_over.size() == 2);
  CHECK(choose_latest({}).set == nullptr);
}
