// Holds: the one walk through a snapshot that checks it also tells what a restore decides on.
#include "set/directory.hpp"
#include "set/set_check.hpp"
#include "set/sets.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <stop_token>

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

TEST_CASE_FIXTURE(CheckedFixture, "what cannot be the artifact by its size is not read") {
  auto manifest = add_set(run_id);
  constexpr std::uint64_t k_size = std::uint64_t{1} << 43U;
  const std::string path = artifact(api::ArtifactType::host_state, run_id);
  std::filesystem::resize_file(path, k_size);
  std::string message = "has 8796093022208 bytes, the manifest says ";
  SUBCASE("another size than the manifest says") {}
  SUBCASE("as large as a manifest says, and larger than the disk") {
    if (std::filesystem::space(path).capacity >= k_size) {
      return;
    }
    std::ranges::find(manifest.artifacts, api::ArtifactType::host_state, &api::ArtifactStatus::type)
        ->size_bytes = k_size;
    test::write_file(manifest_file(run_id), set::serialize(manifest));
    message = "has 8796093022208 bytes, more than its disk";
  }
  SUBCASE("without a manifest, and larger than the disk") {
    if (std::filesystem::space(path).capacity >= k_size) {
      return;
    }
    std::filesystem::remove(manifest_file(run_id));
    message = "has 8796093022208 bytes, more than its disk";
  }
  auto directory = set::Directory::open(backups()).value();
  const auto sets = set::list_sets(directory).value();
  for (const std::size_t keys : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(keys);
    std::stop_source stop;
    std::uint64_t most = 0;
    set::CheckHooks hooks;
    hooks.stop = stop.get_token();
    hooks.on_bytes = [&](const std::string&, std::uint64_t done, std::uint64_t /*total*/) {
      most = std::max(most, done);
      if (most > (1U << 24U)) {
        stop.request_stop();
      }
    };
    const auto report = set::check_set(directory, sets.at(0), {&identity(), keys}, hooks);
    CHECK(report.code == ExitCode::damaged);
    CHECK(most < (1U << 24U));
    const auto file =
        std::ranges::find(report.files, api::ArtifactType::host_state, &set::FileReport::type);
    REQUIRE(file != report.files.end());
    CHECK(file->message.starts_with(message));
  }
}

TEST_CASE_FIXTURE(CheckedFixture,
                  "without a key, and of a snapshot that can't be read, nothing is told") {
  add_set(run_id);
  CHECK_FALSE(snapshot_of(check({})).snapshot.has_value());
  test::write_file(artifact(api::ArtifactType::datastore, run_id), "x");
  CHECK_FALSE(snapshot_of(check({&identity(), 1})).snapshot.has_value());
}

TEST_CASE_FIXTURE(CheckedFixture, "without a key the digest tells of each changed bit") {
  add_set(run_id);
  const std::string path = artifact(api::ArtifactType::kubeconfig, run_id);
  const std::string content = test::read_file(path);
  CHECK(check({}).code == ExitCode::done);
  for (std::size_t at = 0; at < content.size(); at += 37) {
    std::string changed = content;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    test::write_file(path, changed);
    const set::SetReport report = check({});
    REQUIRE(report.code == ExitCode::damaged);
    REQUIRE(std::ranges::count(report.files,
                               "its SHA-256 is not that of the manifest",
                               &set::FileReport::message) == 1);
  }
  std::filesystem::remove(path);
  CHECK(check({}).code == ExitCode::damaged);
}
