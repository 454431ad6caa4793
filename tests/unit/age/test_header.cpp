#include "age/header.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

namespace {

const std::string k_mac = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

std::string with_stanza(const std::string& stanza) {
  return std::string(k_header_intro) + stanza + "--- " + k_mac + "\n";
}

std::string full_line() {
  return std::string(64, 'A');
}

} // namespace

TEST_CASE("parse_header: takes types, arguments and bodies apart") {
  const std::string text =
      with_stanza("-> X25519 share\nAAEC\n-> other a b c\n" + full_line() + "\n\n");
  const auto header = parse_header(text);
  REQUIRE(header);
  REQUIRE(header->stanzas.size() == 2);
  CHECK(header->stanzas[0] == Stanza{"X25519", {"share"}, {0, 1, 2}});
  CHECK(header->stanzas[1] == Stanza{"other", {"a", "b", "c"}, Bytes(48, 0)});
  CHECK(header->mac[31] == 31);
  CHECK(marshal(*header) == text);
}

TEST_CASE("mac_covered: ends with the three dashes") {
  const std::string text = with_stanza("-> a\n\n");
  CHECK(mac_covered(text) == std::string(k_header_intro) + "-> a\n\n---");
}

TEST_CASE("parse_header: refuses what the format does not allow, and says what") {
  struct Case {
    std::string text;
    std::string_view message;
  };
  const std::string intro(k_header_intro);
  for (const Case& c : {
           Case{"", "not a file of age-encryption.org/v1"},
           Case{"age-encryption.org/v2\n", "not a file of age-encryption.org/v1"},
           Case{"age-encryption.org/v1\r\n", "not a file of age-encryption.org/v1"},
           Case{intro, "malformed first line of a stanza"},
           Case{intro + "--- " + k_mac + "\n", "no stanza"},
           Case{intro + "-> a\n", "cut off"},
           Case{intro + "-> a\n\n", "malformed first line of a stanza"},
           Case{intro + "-> a\n\n--- " + k_mac, "cut off"},
           Case{with_stanza("-> a\n\n") + "x", "data after the mac line"},
           Case{with_stanza("->\n\n"), "a stanza without a type"},
           Case{with_stanza("->a\n\n"), "malformed first line of a stanza"},
           Case{with_stanza("->  a\n\n"), "malformed argument of a stanza"},
           Case{with_stanza("-> a \n\n"), "malformed argument of a stanza"},
           Case{with_stanza("-> a\x7f\n\n"), "malformed argument of a stanza"},
           Case{with_stanza("-> a\r\n\r\n"), "malformed argument of a stanza"},
           Case{with_stanza("-> a\n" + full_line() + "A\n"),
                "a line of a stanza is longer than 64 columns"},
           Case{with_stanza("-> a\nAAEC====\n"), "padded base64"},
           Case{with_stanza("-> a\nAB\n"), "not base64"},
           Case{with_stanza("-> a\nA\n"), "not base64"},
           Case{with_stanza("-> a\nA A\n"), "not base64"},
           Case{intro + "-> a\n\n---" + k_mac + "\n", "malformed mac line"},
           Case{intro + "-> a\n\n---  " + k_mac + "\n", "malformed mac line"},
           Case{intro + "-> a\n\n--- " + k_mac + " \n", "malformed mac line"},
           Case{intro + "-> a\n\n--- " + k_mac.substr(1) + "\n", "malformed mac line"},
           Case{intro + "-> a\n\n--- " + k_mac.substr(1) + "9\n", "not base64"},
       }) {
    CAPTURE(c.text);
    const auto header = parse_header(c.text);
    REQUIRE_FALSE(header);
    CHECK(header.error().code == ErrorCode::corrupt);
    CHECK(header.error().message == c.message);
  }
}

TEST_CASE("parse_header: a body that ends in a full line lacks its last line") {
  CHECK_FALSE(parse_header(with_stanza("-> a\n" + full_line() + "\n")));
  CHECK(parse_header(with_stanza("-> a\n" + full_line() + "\n\n")));
}

TEST_CASE("parse_header: the limits are those of age, and what is at them is taken") {
  const auto stanzas = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text += "-> a\n\n";
    }
    return with_stanza(text);
  };
  CHECK(parse_header(stanzas(k_stanza_limit)));
  CHECK(parse_header(stanzas(k_stanza_limit + 1)).error().message == "more than 1024 stanzas");

  const auto arguments = [](std::size_t count) {
    std::string text = "-> type";
    for (std::size_t i = 0; i < count; ++i) {
      text += " x";
    }
    return with_stanza(text + "\n\n");
  };
  CHECK(parse_header(arguments(k_stanza_argument_limit)));
  CHECK(parse_header(arguments(k_stanza_argument_limit + 1)).error().message ==
        "more than 128 arguments in a stanza");

  const std::string around = with_stanza("-> \n\n");
  const auto of_size = [&](std::size_t size) {
    return with_stanza("-> " + std::string(size - around.size(), 'x') + "\n\n");
  };
  CHECK(parse_header(of_size(k_header_limit_bytes)));
  CHECK(parse_header(of_size(k_header_limit_bytes + 1)).error().message == "larger than 2 MiB");
}
