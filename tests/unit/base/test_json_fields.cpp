// One list of fields reads and writes a type; what is no JSON, and no integer that fits.
#include "base/json_fields.hpp"

#include <doctest/doctest.h>

#include <array>

namespace rb::test {

namespace {

enum class Colour { red, green };

std::span<const Word<Colour>> words_of(Colour /*table*/) {
  static constexpr std::array<Word<Colour>, 2> k_words{
      {{Colour::red, "Red"}, {Colour::green, "Green"}}};
  return k_words;
}

struct Part {
  Colour colour = Colour::red;
  std::uint64_t size_bytes = 0;
};

void fields(JsonFields& json, Part& part) {
  json.required("colour", part.colour);
  json.always("sizeBytes", part.size_bytes);
}

struct Thing {
  std::string name;
  std::int32_t count = 3;
  bool good = false;
  Colour colour = Colour::red;
  std::string note;
  SystemTime made{};
  std::optional<SystemTime> seen;
  std::optional<Part> best;
  std::vector<Part> parts;
  std::set<std::string> tags;
  std::map<std::string, std::uint64_t> objects;
  std::optional<std::int32_t> keep_last;
  std::vector<Colour> colours;
  std::vector<std::string> unknown;
  std::vector<SystemTime> starts;
};

void fields(JsonFields& json, Thing& thing) {
  json.required("name", thing.name);
  json.always("count", thing.count);
  json.optional("good", thing.good);
  json.optional("colour", thing.colour, Colour::green);
  json.optional("note", thing.note);
  json.optional("made", thing.made);
  json.optional("seen", thing.seen);
  json.optional("best", thing.best);
  json.always("parts", thing.parts);
  json.optional("tags", thing.tags);
  json.optional("objects", thing.objects);
  json.object("retention", [&](JsonFields& inner) { inner.optional("keepLast", thing.keep_last); });
  json.words("colours", thing.colours, thing.unknown);
  json.readable("starts", thing.starts);
  if (json.reading() && thing.count < 0) {
    json.fail({ErrorCode::corrupt, "a count below zero", {}});
  }
}

SystemTime at(std::int64_t seconds) {
  return SystemTime(std::chrono::seconds(seconds));
}

/// The error of reading `text`, or "" where it is read.
std::string refusal_of(const char* text) {
  const auto read = from_json_fields<Thing>(nlohmann::json::parse(text));
  return read ? std::string()
              : std::string(to_string(read.error().code)) + ": " + read.error().message;
}

} // namespace

TEST_CASE("a type is written in the order of its fields, without those that say nothing") {
  Thing thing;
  thing.name = "a";
  thing.colour = Colour::green;
  CHECK(to_json_fields(thing).dump() ==
        R"({"name":"a","count":3,"parts":[],"colours":[],"starts":[]})");
}

TEST_CASE("what was written is read as it was") {
  Thing thing;
  thing.name = "a";
  thing.count = -0;
  thing.good = true;
  thing.note = "n";
  thing.made = at(1);
  thing.seen = at(2);
  thing.best = Part{Colour::green, std::numeric_limits<std::uint64_t>::max()};
  thing.parts = {{Colour::red, 1}, {Colour::green, 2}};
  thing.tags = {"x", "y"};
  thing.objects = {{"pods", 7}};
  thing.keep_last = 5;
  thing.colours = {Colour::green, Colour::red};
  thing.starts = {at(3)};
  const auto json = to_json_fields(thing);
  CHECK(json["retention"]["keepLast"] == 5);
  CHECK(json["seen"] == "1970-01-01T00:00:02Z");
  const auto read = from_json_fields<Thing>(nlohmann::json(json));
  REQUIRE(read);
  CHECK(to_json_fields(*read).dump() == json.dump());
  CHECK(read->best->size_bytes == std::numeric_limits<std::uint64_t>::max());
  CHECK(read->parts.at(1).colour == Colour::green);
}

TEST_CASE("absent fields, null and unknown keys leave what was there") {
  const auto read = from_json_fields<Thing>(
      nlohmann::json::parse(R"({"name":"a","count":null,"seen":null,"later":{"x":1}})"));
  REQUIRE(read);
  CHECK(read->count == 3);
  CHECK_FALSE(read->seen);
  CHECK_FALSE(read->keep_last);
}

TEST_CASE("words of another release make nothing unreadable") {
  const auto read = from_json_fields<Thing>(nlohmann::json::parse(
      R"({"name":"a","colour":"Blue","colours":["Blue","Green"],
          "parts":[{"colour":"Blue"},{"colour":"Green","sizeBytes":1}],"starts":["x","1970-01-01T00:00:03Z"]})"));
  REQUIRE(read);
  CHECK(read->colour == Colour::red);
  CHECK(read->colours == std::vector{Colour::green});
  CHECK(read->unknown == std::vector<std::string>{"Blue"});
  REQUIRE(read->parts.size() == 1);
  CHECK(read->parts.front().size_bytes == 1);
  CHECK(read->starts == std::vector{at(3)});
}

TEST_CASE("what is wrong is said with the path of the field, and never quoted") {
  CHECK(refusal_of("[]") == "corrupt: not an object");
  CHECK(refusal_of("{}") == "corrupt: name is missing");
  CHECK(refusal_of(R"({"name":null})") == "corrupt: name is missing");
  CHECK(refusal_of(R"({"name":7})") == "corrupt: name: not a text");
  CHECK(refusal_of(R"({"name":"a","count":2147483648})") ==
        "corrupt: count: not an integer that fits");
  CHECK(refusal_of(R"({"name":"a","count":1.5})") == "corrupt: count: not an integer that fits");
  CHECK(refusal_of(R"({"name":"a","good":1})") == "corrupt: good: neither true nor false");
  CHECK(refusal_of(R"({"name":"a","made":"x"})") == "corrupt: made: not a time");
  CHECK(refusal_of(R"({"name":"a","parts":{}})") == "corrupt: parts: not a list");
  CHECK(refusal_of(R"({"name":"a","parts":[{"colour":"Red"},{"colour":"Red","sizeBytes":-1}]})") ==
        "corrupt: parts[1].sizeBytes: not an integer that fits");
  CHECK(refusal_of(R"({"name":"a","best":{}})") == "corrupt: best: colour is missing");
  CHECK(refusal_of(R"({"name":"a","objects":{"pods":"x"}})") ==
        "corrupt: objects.pods: not an integer that fits");
  CHECK(refusal_of(R"({"name":"a","retention":[]})") == "corrupt: retention: not an object");
  CHECK(refusal_of(R"({"name":"a","count":-1})") == "corrupt: a count below zero");
}

// The text, and integers that somebody else wrote.

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

TEST_CASE("an integer that fits is taken, to the ends of its range") {
  CHECK(json_integer<std::int32_t>(nlohmann::json::parse("-2147483648")) == -2147483648);
  CHECK(json_integer<std::int64_t>(nlohmann::json::parse("-9223372036854775808")) ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(json_integer<std::uint64_t>(nlohmann::json::parse("18446744073709551615")) ==
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
    CHECK_THROWS_AS(static_cast<void>(json_integer<std::int32_t>(nlohmann::json::parse(text))),
                    nlohmann::json::exception);
  }
  CHECK_THROWS_AS(static_cast<void>(json_integer<std::uint64_t>(nlohmann::json(-1))),
                  nlohmann::json::exception);
}

TEST_CASE("an absent key has its default; a present one is not passed over") {
  const nlohmann::json object = nlohmann::json::parse(R"({"a": 7, "b": 1e300})");
  CHECK(json_integer_or(object, "a", 1) == 7);
  CHECK(json_integer_or(object, "c", 1) == 1);
  CHECK_THROWS_AS(static_cast<void>(json_integer_or(object, "b", 1)), nlohmann::json::exception);
  CHECK_THROWS_AS(static_cast<void>(json_integer_or(nlohmann::json::array(), "a", 1)),
                  nlohmann::json::exception);
}

} // namespace rb::test
