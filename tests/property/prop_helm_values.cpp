// Random values come back from our YAML as they were, through yaml-cpp (a YAML 1.2 parser). The
// conformance test does the same with the parsers of others; this one needs nothing but this build.
#include "support/random.hpp"

#include "base/json_fields.hpp"
#include "helm/values_yaml.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <array>
#include <string>

using namespace rb;
using nlohmann::json;

namespace {

constexpr int k_rounds = 4000;

std::string random_text(test::Random& random) {
  static const std::array<std::string, 40> pieces{"a",
                                                  "b c",
                                                  "0",
                                                  "1",
                                                  "-",
                                                  ":",
                                                  ": ",
                                                  " #",
                                                  "#",
                                                  "?",
                                                  "\n",
                                                  "\n\n",
                                                  " ",
                                                  "  ",
                                                  "\t",
                                                  "\r",
                                                  "\"",
                                                  "'",
                                                  "\\",
                                                  "|",
                                                  ">",
                                                  "&",
                                                  "*",
                                                  "!",
                                                  "%",
                                                  "@",
                                                  "{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  ",",
                                                  "y",
                                                  "null",
                                                  "1e3",
                                                  "~",
                                                  "=",
                                                  "\xc2\x85",
                                                  "\xe2\x80\xa8",
                                                  "\xf0\x9f\x98\x80",
                                                  std::string(1, '\x7f')};
  std::string text;
  for (std::size_t count = random.below(6); count > 0; --count) {
    text += pieces[random.below(pieces.size())];
  }
  return random.below(60) == 0 ? text + std::string(300, 'k') : text;
}

json random_number(test::Random& random) {
  switch (random.below(4)) {
  case 0:
    return random.below(1000);
  case 1:
    return static_cast<std::int64_t>(random.next());
  case 2:
    return random.next();
  default:
    return static_cast<double>(static_cast<std::int64_t>(random.next())) * 1e-12;
  }
}

json random_value(test::Random& random, int depth) {
  switch (random.below(depth > 50 ? 4 : 8)) {
  case 0:
    return random.below(2) == 0 ? json(nullptr) : json(random.below(2) == 0);
  case 1:
    return random_number(random);
  case 2:
  case 3:
    return random_text(random);
  case 4:
  case 5: {
    json list = json::array();
    for (std::size_t count = random.below(4); count > 0; --count) {
      list.push_back(random_value(random, depth + 1));
    }
    return list;
  }
  default: {
    json object = json::object();
    for (std::size_t count = random.below(5); count > 0; --count) {
      object[random_text(random)] = random_value(random, depth + 1);
    }
    return object;
  }
  }
}

bool same(const YAML::Node& node, const json& value);

bool same_scalar(const YAML::Node& node, const json& value) {
  const bool quoted = node.Tag() == "!"; // quotes and literal blocks are strings (YAML 1.2.2, 10.3)
  const std::string& text = node.Scalar();
  if (value.is_string()) {
    // A plain scalar of ours is only a string where it begins with a letter or '/'.
    const bool plain_string =
        !quoted && !text.empty() &&
        (std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '/') && text != "null" &&
        text != "true" && text != "false";
    return (quoted || plain_string) && text == value.get<std::string>();
  }
  if (quoted) {
    return false;
  }
  if (value.is_boolean()) {
    return text == (value.get<bool>() ? "true" : "false");
  }
  return value.is_number() && json_of(text) == value;
}

bool same(const YAML::Node& node, const json& value) {
  if (value.is_null()) {
    return node.IsNull();
  }
  if (value.is_array()) {
    if (!node.IsSequence() || node.size() != value.size()) {
      return false;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (!same(node[i], value[i])) {
        return false;
      }
    }
    return true;
  }
  if (value.is_object()) {
    if (!node.IsMap() || node.size() != value.size()) {
      return false;
    }
    for (const auto& member : node) {
      const std::string key = member.first.Scalar();
      if (!same_scalar(member.first, key) || !value.contains(key) ||
          !same(member.second, value[key])) {
        return false;
      }
    }
    return true;
  }
  return node.IsScalar() && same_scalar(node, value);
}

} // namespace

TEST_CASE("values come back as they were") {
  test::Random random = test::Random::seeded();
  for (int round = 0; round < k_rounds; ++round) {
    json config = json::object();
    config[random_text(random)] = random_value(random, 0);
    config[random_text(random)] = random_value(random, 0);
    CAPTURE(random.seed());
    const std::string text = config.dump();
    const auto yaml = helm::values_yaml(text);
    REQUIRE(yaml.has_value());
    const std::string written(yaml->text());
    CAPTURE(text);
    CAPTURE(written);
    REQUIRE(same(YAML::Load(written), config));
    REQUIRE(written == helm::values_yaml(config.dump(1, '\t'))->text());
    REQUIRE(written.back() == '\n');
  }
}
