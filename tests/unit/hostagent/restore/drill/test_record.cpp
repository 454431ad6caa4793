#include "restore/proof/drill.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include "base/json_fields.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

using namespace rb;
using namespace rb::proof;

namespace {

Record failed_record() {
  Record record;
  record.run_id = test::run_id_of_day(1);
  record.time = parse_run_id("20260110T030000Z").value();
  record.duration = std::chrono::milliseconds(1234);
  record.code = ExitCode::damaged;
  record.message = "etcd: \"broken\"\nline";
  record.files.push_back({api::ArtifactType::kubeconfig, "k", ExitCode::damaged, "m"});
  return record;
}

} // namespace

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

  Record booted = failed_record();
  booted.boot = BootRecord{ExitCode::done, {}, std::chrono::milliseconds(11'000), 5000, 430};
  const auto boot = json_of(serialize(booted)).at("boot");
  CHECK(boot.at("result") == "Passed");
  CHECK(boot.at("objects") == 5000);
  CHECK(boot.at("durationMilliseconds") == 11'000);
}

TEST_CASE("store replaces .last-drill, 0600, and adds one line to backup.log") {
  const test::TemporaryDirectory temporary;
  auto directory = set::Directory::open(temporary.file("b")).value();
  test::write_file(temporary.file("b/.last-drill.part"), "of a drill that was cut off");
  REQUIRE(store(directory, failed_record()));
  Record good;
  good.run_id = test::run_id_of_day(1);
  good.time = failed_record().time;
  good.etcd_revision = 402;
  good.etcd_total_keys = 301;
  REQUIRE(store(directory, good));
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
  REQUIRE(set::sweep_leftovers(directory));
  CHECK(test::read_file(temporary.file("b/.last-drill")) == serialize(good));
}
