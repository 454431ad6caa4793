#include "restore/text.hpp"

#include <doctest/doctest.h>

using namespace rb::restore;
using std::chrono::seconds;

TEST_CASE("format_size") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1.0 KiB");
  CHECK(format_size(1024 * 1024 - 1) == "1.0 MiB");
  CHECK(format_size(std::uint64_t{5} << 30U) == "5.0 GiB");
  CHECK(format_size(~std::uint64_t{0}) == "16777216.0 TiB");
}

TEST_CASE("format_age") {
  CHECK(format_age(seconds(0)) == "0s");
  CHECK(format_age(seconds(119)) == "119s");
  CHECK(format_age(seconds(120)) == "2m");
  CHECK(format_age(seconds(7200)) == "2h");
  CHECK(format_age(seconds(48 * 3600)) == "2d");
  CHECK(format_age(seconds(-180)) == "in 3m");
}
