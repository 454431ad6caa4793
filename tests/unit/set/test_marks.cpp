#include "set/marks.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"
#include "set/signed_write.hpp"
#include "support/fault_disk.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include "base/json_fields.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

using namespace rb;
using namespace rb::set;

namespace {

const SystemTime k_time = parse_rfc3339("2026-11-23T04:05:06Z").value();

void put(Directory& directory, std::string_view text) {
  auto file = directory.fs().create(std::string(k_last_restore_name)).value();
  REQUIRE(file->write(as_bytes(text)));
  REQUIRE(file->close());
}

DrillRecord failed_record() {
  DrillRecord record;
  record.run_id = test::run_id_of_day(1);
  record.time = parse_run_id("20260110T030000Z").value();
  record.duration = std::chrono::milliseconds(1234);
  record.code = ExitCode::damaged;
  record.message = "etcd: \"broken\"\nline";
  record.files.push_back({api::ArtifactType::kubeconfig, "k", ExitCode::damaged, "m"});
  return record;
}

} // namespace

TEST_CASE("stamp: lines that a shell can source") {
  const std::string text = stamp_text(test::make_manifest("20261122T020000Z"));
  CHECK(text.starts_with("run_id=20261122T020000Z\n"
                         "time=2026-11-22T02:00:03Z\n"
                         "etcd_revision=4711\n"
                         "etcd_total_keys=815\n"
                         "size_bytes=2420\n"
                         "file_etcd_snapshot=etcd-20261122T020000Z.snap.age\n"
                         "bytes_etcd_snapshot=640\n"
                         "sha256_etcd_snapshot="));
  // Nothing in it means anything to a shell.
  CHECK(text.find_first_of("'\"$`\\;&|<>() \t") == std::string::npos);
}

TEST_CASE("stamp: what is written is read back") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  CHECK(test::read_stamp(directory).error().code == ErrorCode::not_found);
  const Manifest manifest = test::make_manifest("20261122T020000Z");
  REQUIRE(write_stamp(directory, manifest, sign::SigningKey::generate().value()));
  CHECK(as_text(disk.contents().at(".last-backup")) == stamp_text(manifest));
  CHECK(test::read_stamp(directory)->at("sha256_host_state") == manifest.artifacts.at(3).sha256);
}

TEST_CASE("a record as programs read it") {
  const auto json = json_of(serialize(failed_record()));
  CHECK(json.at("schema") == "railiance.io/last-drill/v1");
  CHECK(json.at("runID") == "20260102T000000Z");
  CHECK(json.at("time") == "2026-01-10T03:00:00Z");
  CHECK(json.at("result") == "Damaged");
  CHECK(json.at("exitCode") == 6);
  CHECK(json.at("durationMilliseconds") == 1234);
  CHECK(json.at("files").at(0).at("type") == "Kubeconfig");
  CHECK(json.at("boot").is_null());

  DrillRecord booted = failed_record();
  booted.boot = DrillBoot{ExitCode::done, {}, std::chrono::milliseconds(11'000), 5000, 430};
  const auto boot = json_of(serialize(booted)).at("boot");
  CHECK(boot.at("result") == "Passed");
  CHECK(boot.at("objects") == 5000);
  CHECK(boot.at("durationMilliseconds") == 11'000);
}

TEST_CASE("store replaces .last-drill, 0600, and adds one line to backup.log") {
  const test::TemporaryDirectory temporary;
  auto directory = Directory::open(temporary.file("b")).value();
  test::write_file(temporary.file("b/.last-drill.part"), "of a drill that was cut off");
  REQUIRE(store_drill(directory, failed_record()));
  DrillRecord good;
  good.run_id = test::run_id_of_day(1);
  good.time = failed_record().time;
  good.etcd_revision = 402;
  good.etcd_total_keys = 301;
  REQUIRE(store_drill(directory, good));
  CHECK(json_of(test::read_file(temporary.file("b/.last-drill"))).at("result") == "Passed");
  struct stat status {};
  REQUIRE(::stat(temporary.file("b/.last-drill").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
  CHECK(test::read_file(temporary.file("b/backup.log")) ==
        "2026-01-10T03:00:00Z drill result=Damaged run=20260102T000000Z code=6 milliseconds=1234 "
        "message=\"etcd: \\\"broken\\\"?line\"\n"
        "2026-01-10T03:00:00Z drill result=Passed run=20260102T000000Z code=0 milliseconds=0 "
        "etcd_revision=402 etcd_total_keys=301\n");
  // The next run of the agent sweeps and prunes: neither touches it.
  REQUIRE(sweep_leftovers(directory));
  CHECK(test::read_file(temporary.file("b/.last-drill")) == serialize(good));
}

TEST_CASE("last verify: what is stored is read back, and is one line in backup.log") {
  const test::TemporaryDirectory temporary;
  auto directory = Directory::open(temporary.file("b")).value();
  CHECK_FALSE(read_last_verify(directory).value().has_value());
  LastVerify bad;
  bad.time = k_time;
  bad.result = result_word(ExitCode::damaged);
  bad.message = "20261122T020000Z: kubeconfig \"x\"\nis gone";
  bad.sets = 7;
  bad.incomplete_sets = 1;
  bad.bad_sets = 2;
  bad.duration_milliseconds = 1234;
  bad.with_key = true;
  REQUIRE(store_verify(directory, bad));
  CHECK(read_last_verify(directory).value() == bad);
  const auto json = json_of(test::read_file(temporary.file("b/.last-verify")));
  CHECK(json.at("schema") == "railiance.io/last-verify/v1");
  CHECK(json.at("time") == "2026-11-23T04:05:06Z");
  CHECK(json.at("badSets") == 2);

  LastVerify good;
  good.time = k_time;
  good.result = result_word(ExitCode::done);
  good.sets = 7;
  REQUIRE(store_verify(directory, good));
  CHECK(read_last_verify(directory).value() == good);
  CHECK(test::read_file(temporary.file("b/backup.log")) ==
        "2026-11-23T04:05:06Z verify result=Damaged sets=7 incomplete=1 bad=2 milliseconds=1234 "
        "message=\"20261122T020000Z: kubeconfig \\\"x\\\"?is gone\"\n"
        "2026-11-23T04:05:06Z verify result=Passed sets=7 incomplete=0 bad=0 milliseconds=0\n");
  // The next run of the agent sweeps: it stays.
  REQUIRE(sweep_leftovers(directory));
  CHECK(read_last_verify(directory).value() == good);
}

TEST_CASE("last verify: what is not one is refused, with what to do") {
  for (const char* const text :
       {"",
        "[]",
        "{}",
        R"({"schema":"railiance.io/last-verify/v1","result":"Passed"})",
        R"({"schema":"railiance.io/last-verify/v1","result":"Passed","time":"now"})",
        R"({"schema":"railiance.io/last-verify/v1","result":"Passed","sets":1e300,)"
        R"("time":"2026-11-23T04:05:06Z"})"}) {
    CAPTURE(text);
    const auto read = parse_last_verify(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::corrupt);
    CHECK(read.error().message.starts_with(".last-verify: "));
    CHECK(read.error().hint.find("verify --all --record") != std::string::npos);
  }
  CHECK(parse_last_verify(R"({"schema":"railiance.io/last-verify/v2"})").error().code ==
        ErrorCode::unsupported);
  CHECK(parse_last_verify(R"({"schema":"railiance.io/last-verify/v1","more":[1],)"
                          R"("result":"Passed","time":"2026-11-23T04:05:06Z"})")
            ->result == "Passed");
}

TEST_CASE("last restore: where nothing was ever restored, there is none") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  const auto none = read_last_restore(directory);
  REQUIRE(none);
  CHECK_FALSE(none->has_value());
}

TEST_CASE("last restore: the newer marker replaces the older one and is read back") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  REQUIRE(write_last_restore(directory, "20261121T020000Z", k_time));
  REQUIRE(write_last_restore(directory, "20261122T020000Z", k_time));
  CHECK(read_last_restore(directory).value().value() == LastRestore{"20261122T020000Z", k_time});
  CHECK(as_text(disk.contents().at(std::string(k_last_restore_name))) ==
        R"({"schema":"railiance.io/last-restore/v1","runID":"20261122T020000Z",)"
        R"("time":"2026-11-23T04:05:06Z"})"
        "\n");
}

TEST_CASE("last restore: what is no run id is not written") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  CHECK(write_last_restore(directory, "yesterday", k_time).error().code ==
        ErrorCode::invalid_argument);
  CHECK(disk.contents().empty());
}

TEST_CASE("last restore: a marker that says nothing is an error, not the absence of one") {
  for (const char* const text :
       {"",
        "[]",
        "{",
        R"({"schema":"railiance.io/last-restore/v1"})",
        R"({"schema":"railiance.io/last-restore/v1","runID":"x","time":"2026-11-23T04:05:06Z"})",
        R"({"schema":"railiance.io/last-restore/v1","runID":"20261122T020000Z","time":7})"}) {
    CAPTURE(text);
    test::FaultDisk disk;
    Directory directory(disk.mount(), "/backup");
    put(directory, text);
    const auto read = read_last_restore(directory);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::corrupt);
    CHECK(read.error().message.starts_with(".last-restore: "));
  }
  CHECK(parse_last_restore(R"({"schema":"railiance.io/last-restore/v2"})").error().code ==
        ErrorCode::unsupported);
}

TEST_CASE("last restore: fields of later versions are skipped") {
  CHECK(parse_last_restore(R"({"schema":"railiance.io/last-restore/v1","more":[1],)"
                           R"("runID":"20261122T020000Z","time":"2026-11-23T04:05:06Z"})")
            ->run_id == "20261122T020000Z");
}
