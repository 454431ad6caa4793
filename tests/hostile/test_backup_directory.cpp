// Who can write to the backup directory or to its copy, and no more: what they change must show, in
// every command, and nothing of theirs may pass for the host's.
#include "backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using test::BackupFixture;
using test::Outcome;
using test::run_id_of_day;

namespace {

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

struct Attacker : BackupFixture {
  const std::string run_id = run_id_of_day(1);

  /// The same artifacts below a manifest that does not claim to be signed.
  void strip(const std::string& id) {
    auto manifest = artifact::parse_manifest(test::read_file(manifest_file(id))).value();
    manifest.signed_by.clear();
    test::write_file(manifest_file(id), artifact::serialize(manifest));
    std::filesystem::remove(manifest_file(id) + ".minisig");
  }
  void pin() {
    test::write_file(keys(),
                     "# railiance-backup public key: " + signing_key().public_key().line() + "\n" +
                         test::read_file(keys()));
  }
  Outcome restore(std::vector<std::string> more = {}) {
    std::vector<std::string> args{
        "restore", "--artifact", "kubeconfig", "--to", file("out"), "--force", "-i", keys()};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
  std::string drill_result() {
    return test::read_file(backups() + "/.last-drill").find("\"Passed\"") != std::string::npos
               ? "Passed"
               : "not passed";
  }
};

} // namespace

TEST_CASE_FIXTURE(Attacker, "all signatures stripped: with a key known from outside, that is 6") {
  add_set(run_id);
  add_set(run_id_of_day(2));
  strip(run_id);
  strip(run_id_of_day(2));
  std::vector<std::string> said;
  SUBCASE("from the keys file") {
    host_public_key.clear();
    pin();
    default_identity_file = keys();
  }
  SUBCASE("from the command line") {
    host_public_key.clear();
    said = {"--public-key", signing_key().public_key().line()};
  }
  SUBCASE("from the host") {}
  const auto with = [&](std::vector<std::string> args) {
    args.insert(args.end(), said.begin(), said.end());
    return args;
  };

  const auto verified = run(with({"verify", "--all", "-i", keys()}));
  CHECK(verified.code == 6);
  CHECK(has(verified.out, "signature: not signed\n"));
  CHECK(has(verified.out, "though the host's key is known"));
  CHECK(run(with({"drill", "-i", keys()})).code == 6);
  CHECK(drill_result() == "not passed");
  const auto refused = restore(said);
  CHECK(refused.code == 6);
  CHECK(has(refused.err, "--allow-unsigned"));
  CHECK(has(run(with({"list"})).out, "not signed"));

  CHECK(run(with({"verify", "--all", "--allow-unsigned", "-i", keys()})).code == 0);
  CHECK(run(with({"drill", "--allow-unsigned", "-i", keys()})).code == 0);
  CHECK(drill_result() == "Passed");
  said.emplace_back("--allow-unsigned");
  CHECK(restore(said).code == 0);
}

TEST_CASE_FIXTURE(Attacker, "--allow-unsigned of verify and drill takes nothing that was changed") {
  add_set(run_id);
  auto manifest = artifact::parse_manifest(test::read_file(manifest_file(run_id))).value();
  manifest.node_name = "another";
  test::write_file(manifest_file(run_id), artifact::serialize(manifest));
  CHECK(run({"verify", "--allow-unsigned"}).code == 6);
  CHECK(run({"drill", "--allow-unsigned", "-i", keys()}).code == 6);
}
