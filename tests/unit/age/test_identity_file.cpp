#include "unit/age/support.hpp"

#include "age/identity_file.hpp"

#include <doctest/doctest.h>

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

TEST_CASE("read_identity_file: a file that is not there is named") {
  const auto file = read_identity_file("/nonexistent/keys.txt");
  REQUIRE_FALSE(file);
  CHECK(file.error().code == ErrorCode::not_found);
  CHECK(file.error().message.starts_with("/nonexistent/keys.txt: "));
}
