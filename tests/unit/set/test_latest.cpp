// Holds: "latest" is the newest set from which a cluster can be restored, and what is passed over
// is said with its reason.
#include "set/latest.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::set;
using api::ArtifactType;
using test::run_id_of_day;

namespace {

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
  if (type == ArtifactType::etcd_snapshot) {
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

TEST_CASE("a set without an etcd snapshot is never latest, however complete it is") {
  CHECK(chosen({without(ArtifactType::etcd_snapshot, 2), complete(1)}) == run_id_of_day(1));
  CHECK(chosen({without(ArtifactType::etcd_snapshot, 2)}).empty());
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
      without(ArtifactType::etcd_snapshot, 7),
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
                                        "it has no etcd snapshot",
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
