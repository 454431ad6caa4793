#include "unit/age/support.hpp"

#include "age/identity.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

TEST_CASE("Identity: text() is what parse() takes") {
  const auto identity = Identity::parse(test::k_identity);
  REQUIRE(identity);
  CHECK(identity->text().text() == test::k_identity);
  CHECK(identity->recipient().text() ==
        "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef");
}

TEST_CASE("Identity::generate: each is another, and each can be parsed") {
  const auto first = Identity::generate();
  const auto second = Identity::generate();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->recipient() != second->recipient());
  const auto again = Identity::parse(first->text().text());
  REQUIRE(again);
  CHECK(again->recipient() == first->recipient());
}

TEST_CASE("Identity::parse: other kinds are unsupported") {
  for (const char* text : {"AGE-SECRET-KEY-PQ-1XXXX", "AGE-PLUGIN-YUBIKEY-1XXXX"}) {
    CAPTURE(text);
    CHECK(Identity::parse(text).error().code == ErrorCode::unsupported);
  }
}

TEST_CASE("Identity::parse: no error repeats any part of the key") {
  const std::string good(test::k_identity);
  std::string lower = good;
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  std::string flipped = good;
  flipped[30] = flipped[30] == 'Q' ? 'P' : 'Q';
  for (const std::string& text :
       {good + " ", " " + good, good.substr(0, 40), flipped, lower, std::string(), good + good}) {
    const auto identity = Identity::parse(text);
    REQUIRE_FALSE(identity);
    CHECK(identity.error().code == ErrorCode::invalid_argument);
    CHECK(identity.error().message.starts_with("identity: malformed: "));
    CHECK(identity.error().message.find("EGTZ") == std::string::npos);
    CHECK(identity.error().message.find("egtz") == std::string::npos);
  }
}
