// What json_of reads, and what it refuses without throwing.
#include "base/json_fields.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace rb {

TEST_CASE("one JSON value is read") {
  CHECK(json_of(R"({"a":[1,null]})") == nlohmann::json{{"a", {1, nullptr}}});
  CHECK(json_of(" 7\n") == 7);
}

TEST_CASE("what is not one JSON value in UTF-8 is a discarded value") {
  for (const char* text : {"", " ", "{", "{} {}", "[1,]", "nul", "\"\xff\"", "{\"a\":}"}) {
    CAPTURE(text);
    CHECK(json_of(text).is_discarded());
  }
}

} // namespace rb
