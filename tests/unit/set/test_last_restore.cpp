#include "set/last_restore.hpp"
#include "set/names.hpp"
#include "support/fault_disk.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::set;

namespace {

const SystemTime k_time = parse_rfc3339("2026-11-23T04:05:06Z").value();

void put(Directory& directory, std::string_view text) {
  auto file = directory.fs().create(std::string(k_last_restore_name)).value();
  REQUIRE(file->write(as_bytes(text)));
  REQUIRE(file->close());
}

} // namespace

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
