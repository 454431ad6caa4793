#include "terminal/format.hpp"

#include <doctest/doctest.h>

using namespace rb;
using std::chrono::seconds;

TEST_CASE("parse_duration adds up units, and takes a bare number as seconds") {
  CHECK(parse_duration("90").value() == seconds(90));
  CHECK(parse_duration("90s").value() == seconds(90));
  CHECK(parse_duration("1h30m").value() == seconds(5400));
  CHECK(parse_duration("2d").value() == seconds(172800));
  CHECK(parse_duration("0").value() == seconds(0));
}

TEST_CASE("parse_duration refuses what is none") {
  for (const char* text :
       {"", "s", "-5s", "5x", "1h-3m", "1.5h", " 5s", "99999999999999999999", "9000000h"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("format_size never prints 1024 of a unit") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1.0 KiB");
  CHECK(format_size(1024 * 1024 - 1) == "1.0 MiB");
  CHECK(format_size(12'897'485) == "12.3 MiB");
  CHECK(format_size(UINT64_MAX) == "16384.0 PiB");
}

TEST_CASE("format_elapsed and format_age are as short as they can be") {
  CHECK(format_elapsed(seconds(7)) == "0:07");
  CHECK(format_elapsed(seconds(723)) == "12:03");
  CHECK(format_elapsed(seconds(3723)) == "1:02:03");
  CHECK(format_age(seconds(119)) == "119s");
  CHECK(format_age(seconds(120)) == "2m");
  CHECK(format_age(seconds(7200)) == "2h");
  CHECK(format_age(seconds(86400 * 3)) == "3d");
  CHECK(format_age(seconds(-5)) == "in 5s");
}

TEST_CASE("format_size at the ends of its range") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1.0 KiB");
  CHECK(format_size(1024 * 1024 - 1) == "1.0 MiB");
  CHECK(format_size(std::uint64_t{5} << 30U) == "5.0 GiB");
  CHECK(format_size(~std::uint64_t{0}) == "16384.0 PiB");
}

TEST_CASE("format_age changes its unit late, and says what lies ahead") {
  CHECK(format_age(seconds(0)) == "0s");
  CHECK(format_age(seconds(119)) == "119s");
  CHECK(format_age(seconds(120)) == "2m");
  CHECK(format_age(seconds(7200)) == "2h");
  CHECK(format_age(seconds(48 * 3600)) == "2d");
  CHECK(format_age(seconds(-180)) == "in 3m");
}

TEST_CASE("text_table aligns columns and leaves no space at the end of a line") {
  CHECK(text_table({{"A", "LONG", "C"}, {"abc", "x", ""}}) == "A    LONG  C\nabc  x\n");
  CHECK(text_table({{"a"}, {"bb", "c"}}) == "a\nbb  c\n");
  CHECK(text_table({}).empty());
}
