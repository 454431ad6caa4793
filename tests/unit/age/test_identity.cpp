#include "unit/age/support.hpp"

#include "age/identity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>

using namespace rb;
using namespace rb::age;

namespace {

const std::string k_key(test::k_identity);

Error error_of(std::string_view text) {
  auto file = parse_identity_file(text);
  REQUIRE_FALSE(file);
  CHECK(file.error().message.find("EGTZ") == std::string::npos);
  return file.error();
}

} // namespace

TEST_CASE("Recipient: text() is what parse() takes") {
  const Recipient recipient = test::one_identity()[0].recipient();
  CHECK(recipient.text().size() == 62);
  const auto again = Recipient::parse(recipient.text());
  REQUIRE(again);
  CHECK(*again == recipient);
}

TEST_CASE("Recipient::parse: other kinds are unsupported, not malformed") {
  for (const char* text :
       {"age1pq1zzz",
        "age1tag1qqq",
        "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ",
        "scrypt"}) {
    CAPTURE(text);
    const auto recipient = Recipient::parse(text);
    REQUIRE_FALSE(recipient);
    CHECK(recipient.error().code == ErrorCode::unsupported);
    CHECK(recipient.error().message.ends_with("is not supported"));
    CHECK_FALSE(recipient.error().hint.empty());
  }
}

TEST_CASE("Recipient::parse: malformed text is an invalid argument") {
  const std::string good = test::one_identity()[0].recipient().text();
  std::string flipped = good;
  flipped[20] = flipped[20] == 'q' ? 'p' : 'q';
  std::string upper = good;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) {
    return static_cast<char>(std::toupper(c));
  });
  for (const std::string& text : {std::string(),
                                  std::string("age1"),
                                  std::string("hello"),
                                  good + " ",
                                  " " + good,
                                  good.substr(0, good.size() - 1),
                                  flipped,
                                  upper,
                                  std::string("age1qqqsyqcyq5rqwzqf9z2nv0")}) {
    CAPTURE(text);
    const auto recipient = Recipient::parse(text);
    REQUIRE_FALSE(recipient);
    CHECK(recipient.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("Recipient::parse: a private key given by mistake is not repeated") {
  const auto recipient = Recipient::parse(test::k_identity);
  REQUIRE_FALSE(recipient);
  CHECK(recipient.error().code == ErrorCode::invalid_argument);
  CHECK(recipient.error().message ==
        "recipient: malformed: a private key was given instead of a public one");
  CHECK(recipient.error().hint.find("EGTZ") == std::string::npos);
}

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

TEST_CASE("parse_identity_file: comments, empty lines, CRLF and several identities") {
  const auto second = Identity::generate().value();
  const std::string text = "# created: 2026-11-22\n# public key: age1...\n" + k_key + "\r\n\n\r\n" +
                           std::string(second.text().text());
  const auto file = parse_identity_file(text);
  REQUIRE(file);
  REQUIRE(file->identities.size() == 2);
  CHECK(file->identities[0].text().text() == k_key);
  CHECK(file->identities[1].recipient() == second.recipient());
  CHECK(file->warnings.empty());
}

TEST_CASE("parse_identity_file: kinds that we cannot use are skipped with a warning") {
  const auto file = parse_identity_file("AGE-SECRET-KEY-PQ-1QQQ\nAGE-PLUGIN-YUBIKEY-1QQQ\n"
                                        "AGE-SOMETHING-NEW-1QQQ\n"
                                        "-----BEGIN OPENSSH PRIVATE KEY-----\n"
                                        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n"
                                        "-----END OPENSSH PRIVATE KEY-----\n" +
                                        k_key + "\n");
  REQUIRE(file);
  CHECK(file->identities.size() == 1);
  CHECK(file->warnings ==
        std::vector<std::string>{"line 1: post-quantum identity skipped: not supported",
                                 "line 2: plugin identity skipped: not supported",
                                 "line 3: identity of an unknown kind skipped: not supported",
                                 "line 4: private key in PEM skipped: not supported"});
}

TEST_CASE("parse_identity_file: a file without an identity is told from one of other kinds") {
  for (const char* text : {"", "\n\n", "# only a comment\n"}) {
    CHECK(error_of(text).code == ErrorCode::not_found);
    CHECK(error_of(text).message == "no identity in it");
  }
  const Error other = error_of("AGE-PLUGIN-YUBIKEY-1QQQ\n");
  CHECK(other.code == ErrorCode::unsupported);
  CHECK(other.message == "no X25519 identity: line 1: plugin identity skipped: not supported");
}

TEST_CASE("parse_identity_file: a malformed line is named by its number, never by its text") {
  CHECK(error_of("# x\n" + k_key.substr(0, 50) + "\n").message ==
        "line 2: identity: malformed: wrong checksum");
  CHECK(error_of(" " + k_key + "\n").code == ErrorCode::invalid_argument);
  CHECK(error_of(k_key + " \n").code == ErrorCode::invalid_argument);
  CHECK(error_of("hello\n").code == ErrorCode::invalid_argument);
  CHECK(error_of(test::one_identity()[0].recipient().text()).message ==
        "line 1: a recipient where an identity (AGE-SECRET-KEY-1...) is expected");
}

TEST_CASE("parse_identity_file: a variable may hold several identities in a line") {
  const auto second = Identity::generate().value();
  const std::string text = "# a comment\n " + k_key + "\t" + std::string(second.text().text()) +
                           " AGE-PLUGIN-YUBIKEY-1QQQ \r\n   \n";
  const auto file = parse_identity_file(text, IdentityLayout::words);
  REQUIRE(file);
  REQUIRE(file->identities.size() == 2);
  CHECK(file->identities[1].recipient() == second.recipient());
  CHECK(file->warnings.size() == 1);
  CHECK_FALSE(parse_identity_file(text, IdentityLayout::lines));
  CHECK_FALSE(parse_identity_file(k_key + " hello", IdentityLayout::words));
}

TEST_CASE("parse_identity_file: an encrypted identity file is unsupported, with a hint") {
  for (const char* text :
       {"age-encryption.org/v1\n-> scrypt a 18\n", "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n"}) {
    const Error error = error_of(text);
    CHECK(error.code == ErrorCode::unsupported);
    CHECK(error.message == "the identity file is itself encrypted");
    CHECK_FALSE(error.hint.empty());
  }
}
