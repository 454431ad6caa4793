#include "set/directory.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"
#include "set/signed_files.hpp"
#include "set/signed_write.hpp"
#include "sign/signing_key.hpp"
#include "status/disk_facts.hpp"
#include "support/fault_disk.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::status;
using api::ArtifactType;
using api::AttemptResult;
using set::Directory;

namespace {

SystemTime after_day(int day) {
  return parse_run_id(test::run_id_of_day(day)).value() + std::chrono::hours(1);
}

void put(Directory& directory, std::string_view name, const std::string& text) {
  REQUIRE(set::replace_file(directory, std::string(name), as_bytes(text)));
}

api::NodeFacts
facts(Directory& directory, SystemTime now, const std::vector<sign::PublicKey>& keys = {}) {
  const auto view = view_disk(directory, keys);
  REQUIRE(view);
  return facts_of(*view, now);
}

struct Disk {
  test::FaultDisk disk;
  Directory directory{disk.mount(), "/backup"};
  void add(int day, bool complete = true) {
    REQUIRE(test::store_set(directory, test::make_manifest(test::run_id_of_day(day), complete)));
  }
};

} // namespace

TEST_CASE("an empty directory: nothing ever happened") {
  Disk disk;
  const api::NodeFacts found = facts(disk.directory, after_day(1));
  CHECK(found.last_success_time == SystemTime{});
  CHECK(found.last_attempt_result == AttemptResult::none);
  CHECK(found.last_drill_time == SystemTime{});
  CHECK(found.report_time == after_day(1));
  CHECK_FALSE(found.clock_anomaly);
}

TEST_CASE("the newest complete set gives the facts, the older ones the sizes to compare with") {
  Disk disk;
  for (int day = 1; day <= 3; ++day) {
    disk.add(day);
  }
  const api::NodeFacts found = facts(disk.directory, after_day(3));
  CHECK(found.last_success_run_id == test::run_id_of_day(3));
  CHECK(found.complete_sets == 3);
  CHECK(found.etcd_revision == 4711);
  CHECK(found.etcd_keys == 815);
  CHECK(found.recipients == 1);
  CHECK(found.recipient_rule == "creation rule 1 (for every path)");
  const auto& etcd = found.artifacts.at(ArtifactType::datastore);
  CHECK(etcd.size_bytes == test::content_of(ArtifactType::datastore, "20260104T000000Z").size());
  CHECK(etcd.reference_size_bytes == etcd.size_bytes);
  CHECK(found.last_attempt_result == AttemptResult::succeeded);
}

TEST_CASE("the size of a copy of etcd is not compared with those of SQLite, from which it came") {
  Disk disk;
  for (int day = 1; day <= 2; ++day) {
    set::Manifest manifest = test::make_manifest(test::run_id_of_day(day));
    manifest.snapshot->kind = api::DatastoreKind::sqlite;
    for (api::ArtifactStatus& artifact : manifest.artifacts) {
      artifact.file_name = api::file_name(artifact.type, manifest.run_id, manifest.snapshot->kind);
    }
    REQUIRE(test::store_set(disk.directory, manifest));
  }
  disk.add(3);
  const auto after_one = facts(disk.directory, after_day(3)).artifacts;
  CHECK(after_one.at(ArtifactType::datastore).size_bytes != 0);
  CHECK(after_one.at(ArtifactType::datastore).reference_size_bytes == 0);
  CHECK(after_one.at(ArtifactType::helm_values).reference_size_bytes != 0);
  disk.add(4);
  const auto after_two = facts(disk.directory, after_day(4)).artifacts;
  CHECK(after_two.at(ArtifactType::datastore).reference_size_bytes ==
        after_one.at(ArtifactType::datastore).size_bytes);
}

TEST_CASE("of the newest complete set: which k3s it is of, and what came of its proof") {
  Disk disk;
  disk.add(1);
  CHECK(facts(disk.directory, after_day(1)).last_success_k3s_version == "v1.34.4+k3s1");
  CHECK(facts(disk.directory, after_day(1)).last_success_proof.empty()); // nobody asked for one
  const auto proof_of = [&](int day, api::Reason reason) {
    set::Manifest manifest = test::make_manifest(test::run_id_of_day(day));
    manifest.proof = set::ProofRecord{reason, "", 0, 0, 0, 0};
    REQUIRE(test::store_set(disk.directory, manifest));
    return facts(disk.directory, after_day(day)).last_success_proof;
  };
  CHECK(proof_of(2, api::Reason::completed) == api::k_proven);
  CHECK(proof_of(3, api::Reason::proof_failed) == "ProofFailed");
  CHECK(proof_of(4, api::Reason::proof_unavailable) == "ProofUnavailable");
  disk.add(5, false); // not complete: the one before it counts
  CHECK(facts(disk.directory, after_day(5)).last_success_proof == "ProofUnavailable");
}

TEST_CASE("an incomplete set proves its own artifacts, and is the last attempt") {
  Disk disk;
  disk.add(1);
  disk.add(2, false);
  const api::NodeFacts found = facts(disk.directory, after_day(2));
  CHECK(found.last_success_run_id == test::run_id_of_day(1));
  CHECK(found.incomplete_sets == 1);
  CHECK(found.last_attempt_result == AttemptResult::incomplete);
  CHECK(found.artifacts.at(ArtifactType::datastore).last_success_time >
        found.artifacts.at(ArtifactType::helm_values).last_success_time);
}

TEST_CASE("sets for others than .sops.yaml names now are counted, more or fewer") {
  Disk disk;
  disk.add(1);
  disk.add(2);
  const std::string theirs = test::make_manifest("20260101T000000Z").recipients.front();
  const auto old_sets = [&](std::vector<std::string> present) {
    auto view = view_disk(disk.directory, {});
    REQUIRE(view);
    view->present_recipients = std::move(present);
    return facts_of(*view, after_day(2)).old_recipient_sets;
  };
  CHECK(old_sets({theirs}) == 0);
  CHECK(old_sets({"age1other"}) == 2);
  CHECK(old_sets({theirs, "age1other"}) == 2);
  CHECK(old_sets({}) == 0); // not known
  REQUIRE(
      disk.directory.fs().remove(api::file_name(ArtifactType::kubeconfig, test::run_id_of_day(1))));
  CHECK(old_sets({"age1other"}) == 1); // a damaged set is no use to anybody
}

TEST_CASE("a rewrapped set whose old files could not be removed still opens with the old keys") {
  Disk disk;
  disk.add(1);
  disk.add(2);
  const std::string run_id = test::run_id_of_day(1);
  set::Manifest next = test::make_manifest(run_id);
  next.recipients = {"age1fresh"};
  next.rewrap = set::RewrapRecord{1, after_day(2), {std::string(64, 'c')}, false};
  for (api::ArtifactStatus& artifact : next.artifacts) {
    artifact.file_name = set::artifact_name(artifact.type, run_id, 1);
    put(disk.directory,
        artifact.file_name,
        std::string(as_text(test::content_of(artifact.type, run_id))));
  }
  put(disk.directory, next.file_name(), set::serialize(next));
  const auto old_sets = [&] {
    auto view = view_disk(disk.directory, {});
    REQUIRE(view);
    view->present_recipients = {"age1fresh"};
    return facts_of(*view, after_day(3)).old_recipient_sets;
  };
  CHECK(old_sets() == 2); // the other set, and the old files of this one
  REQUIRE(set::remove_generation(disk.directory, {run_id, 0}));
  CHECK(old_sets() == 1);
}

TEST_CASE("a set whose file is gone is damaged and proves nothing") {
  Disk disk;
  disk.add(1);
  REQUIRE(
      disk.directory.fs().remove(api::file_name(ArtifactType::kubeconfig, test::run_id_of_day(1))));
  const api::NodeFacts found = facts(disk.directory, after_day(1));
  CHECK(found.damaged_sets == 1);
  CHECK(found.last_success_run_id.empty());
  CHECK(found.artifacts.empty());
}

TEST_CASE("the log tells of a run that left nothing behind") {
  Disk disk;
  disk.add(1);
  REQUIRE(set::append_log(
      disk.directory, {after_day(2), "backup", "StorageFull", test::run_id_of_day(2), {}, "full"}));
  REQUIRE(set::append_log(disk.directory, {after_day(3), "drill", "Passed", {}, {}, {}}));
  const api::NodeFacts found = facts(disk.directory, after_day(3));
  CHECK(found.last_attempt_result == AttemptResult::failed);
  CHECK(found.last_attempt_reason == "StorageFull");
  CHECK(found.last_attempt_time == after_day(2));
  CHECK(found.last_success_run_id == test::run_id_of_day(1));
}

TEST_CASE("a run that goes on is no attempt yet") {
  Disk disk;
  disk.add(1);
  REQUIRE(set::append_log(disk.directory,
                          {after_day(1), "backup", "Completed", test::run_id_of_day(1), {}, {}}));
  put(disk.directory, api::file_name(ArtifactType::kubeconfig, test::run_id_of_day(2)), "x");
  const api::NodeFacts found = facts(disk.directory, after_day(2));
  CHECK(found.last_attempt_result == AttemptResult::succeeded);
  CHECK(found.last_attempt_time == after_day(1));
}

TEST_CASE("drill, verify and restore leave their marks; a mark that cannot be read is none") {
  Disk disk;
  put(disk.directory,
      set::k_last_drill_name,
      R"({"schema":"railiance.io/last-drill/v1","runID":"20260102T000000Z",
          "time":"2026-01-02T05:30:00Z","result":"Passed","exitCode":0,"message":"",
          "durationMilliseconds":1500,"boot":{"exitCode":0}})");
  put(disk.directory,
      set::k_last_verify_name,
      R"({"schema":"railiance.io/last-verify/v1","time":"2026-01-02T06:00:00Z","result":"Damaged",
          "sets":7,"badSets":1})");
  put(disk.directory,
      set::k_last_restore_name,
      R"({"schema":"railiance.io/last-restore/v1","runID":"20260102T000000Z","time":"2026-01-03T00:00:00Z"})");
  api::NodeFacts found = facts(disk.directory, after_day(3));
  CHECK(found.last_drill_result == "Passed");
  CHECK(found.last_drill_run_id == "20260102T000000Z");
  CHECK(found.last_drill_seconds == 2);
  CHECK(found.last_drill_booted);
  CHECK(format_rfc3339(found.last_verify_time) == "2026-01-02T06:00:00Z");
  CHECK(found.last_verify_result == "Damaged");
  CHECK(found.last_verify_sets == 7);
  CHECK(found.last_verify_bad_sets == 1);
  CHECK(format_rfc3339(found.last_restore_time) == "2026-01-03T00:00:00Z");

  put(disk.directory, set::k_last_drill_name, "{");
  put(disk.directory, set::k_last_verify_name, "{");
  found = facts(disk.directory, after_day(3));
  CHECK(found.last_drill_time == SystemTime{});
  CHECK(found.last_verify_result.empty());
}

TEST_CASE("a clock behind the newest set is an anomaly, a minute is not") {
  Disk disk;
  disk.add(2);
  const SystemTime set_time = parse_run_id(test::run_id_of_day(2)).value();
  CHECK(facts(disk.directory, set_time - std::chrono::seconds(61)).clock_anomaly);
  CHECK_FALSE(facts(disk.directory, set_time - std::chrono::seconds(60)).clock_anomaly);
}

TEST_CASE("last-drill: what is not one is refused, with what to do") {
  CHECK(set::parse_last_drill("[]").error().code == ErrorCode::corrupt);
  CHECK(set::parse_last_drill("{}").error().hint.find("drill") != std::string::npos);
  CHECK(set::parse_last_drill(R"({"schema":"railiance.io/last-drill/v9"})").error().code ==
        ErrorCode::unsupported);
}

TEST_CASE("a line of backup.log: the message may hold anything") {
  const auto line = set::parse_log_line(
      "2026-11-22T02:00:41Z backup result=Completed run=20261122T020000Z bytes=1 message=\"a "
      "result=Failed drill\"");
  REQUIRE(line);
  CHECK(line->action == "backup");
  CHECK(line->result == "Completed");
  CHECK(line->run_id == "20261122T020000Z");
  for (const char* text : {"",
                           "x",
                           "2026-11-22T02:00:41Z",
                           "2026-11-22T02:00:41Z backup",
                           "yesterday backup result=Completed",
                           "2026-11-22T02:00:41Z backup message=\" result=Completed\""}) {
    CAPTURE(text);
    CHECK_FALSE(set::parse_log_line(text));
  }
}

TEST_CASE("sets and files that the host did not sign are counted, where its key is known") {
  Disk disk;
  disk.add(1); // not signed
  const auto key = sign::SigningKey::generate().value();
  REQUIRE(set::write_signed_file(
      disk.directory, "RESTORE.md", as_bytes("the host's"), sign::SigningKey::generate().value()));
  const api::NodeFacts unknown = facts(disk.directory, after_day(1));
  CHECK(unknown.untrusted_sets == 0);
  CHECK(unknown.untrusted_files == 0);
  const api::NodeFacts known = facts(disk.directory, after_day(1), {key.public_key()});
  CHECK(known.untrusted_sets == 1);
  CHECK(known.untrusted_files == 1);
}

// A server that rejoined on a new machine, by a copy of the sets of the one that was restored.
TEST_CASE("sets of another server count as good once an own set names that server") {
  Disk disk;
  const auto own = sign::SigningKey::generate().value();
  const auto other = sign::SigningKey::generate().value();
  const auto add = [&](int day, const std::string& node, const sign::SigningKey& key) {
    set::Manifest manifest = test::make_manifest(test::run_id_of_day(day));
    manifest.node_name = node;
    manifest.servers = {{"server-1", {}, other.public_key().line()},
                        {"server-2", {}, own.public_key().line()}};
    manifest.signed_by = sign::to_string(key.public_key().id());
    REQUIRE(set::write_signed_manifest(disk.directory, manifest, key));
  };
  add(1, "server-1", other);
  REQUIRE(set::write_signed_file(disk.directory, "RESTORE.md", as_bytes("of server-1"), other));
  CHECK(facts(disk.directory, after_day(1), {own.public_key()}).untrusted_sets == 1);
  add(2, "server-2", own);
  const api::NodeFacts found = facts(disk.directory, after_day(2), {own.public_key()});
  CHECK(found.untrusted_sets == 0);
  CHECK(found.untrusted_files == 0);
  add(3, "server-3", sign::SigningKey::generate().value()); // whom nobody names
  CHECK(facts(disk.directory, after_day(3), {own.public_key()}).untrusted_sets == 1);
}
