#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

using namespace rb;
using test::BackupFixture;
using test::run_id_of_day;

TEST_CASE_FIXTURE(BackupFixture, "list: one line a set, the newest first") {
  add_set(run_id_of_day(1));
  add_incomplete_set(run_id_of_day(2));
  test::write_file(artifact(api::ArtifactType::kubeconfig, run_id_of_day(3)), "cut off");
  const auto result = run({"list"});
  CHECK(result.code == 0);
  CHECK(result.err == "passing over 20260104T000000Z: its run was cut off\n");
  CHECK(result.out.starts_with("SET               AGE"));
  const std::size_t third = result.out.find("20260104T000000Z  6d   incomplete  7 B");
  const std::size_t second = result.out.find("20260103T000000Z  7d   incomplete");
  const std::size_t first = result.out.find("20260102T000000Z  8d   complete");
  CHECK(third != std::string::npos);
  CHECK(third < second);
  CHECK(second < first);
  CHECK(result.out.find("402       1         -       v1.34.4+k3s1  server-1\n", first) !=
        std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "list: json has all that the manifest says") {
  add_set(run_id_of_day(1));
  const auto json = run_json({"list"});
  CHECK(json.at("directory") == backups());
  const auto& set = json.at("sets").at(0);
  CHECK(set.at("runID") == run_id_of_day(1));
  CHECK(set.at("state") == "complete");
  CHECK(set.at("files").size() == 6);
  CHECK(set.at("manifest").at("snapshot").at("revision") == 402);
}

TEST_CASE_FIXTURE(BackupFixture, "list and show: what came of a proof") {
  for (const auto& [day, reason] : {std::pair{1, api::Reason::completed},
                                    std::pair{2, api::Reason::proof_failed},
                                    std::pair{3, api::Reason::proof_unavailable}}) {
    auto manifest = add_set(run_id_of_day(day));
    manifest.proof = set::ProofRecord{reason, "why not", 4211, 63, 1, 1};
    test::write_file(backups() + "/manifest-" + run_id_of_day(day) + ".json",
                     set::serialize(manifest));
  }
  const std::string table = run({"list"}).out;
  CHECK(table.find("402       1         no      v1.34.4") < table.find("1         FAILED  v1.34"));
  CHECK(table.find("1         FAILED  v1.34") < table.find("1         yes     v1.34"));
  CHECK(run({"show", run_id_of_day(1)}).out.find("served all 4211 objects") != std::string::npos);
  CHECK(run({"show", run_id_of_day(2)}).out.find("no (ProofFailed): why not") != std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "list: without a set the exit code is 4") {
  const auto empty = run({"list"});
  CHECK(empty.code == 4);
  CHECK(empty.out.empty());
  CHECK(empty.err.starts_with("railiance-restore: " + backups() + ": no backup set\nhint: "));
  CHECK(empty.err.find("`railiance-backup create --wait`") != std::string::npos);
  const auto missing = run({"list", "--backup-dir", file("nowhere")});
  CHECK(missing.code == 4);
  CHECK(missing.err.find("hint: where are the backups?") != std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "show: what a set holds, and what is missing and why") {
  add_incomplete_set(run_id_of_day(1));
  for (const std::string& name : {std::string("latest"), run_id_of_day(1)}) {
    const auto result = run({"show", name});
    CHECK(result.code == 0);
    CHECK(result.out.find("State:          incomplete\n") != std::string::npos);
    CHECK(result.out.find("Recipient:      age1") != std::string::npos);
    CHECK(result.out.find("  - HelmValues is missing: HelmFailed: the releases could not be "
                          "listed\n") != std::string::npos);
    CHECK(result.out.find("Not in any set:\n  - data of persistent volumes") != std::string::npos);
  }
  CHECK(run_json({"show", "latest"}).at("state") == "incomplete");
}

TEST_CASE_FIXTURE(BackupFixture, "show: how many objects of each kind, as a runbook sends people") {
  auto manifest = add_set(run_id_of_day(1));
  manifest.snapshot->objects = {{"configmaps", 7}, {"pods", 12}, {"(other)", 7}};
  test::write_file(manifest_file(run_id_of_day(1)), set::serialize(manifest));
  const auto shown = run({"show", "latest"});
  CHECK(shown.out.find("\nOBJECTS  KIND\n12       pods\n7        (other)\n7        configmaps\n") !=
        std::string::npos);
  // A set without a copy of the datastore has none.
  manifest.snapshot.reset();
  test::write_file(manifest_file(run_id_of_day(1)), set::serialize(manifest));
  CHECK(run({"show", run_id_of_day(1)}).out.find("OBJECTS") == std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "show: a set that is not there") {
  add_set(run_id_of_day(1));
  const auto result = run({"show", "20200101T000000Z\x1b[31m"});
  CHECK(result.code == 4);
  CHECK(result.err.find("no backup set 20200101T000000Z?[31m\n") != std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "show: a hostile manifest cannot upset the terminal") {
  auto manifest = add_set(run_id_of_day(1));
  manifest.node_name = "\x1b]0;evil\x07";
  manifest.not_covered = {"\x1b[2J"};
  test::write_file(backups() + "/manifest-" + run_id_of_day(1) + ".json", set::serialize(manifest));
  CHECK(run({"show", "latest"}).out.find('\x1b') == std::string::npos);
  CHECK(run({"list"}).out.find('\x1b') == std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "where the sets of this host are is said, if nobody else did") {
  add_set(run_id_of_day(1));
  default_backup_dir = backups();
  says_default_backup_dir = true;
  CHECK(run({"list"}).err.find("the sets of this host: " + backups() + "\n") == 0);
  CHECK(run({"metrics"}).err.empty()); // cron would mail it
  CHECK(run({"--help"}).err.empty());
  says_default_backup_dir = false;
  CHECK(run({"list"}).err.find("the sets of this host") == std::string::npos);
}
