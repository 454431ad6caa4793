// Which set a command takes by name, and by "latest".
#include "restore/backups.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::restore;
using set::BackupSet;
using set::SetState;
using test::BackupFixture;
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

BackupSet kubeconfig_only(int day) {
  BackupSet set = set_of_day(day, SetState::complete);
  set.manifest->snapshot.reset();
  std::erase_if(set.manifest->artifacts,
                [](const auto& each) { return each.type != api::ArtifactType::kubeconfig; });
  return set;
}

/// What `create --artifacts Kubeconfig` leaves on the disk.
void add_kubeconfig_only(const BackupFixture& backups, int day) {
  auto manifest = test::make_manifest(run_id_of_day(day));
  manifest.snapshot.reset();
  manifest.helm.reset();
  manifest.requested = {api::ArtifactType::kubeconfig};
  std::erase_if(manifest.artifacts,
                [](const auto& each) { return each.type != api::ArtifactType::kubeconfig; });
  auto directory = set::Directory::open(backups.backups());
  REQUIRE(directory);
  REQUIRE(test::store_set(*directory, manifest));
}

/// "" for none.
std::string chosen(const std::vector<BackupSet>& newest_first, const std::string& name = "latest") {
  const set::Latest found = find_set(newest_first, name);
  return found.set == nullptr ? "" : found.set->run_id;
}

} // namespace

TEST_CASE("latest has a datastore and a token, whatever else could not be stored") {
  CHECK(chosen({kubeconfig_only(2), set_of_day(1, SetState::complete)}) == run_id_of_day(1));
  CHECK(chosen({set_of_day(2, SetState::incomplete), set_of_day(1, SetState::complete)}) ==
        run_id_of_day(2)); // without Helm values
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
  CHECK(chosen(sets, run_id_of_day(4)).empty());
}

TEST_CASE(
    "where nothing better is there, the newest is taken, so that it can be said what it lacks") {
  CHECK(chosen({kubeconfig_only(2), kubeconfig_only(1)}) == run_id_of_day(2));
  CHECK(find_set({kubeconfig_only(2), kubeconfig_only(1)}, "latest").passed_over.empty());
  CHECK(chosen({}).empty());
}

TEST_CASE("of one artifact latest is a set that has it") {
  const std::vector<BackupSet> sets{kubeconfig_only(3), set_of_day(2, SetState::incomplete)};
  CHECK(find_set(sets, "latest", api::ArtifactType::kubeconfig).set == &sets[1]);
  const std::vector<BackupSet> few{set_of_day(3, SetState::damaged), kubeconfig_only(2)};
  CHECK(find_set(few, "latest", api::ArtifactType::helm_values).set == &few[0]);
  CHECK(find_set({few[1]}, "latest", api::ArtifactType::kubeconfig).set->run_id ==
        run_id_of_day(2));
}

TEST_CASE("who looks for damage looks at a newer damaged set first") {
  const std::vector<BackupSet> sets{
      kubeconfig_only(4), set_of_day(3, SetState::damaged), set_of_day(2, SetState::complete)};
  const set::Latest found = find_set_to_check(sets, "latest");
  CHECK(found.set == &sets[1]);
  CHECK(found.passed_over.size() == 1);
  CHECK(find_set_to_check(sets, run_id_of_day(2)).set == &sets[2]);
}

TEST_CASE_FIXTURE(BackupFixture,
                  "after a backup of the kubeconfig alone every command takes the set before") {
  add_set(run_id_of_day(1));
  add_kubeconfig_only(*this, 2);

  const std::string said =
      "passing over " + run_id_of_day(2) + ": it has no copy of the datastore\n";
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"show", "latest"},
                                             {"verify", "latest", "--allow-unsigned"},
                                             {"list"},
                                             {"restore", "-i", keys()}}) {
    CAPTURE(arguments.front());
    CHECK(run(arguments).err.find(said) != std::string::npos);
  }
  CHECK(run_json({"show", "latest"}).at("runID") == run_id_of_day(1));
  const auto list = run_json({"list"});
  CHECK(list.at("latest") == run_id_of_day(1));
  CHECK(list.at("passedOver").at(0).at("runID") == run_id_of_day(2));
  const auto drill = run({"drill", "-i", keys(), "--no-record", "--allow-unsigned"});
  CHECK(drill.err.find(said) != std::string::npos);
  CHECK(drill.err.find(run_id_of_day(1) + ": opening") != std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "a drill where no set has a datastore does not pass") {
  add_kubeconfig_only(*this, 2);
  const auto result = run({"drill", "-i", keys(), "--no-record", "--allow-unsigned"});
  CHECK(result.code == 3);
  CHECK(result.err.find("no cluster can be restored from any set here") != std::string::npos);
  CHECK(result.err.find("`railiance-backup create --wait`") != std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "a set of the future, which stays the newest for years, is said") {
  constexpr const char* k_words = "20360101T000000Z is of the future: the clock here is wrong, or ";
  add_set(run_id_of_day(1));
  CHECK(run({"drill", "-i", keys()}).err.find("of the future") == std::string::npos);
  add_set("20360101T000000Z");
  for (const auto& args :
       {std::vector<std::string>{"list"},
        {"show", "latest"},
        {"verify"},
        {"drill", "-i", keys()},
        {"restore", "--artifact", "kubeconfig", "--to", file("out"), "-i", keys()}}) {
    CAPTURE(args.front());
    CHECK(run(args).err.find(k_words) != std::string::npos);
  }
  CHECK(run({"drill", "-i", keys(), run_id_of_day(1)}).err.find("of the future") ==
        std::string::npos);
}
