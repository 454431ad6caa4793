#include "base/clock.hpp"

#include <doctest/doctest.h>

using namespace rb;

TEST_CASE("run ids and RFC 3339 times name the same second") {
  const SystemTime time = parse_run_id("20261122T115216Z").value();
  CHECK(format_run_id(time) == "20261122T115216Z");
  CHECK(format_rfc3339(time) == "2026-11-22T11:52:16Z");
  CHECK(parse_rfc3339("2026-11-22T12:52:16+01:00").value() == time);
  CHECK(parse_rfc3339("2026-11-22T11:52:16.987654321Z").value() == time);
}

TEST_CASE("parse_run_id takes nothing but YYYYMMDDTHHMMSSZ") {
  for (const char* text : {"",
                           "20261122T115216",
                           "20261122T115216z",
                           "20260230T000000Z",
                           "20261322T000000Z",
                           "20261122T240000Z",
                           "20261122T115216Z ",
                           "2026-11-22T11:52:16Z",
                           "../../etc/passwd"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_run_id(text));
  }
}

TEST_CASE("parse_rfc3339 rejects what is no time") {
  for (const char* text : {"",
                           "2026-11-22",
                           "2026-11-22T11:52:16",
                           "2026-11-22T11:52:16.Z",
                           "2026-11-22T11:52:16+25:00"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}
