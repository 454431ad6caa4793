#include "set/sets.hpp"
#include "support/fault_disk.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::set;
using test::FaultDisk;

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

TEST_CASE_FIXTURE(Fixture, "list_sets: an empty directory has no sets") {
  FaultDisk empty;
  Directory other(empty.mount(), "/backup");
  const auto sets = list_sets(other);
  REQUIRE(sets);
  CHECK(sets->empty());
}

TEST_CASE_FIXTURE(Fixture, "verify_set tells what is wrong with each file") {
  const auto verdict_of = [&](std::size_t index) {
    const auto checks = verify_set(directory, manifest);
    REQUIRE(checks);
    return checks->at(index).verdict;
  };
  const std::string name = manifest.artifacts.at(0).file_name;
  Bytes content = disk.contents().at(name);
  CHECK(verdict_of(0) == FileVerdict::intact);
  SUBCASE("a flipped bit, anywhere") {
    for (std::size_t at = 0; at < content.size(); at += 13) {
      content[at] ^= 0x10;
      disk.put(name, content);
      REQUIRE(verdict_of(0) == FileVerdict::wrong_digest);
      content[at] ^= 0x10;
    }
  }
  SUBCASE("one byte more") {
    content.push_back(0);
    disk.put(name, content);
    CHECK(verdict_of(0) == FileVerdict::wrong_size);
  }
  SUBCASE("gone") {
    REQUIRE(directory.fs().remove(name));
    CHECK(verdict_of(0) == FileVerdict::missing);
  }
  SUBCASE("unreadable") {
    disk.arrange(test::Fault::io_error_once, 1);
    CHECK(verdict_of(0) == FileVerdict::unreadable);
  }
  CHECK(verdict_of(1) == FileVerdict::intact);
}

TEST_CASE_FIXTURE(Fixture, "verify_set tells how far it is, and stops when it is told to") {
  std::uint64_t seen = 0;
  REQUIRE(verify_set(directory, manifest, {}, [&](std::uint64_t bytes) { seen += bytes; }));
  std::uint64_t expected = 0;
  for (const auto& artifact : manifest.artifacts) {
    expected += artifact.size_bytes;
  }
  CHECK(seen == expected);
  std::stop_source stop;
  stop.request_stop();
  CHECK(verify_set(directory, manifest, stop.get_token()).error().code == ErrorCode::cancelled);
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
