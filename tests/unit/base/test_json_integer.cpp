// Integers out of JSON that somebody else wrote.
#include "base/json_fields.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace rb;
using nlohmann::json;

TEST_CASE("an integer that fits is taken, to the ends of its range") {
  CHECK(json_integer<std::int32_t>(json::parse("-2147483648")) == -2147483648);
  CHECK(json_integer<std::int64_t>(json::parse("-9223372036854775808")) ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(json_integer<std::uint64_t>(json::parse("18446744073709551615")) ==
        std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("what is no integer, or does not fit, is refused and never bent") {
  for (const char* text : {"2147483648",
                           "99999999999",
                           "-2147483649",
                           "1e300",
                           "1.5",
                           "2.0",
                           "18446744073709551616",
                           "\"1\"",
                           "true",
                           "null",
                           "[]"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(static_cast<void>(json_integer<std::int32_t>(json::parse(text))),
                    json::exception);
  }
  CHECK_THROWS_AS(static_cast<void>(json_integer<std::uint64_t>(json(-1))), json::exception);
}

TEST_CASE("an absent key has its default; a present one is not passed over") {
  const json object = json::parse(R"({"a": 7, "b": 1e300})");
  CHECK(json_integer_or(object, "a", 1) == 7);
  CHECK(json_integer_or(object, "c", 1) == 1);
  CHECK_THROWS_AS(static_cast<void>(json_integer_or(object, "b", 1)), json::exception);
  CHECK_THROWS_AS(static_cast<void>(json_integer_or(json::array(), "a", 1)), json::exception);
}
