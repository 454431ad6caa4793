// Every kind of recipient, by us and by the stock age program, both ways. What needs ML-KEM runs
// where OpenSSL has it, and is said to be left out elsewhere. RB_SEED repeats a draw.
#include "conformance/age_fixture.hpp"
#include "support/random.hpp"
#include "unit/age/support.hpp"

#include "age/file.hpp"
#include "age/kem.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace rb;
using namespace rb::age;
using rb::conformance::AgeFixture;

namespace {

rb::test::Random& generator() {
  static rb::test::Random made = rb::test::Random::seeded();
  return made;
}

std::uint64_t up_to(std::uint64_t limit) {
  return generator().below(limit + 1);
}

SecretBytes random_secret() {
  SecretBytes secret(32);
  REQUIRE(fill_random(secret.span()));
  return secret;
}

enum class Kind { x25519, ssh, hybrid };

Identity new_identity(Kind kind) {
  switch (kind) {
  case Kind::x25519:
    return Identity::generate().value();
  case Kind::ssh:
    return Identity(SshIdentity::from_seed(random_secret()).value());
  case Kind::hybrid:
    break;
  }
  return Identity(HybridIdentity::from_seed(random_secret()).value());
}

std::vector<Kind> kinds() {
  return has_ml_kem() ? std::vector{Kind::x25519, Kind::ssh, Kind::hybrid}
                      : std::vector{Kind::x25519, Kind::ssh};
}

/// Some identities that a file can be for together; the last one is written to own.txt.
std::vector<Identity> some_identities(const AgeFixture& fixture) {
  const auto all = kinds();
  const Kind first = all[up_to(all.size() - 1)];
  std::vector<Identity> identities;
  for (std::uint64_t more = up_to(2);; --more) {
    const Kind kind = first == Kind::hybrid || up_to(1) == 0 ? first
                      : first == Kind::ssh                   ? Kind::x25519
                                                             : Kind::ssh;
    identities.push_back(new_identity(kind));
    if (more == 0) {
      break;
    }
  }
  const SecretBytes text = identities.back().text();
  Bytes file(text.view().begin(), text.view().end());
  file.push_back('\n');
  fixture.write("own.txt", file);
  return identities;
}

Bytes some_bytes() {
  return age::test::pattern(up_to(20) == 0 ? 65530 + up_to(12) : up_to(300),
                            static_cast<std::uint32_t>(generator().next()));
}

void say_what_was_left_out(const char* what) {
  if (!has_ml_kem()) {
    std::printf("NOT RUN: %s: a post-quantum key %s; the suite root runs them\n",
                what,
                needs_ml_kem().c_str());
  }
}

constexpr int k_rounds = 1000;

} // namespace

TEST_CASE("interop: 1,000 files of ours, for all kinds of keys, are opened by stock age") {
  const AgeFixture fixture;
  int hybrid = 0;
  for (int round = 0; round < k_rounds; ++round) {
    CAPTURE(round);
    const auto identities = some_identities(fixture);
    const auto recipients = age::test::recipients_of(identities);
    const Bytes plain = some_bytes();
    const auto sealed = encrypt_bytes(plain, recipients);
    REQUIRE(sealed);
    REQUIRE(sealed->size() == encrypted_size_bytes(plain.size(), recipients));
    REQUIRE(fixture.opened_by_age(*sealed, "own.txt") == plain);
    hybrid += recipients[0].post_quantum() ? 1 : 0;
  }
  std::printf("ours opened by age: %d, of these post-quantum %d\n", k_rounds, hybrid);
  CHECK((hybrid > 0) == has_ml_kem());
  say_what_was_left_out("files for post-quantum keys, opened by age");
}

TEST_CASE("interop: 1,000 files of stock age, for all kinds of keys, are opened by us") {
  const AgeFixture fixture;
  int hybrid = 0;
  for (int round = 0; round < k_rounds; ++round) {
    CAPTURE(round);
    const auto identities = some_identities(fixture);
    std::vector<std::string> options;
    if (up_to(1) == 0) {
      options.push_back("-a");
    }
    for (const Identity& identity : identities) {
      options.insert(options.end(), {"-r", identity.recipient().text()});
    }
    const Bytes plain = some_bytes();
    const Bytes sealed = fixture.sealed_by_age(plain, options);
    const std::size_t one = up_to(identities.size() - 1);
    const auto opened = decrypt_bytes(sealed, std::span(identities).subspan(one, 1));
    REQUIRE(opened);
    REQUIRE(age::test::bytes_of(opened->view()) == plain);
    hybrid += identities[0].recipient().post_quantum() ? 1 : 0;
  }
  std::printf("age's opened by us: %d, of these post-quantum %d\n", k_rounds, hybrid);
  CHECK((hybrid > 0) == has_ml_kem());
  say_what_was_left_out("files of age for post-quantum keys");
}

TEST_CASE("interop: a token opens what is made for its key (age's plugin for tests)") {
  const AgeFixture fixture;
  std::vector<std::string> files{"tag.pub"};
  if (has_ml_kem()) {
    files.emplace_back("tagpq.pub");
  }
  for (const std::string& file : files) {
    CAPTURE(file);
    for (int round = 0; round < 20; ++round) {
      const Recipient recipient = Recipient::parse(age::test::vector_line(file)).value();
      const Bytes plain = some_bytes();
      const auto sealed = encrypt_bytes(plain, std::vector{recipient});
      REQUIRE(sealed);
      REQUIRE(fixture.opened_by_age_with(*sealed, {"-j", "tagtest"}) == plain);
    }
  }
  say_what_was_left_out("files for post-quantum tokens");
}

TEST_CASE("interop: a post-quantum identity is written as age-keygen writes it") {
  if (!has_ml_kem()) {
    say_what_was_left_out("a new post-quantum identity of age-keygen");
    return;
  }
  const AgeFixture fixture;
  REQUIRE(fixture.run("age-keygen", {"-pq", "-o", fixture.path("new.txt")}).exit_status == 0);
  const auto file = parse_identity_file(
      read_text_file(fixture.path("new.txt"), k_identity_file_limit_bytes).value());
  REQUIRE(file);
  const auto printed = fixture.run("age-keygen", {"-y", fixture.path("new.txt")});
  CHECK(printed.out == file->identities[0].recipient().text() + "\n");
}

TEST_CASE("interop: stock age refuses the mixture that we refuse") {
  const AgeFixture fixture;
  fixture.write("plain", as_bytes("x"));
  const auto refused = fixture.run(fixture.age_name(),
                                   {"-r",
                                    fixture.recipient(0),
                                    "-r",
                                    age::test::vector_line("pq.pub"),
                                    "-o",
                                    fixture.path("mixed.age"),
                                    fixture.path("plain")});
  CHECK(refused.exit_status != 0);
  CHECK(refused.err.find("post-quantum") != std::string::npos);
}
