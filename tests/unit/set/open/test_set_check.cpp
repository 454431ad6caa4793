// Holds: the one walk through a snapshot that checks it also tells what a restore decides on.
#include "set/directory.hpp"
#include "set/set_check.hpp"
#include "set/sets.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <span>
#include <stdexcept>

using namespace rb;
using test::BackupFixture;

namespace {

const set::FileReport& snapshot_of(const set::SetReport& report) {
  for (const set::FileReport& file : report.files) {
    if (file.type == api::ArtifactType::datastore) {
      return file;
    }
  }
  throw std::runtime_error("no snapshot");
}

struct CheckedFixture : BackupFixture {
  set::SetReport check(std::span<const age::Identity> identities) {
    auto directory = set::Directory::open(backups()).value();
    const auto sets = set::list_sets(directory).value();
    return set::check_set(directory, sets.at(0), identities);
  }
  const std::string run_id = test::run_id_of_day(1);
};

} // namespace

TEST_CASE_FIXTURE(
    CheckedFixture,
    "a check with a key tells of the snapshot what the manifest can't be trusted with") {
  const set::Manifest manifest = add_set(run_id);
  const set::SetReport report = check({&identity(), 1});
  REQUIRE(report.code == ExitCode::done);
  const auto& facts = snapshot_of(report).snapshot;
  REQUIRE(facts.has_value());
  CHECK(facts->size_bytes == test::plaintext_of(api::ArtifactType::datastore).size());
  CHECK(facts->bootstrap_hashes == std::vector<std::string>{manifest.token_hash});
  CHECK(facts->members.empty()); // the fixture has no bucket of that name
}

TEST_CASE_FIXTURE(CheckedFixture,
                  "without a key, and of a snapshot that can't be read, nothing is told") {
  add_set(run_id);
  CHECK_FALSE(snapshot_of(check({})).snapshot.has_value());
  test::write_file(artifact(api::ArtifactType::datastore, run_id), "x");
  CHECK_FALSE(snapshot_of(check({&identity(), 1})).snapshot.has_value());
}
