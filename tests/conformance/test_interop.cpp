// Our files opened by the stock age program and its files by us, at the sizes where chunks begin
// and end. Needs age and age-keygen: RB_AGE names age, else PATH is searched.
#include "conformance/age_fixture.hpp"
#include "support/passphrase_file.hpp"
#include "support/pseudo_terminal.hpp"

#include "age/file.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace rb;
using namespace rb::age;
using Fixture = rb::conformance::AgeFixture;

namespace {

constexpr std::array<std::size_t, 9> k_sizes{
    0, 1, 65535, 65536, 65537, 131072, 131073, 262144, 1000000};

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = static_cast<std::uint32_t>(size) | 1U;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24U);
  }
  return bytes;
}

Bytes bytes_of(const SecretBytes& secret) {
  return {secret.view().begin(), secret.view().end()};
}

} // namespace

TEST_CASE("interop: stock age opens what we make, for one recipient and for several") {
  const Fixture fixture;
  for (const std::size_t size : k_sizes) {
    CAPTURE(size);
    const Bytes plain = pattern(size);
    const std::vector<Recipient> one{fixture.identities()[1].recipient()};
    const std::vector<Recipient> several{fixture.identities()[0].recipient(),
                                         fixture.identities()[1].recipient(),
                                         fixture.identities()[2].recipient()};
    for (const auto& recipients : {one, several}) {
      const auto sealed = encrypt_bytes(plain, recipients);
      REQUIRE(sealed);
      CHECK(sealed->size() == encrypted_size_bytes(size, recipients));
      CHECK(fixture.opened_by_age(*sealed) == plain);
    }
  }
}

TEST_CASE("interop: we open what stock age makes, binary and armored") {
  const Fixture fixture;
  const auto keys = parse_identity_file(
      read_text_file(fixture.path("keys.txt"), k_identity_file_limit_bytes).value());
  REQUIRE(keys);
  for (const std::size_t size : k_sizes) {
    CAPTURE(size);
    const Bytes plain = pattern(size);
    const std::vector<std::string> one{"-r", fixture.recipient(1)};
    const std::vector<std::string> several_armored{
        "-a", "-r", fixture.recipient(0), "-r", fixture.recipient(1), "-r", fixture.recipient(2)};
    for (const auto& options : {one, several_armored}) {
      const Bytes sealed = fixture.sealed_by_age(plain, options);
      const auto opened = decrypt_bytes(sealed, keys->identities);
      REQUIRE(opened);
      CHECK(bytes_of(*opened) == plain);
    }
  }
}

TEST_CASE("interop: stock age refuses our file when it was not made for its identity") {
  const Fixture fixture;
  const std::vector<Recipient> recipients{fixture.identities()[0].recipient()};
  const auto sealed = encrypt_bytes(pattern(100), recipients);
  REQUIRE(sealed);
  fixture.write("sealed.age", *sealed);
  const auto result =
      fixture.run("age", {"-d", "-i", fixture.path("other.txt"), fixture.path("sealed.age")});
  CHECK(result.exit_status == 1);
  CHECK(result.err.find("no identity matched") != std::string::npos);
}

TEST_CASE("interop: identities and recipients are written as age-keygen writes them") {
  const Fixture fixture;
  const auto theirs = fixture.run("age-keygen", {"-y", fixture.path("keys.txt")});
  REQUIRE(theirs.exit_status == 0);
  CHECK(theirs.out == fixture.recipient(1) + "\n");

  REQUIRE(fixture.run("age-keygen", {"-o", fixture.path("new.txt")}).exit_status == 0);
  const auto file = parse_identity_file(
      read_text_file(fixture.path("new.txt"), k_identity_file_limit_bytes).value());
  REQUIRE(file);
  REQUIRE(file->identities.size() == 1);
  const auto printed = fixture.run("age-keygen", {"-y", fixture.path("new.txt")});
  CHECK(printed.out == file->identities[0].recipient().text() + "\n");
}

TEST_CASE("interop: a keys file that stock age protects with a passphrase is opened by it") {
  const Fixture fixture;
  for (const bool armor : {false, true}) {
    const std::string name = armor ? "locked.asc" : "locked.age";
    std::vector<std::string> words{fixture.age_program(), "-p", "-o", fixture.path(name)};
    if (armor) {
      words.insert(words.begin() + 2, "-a");
    }
    words.push_back(fixture.path("keys.txt"));
    const auto session = rb::test::at_terminal(
        [&words] {
          ::execv(words.front().c_str(), pointers_to(words).data());
          return 127;
        },
        {{"assphrase", "correct horse\r"}, {"onfirm", "correct horse\r"}});
    CAPTURE(session.screen);
    REQUIRE(session.status == 0);
    const auto text = read_secret_file(fixture.path(name), k_identity_file_limit_bytes);
    REQUIRE(text);
    CHECK(is_encrypted_identity_file(text->text()));
    const auto opened = decrypt_bytes_with_passphrase(text->view(), []() -> Result<SecretBytes> {
      return SecretBytes(as_bytes("correct horse"));
    });
    REQUIRE(opened);
    const auto keys = parse_identity_file(opened->text());
    REQUIRE(keys);
    CHECK(keys->identities[0].recipient().text() == fixture.recipient(1));
  }
}

TEST_CASE("interop: stock age opens the protected files that our tests are made of") {
  const Fixture fixture;
  fixture.write("ours.age", as_bytes(rb::test::protect("plain", "correct horse")));
  std::vector<std::string> words{
      fixture.age_program(), "-d", "-o", fixture.path("plain.out"), fixture.path("ours.age")};
  const auto session = rb::test::at_terminal(
      [&words] {
        ::execv(words.front().c_str(), pointers_to(words).data());
        return 127;
      },
      {{"assphrase", "correct horse\r"}});
  CAPTURE(session.screen);
  REQUIRE(session.status == 0);
  CHECK(as_text(fixture.read("plain.out")) == "plain");
}
