// Holds: "latest" off-site is the newest set that is good, and what is passed over is said.
#include "offsite/latest.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace rb;
using namespace rb::offsite;
using rb::artifact::BackupSet;
using rb::artifact::SetState;
using rb::test::run_id_of_day;

namespace {

BackupSet set_of_day(int day, SetState state = SetState::complete) {
  BackupSet set;
  set.run_id = run_id_of_day(day);
  set.state = state;
  set.manifest = test::make_manifest(set.run_id);
  return set;
}

BackupSet with_proof(int day, api::Reason reason, const std::string& message = {}) {
  BackupSet set = set_of_day(day);
  set.manifest->proof = artifact::ProofRecord{};
  set.manifest->proof->reason = reason;
  set.manifest->proof->message = message;
  return set;
}

} // namespace

TEST_CASE("the newest good set is taken; newer ones that are not good are named") {
  const std::vector<BackupSet> sets{
      set_of_day(9, SetState::incomplete),
      with_proof(8, api::Reason::proof_failed, "the scratch server differs"),
      with_proof(7, api::Reason::proof_unavailable),
      with_proof(6, api::Reason::completed),
      set_of_day(5)};
  const Latest latest = choose_latest(sets);
  REQUIRE(latest.set != nullptr);
  CHECK(latest.set->run_id == run_id_of_day(6));
  REQUIRE(latest.passed_over.size() == 2);
  CHECK(latest.passed_over[0].run_id == run_id_of_day(8));
  CHECK(latest.passed_over[0].why == "its proof failed: the scratch server differs");
  CHECK(latest.passed_over[1].why == "it was not proven");
}

TEST_CASE("where none is good, one that was not proven goes before one that failed") {
  const std::vector<BackupSet> sets{with_proof(3, api::Reason::proof_failed),
                                    with_proof(2, api::Reason::proof_unavailable),
                                    with_proof(1, api::Reason::proof_failed)};
  CHECK(choose_latest(sets).set->run_id == run_id_of_day(2));
  CHECK(choose_latest({sets[0], sets[2]}).set->run_id == run_id_of_day(3));
}

TEST_CASE("where none is complete there is no latest") {
  CHECK(choose_latest({set_of_day(1, SetState::damaged)}).set == nullptr);
  CHECK(choose_latest({}).set == nullptr);
}
