#include "age/decrypt.hpp"
#include "age/encrypt.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

TEST_CASE("age: what encrypt makes, decrypt gives back") {
  std::vector<Identity> identities;
  identities.push_back(Identity::generate().value());
  const std::vector<Recipient> recipients{identities[0].recipient()};
  for (const std::size_t size :
       {0UL, 1UL, 65535UL, 65536UL, 65537UL, 131072UL, 131073UL, 1500000UL}) {
    CAPTURE(size);
    Bytes plain(size);
    for (std::size_t i = 0; i < size; ++i)
      plain[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
    const auto sealed = encrypt_bytes(plain, recipients);
    if (!sealed)
      MESSAGE(sealed.error().message);
    REQUIRE(sealed);
    const auto opened = decrypt_bytes(*sealed, identities);
    if (!opened)
      MESSAGE(opened.error().message);
    REQUIRE(opened);
    CHECK(Bytes(opened->view().begin(), opened->view().end()) == plain);
  }
}
