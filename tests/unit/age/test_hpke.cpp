#include "unit/age/support.hpp"

#include "age/hpke.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

TEST_CASE("hpke: the key schedule of RFC 9180, appendix A.2.1") {
  constexpr std::uint16_t k_dhkem_x25519 = 0x0020;
  const auto message = hpke::message_key(
      k_dhkem_x25519,
      from_hex("0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7").value(),
      as_text(from_hex("4f6465206f6e2061204772656369616e2055726e").value()));
  REQUIRE(message);
  CHECK(to_hex(message->key.view()) ==
        "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91");
  CHECK(to_hex(message->nonce) == "5c4d98150661b848853b547f");
}

TEST_CASE("hpke: the labels keep suites, labels and sizes apart") {
  const Bytes secret(32, 7);
  const auto expand = [&](std::string_view suite, std::string_view label, std::size_t size) {
    return to_hex(hpke::labeled_expand(as_bytes(suite), secret, label, {}, size).value().view());
  };
  CHECK(expand("KEM", "a", 32) == expand("KEM", "a", 32));
  CHECK(expand("KEM", "a", 32) != expand("HPKE", "a", 32));
  CHECK(expand("KEM", "a", 32) != expand("KEM", "b", 32));
  CHECK(expand("KEM", "a", 32).substr(0, 24) != expand("KEM", "a", 12));
  const auto extract = [&](std::string_view label) {
    return to_hex(hpke::labeled_extract(as_bytes("KEM"), {}, label, secret).value().view());
  };
  CHECK(extract("a") != extract("b"));
}
