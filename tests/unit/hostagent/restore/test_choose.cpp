// Which set `restore` takes when none is named.
#include "restore/restore_cluster.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::restore;
using artifact::BackupSet;
using artifact::SetState;
using test::run_id_of_day;

namespace {

BackupSet set_of_day(int day, SetState state, std::optional<api::Reason> proof = {}) {
  BackupSet set;
  set.run_id = run_id_of_day(day);
  set.time = parse_run_id(set.run_id).value();
  set.state = state;
  set.manifest = test::make_manifest(set.run_id, state == SetState::complete);
  if (proof) {
    set.manifest->proof.emplace();
    set.manifest->proof->reason = *proof;
  }
  return set;
}

/// "" for none.
std::string chosen(const std::vector<BackupSet>& newest_first, const std::string& name = "latest") {
  const BackupSet* const set = choose_to_restore(newest_first, name);
  return set == nullptr ? "" : set->run_id;
}

} // namespace

TEST_CASE("the newest complete set, whatever was not asked for or could not be proven") {
  CHECK(chosen({set_of_day(2, SetState::incomplete), set_of_day(1, SetState::complete)}) ==
        run_id_of_day(1));
  for (const api::Reason reason : {api::Reason::completed, api::Reason::proof_unavailable}) {
    CHECK(chosen({set_of_day(2, SetState::complete, reason), set_of_day(1, SetState::complete)}) ==
          run_id_of_day(2));
  }
}

TEST_CASE("a set from which no server came up is passed over, but taken when it is named") {
  const std::vector<BackupSet> sets{
      set_of_day(3, SetState::complete, api::Reason::proof_failed),
      set_of_day(2, SetState::complete),
  };
  CHECK(chosen(sets) == run_id_of_day(2));
  CHECK(chosen(sets, run_id_of_day(3)) == run_id_of_day(3));
}

TEST_CASE("where nothing better is there, it is taken all the same") {
  CHECK(chosen({set_of_day(2, SetState::incomplete),
                set_of_day(1, SetState::complete, api::Reason::proof_failed)}) == run_id_of_day(1));
  CHECK(chosen({set_of_day(2, SetState::incomplete)}) == run_id_of_day(2));
  CHECK(chosen({}).empty());
}
