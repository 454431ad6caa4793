#include "helm/json_reader.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace rb;
using helm::JsonKind;
using helm::JsonReader;

TEST_CASE("an object is read key by key, and what is not wanted is passed over") {
  JsonReader reader(R"( { "a" : "x\"y" , "b":[1,{"c":"]}"}], "d" : -1.5e3,"e":null } )");
  REQUIRE(reader.open_object());
  std::string_view key;
  REQUIRE(reader.next_key(key));
  CHECK(key == "a");
  CHECK(reader.kind() == JsonKind::string);
  CHECK(reader.string() == R"(x\"y)");
  REQUIRE(reader.next_key(key));
  CHECK(reader.skip() == R"([1,{"c":"]}"}])");
  REQUIRE(reader.next_key(key));
  CHECK(reader.number() == "-1.5e3");
  REQUIRE(reader.next_key(key));
  CHECK(reader.literal() == "null");
  CHECK_FALSE(reader.next_key(key));
  CHECK(reader.finish());
}

TEST_CASE("skipping knows strings with escaped quotes and backslashes at their end") {
  for (const char* text :
       {R"("a\\")", R"("\"")", R"("\\\"\\")", R"("")", R"(["\\","\"]"])", R"({"{":"["})"}) {
    CAPTURE(text);
    JsonReader reader(text);
    CHECK(reader.skip() == text);
    CHECK(reader.finish());
  }
}

TEST_CASE("skipping notices what does not match or does not end") {
  for (const char* text :
       {"", "[", "{", "\"", R"("\")", "[}", "{]", "]", "[[]", "x", "nul", "01", "[1]]"}) {
    CAPTURE(text);
    JsonReader reader(text);
    reader.skip();
    CHECK_FALSE(reader.finish());
    CHECK(reader.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("lists and objects need their commas and colons, and no more") {
  for (const char* text : {"[1,]", "[,1]", "[1 2]", "[1"}) {
    CAPTURE(text);
    JsonReader reader(text);
    reader.open_list();
    while (reader.next_item()) {
      (void)reader.number();
    }
    CHECK_FALSE(reader.finish());
  }
  for (const char* text :
       {"{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{1:2}", "{\"a\""}) {
    CAPTURE(text);
    JsonReader reader(text);
    reader.open_object();
    std::string_view key;
    while (reader.next_key(key)) {
      (void)reader.number();
    }
    CHECK_FALSE(reader.finish());
  }
}

TEST_CASE("numbers follow the grammar") {
  for (const char* text : {"0", "-0", "10", "1.25", "1e5", "1E-5", "1.0e+10"}) {
    CHECK(JsonReader(text).number() == text);
  }
  for (const char* text : {"-", "01", "1.", ".5", "1e", "1e+", "+1", "--1", "1.e5"}) {
    CAPTURE(text);
    JsonReader reader(text);
    (void)reader.number();
    CHECK_FALSE(reader.finish());
  }
}

TEST_CASE("a failure says where, and nothing goes on after it") {
  JsonReader reader("{\"a\":x}");
  std::string_view key;
  REQUIRE(reader.open_object());
  REQUIRE(reader.next_key(key));
  CHECK(reader.kind() == JsonKind::invalid);
  CHECK(reader.error().message == "bad json: a value is expected at byte 5");
  CHECK(reader.skip().empty());
  CHECK_FALSE(reader.next_key(key));
  CHECK_FALSE(reader.finish());
  CHECK(reader.error().message == "bad json: a value is expected at byte 5");
}
