#include "unit/age/support.hpp"

#include "age/openssh_key.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace rb;
using namespace rb::age;

namespace {

Error refused(std::string_view pem) {
  const auto identity = SshIdentity::parse(pem);
  REQUIRE_FALSE(identity);
  return identity.error();
}

/// The bytes between the two lines.
Bytes body_of(std::string pem) {
  std::string digits;
  std::istringstream lines(pem);
  for (std::string line; std::getline(lines, line);) {
    digits += line.starts_with("-----") ? "" : line;
  }
  return from_base64(digits).value();
}

std::string pem_of(ByteView body) {
  return std::string(k_openssh_begin) + "\n" + to_base64(body) + "\n" + std::string(k_openssh_end) +
         "\n";
}

} // namespace

TEST_CASE("openssh key: what ssh-keygen writes is read, and what we write is the same key") {
  const std::string pem = test::vector_text("ssh-ed25519");
  const auto identity = SshIdentity::parse(pem);
  REQUIRE(identity);
  const auto again = SshIdentity::parse(identity->text().text());
  REQUIRE(again);
  CHECK(to_hex(again->seed.view()) == to_hex(identity->seed.view()));
  CHECK(again->recipient == identity->recipient);
  REQUIRE(SshIdentity::parse(pem_of(body_of(pem))));
}

TEST_CASE(
    "openssh key: one with a passphrase, and one of another type, is refused with a way out") {
  const Error locked = refused(test::vector_text("ssh-ed25519-passphrase"));
  CHECK(locked.code == ErrorCode::unsupported);
  CHECK(locked.message == "identity: an OpenSSH key with a passphrase is not supported");
  CHECK(locked.hint.find("ssh-keygen -p") != std::string::npos);
  for (const char* other : {"ssh-rsa", "ssh-ecdsa"}) {
    const Error error = refused(test::vector_text(other));
    CHECK(error.code == ErrorCode::unsupported);
    CHECK_FALSE(error.hint.empty());
  }
}

TEST_CASE("openssh key: every byte that is changed or cut off is noticed, or is of the comment") {
  const Bytes good = body_of(test::vector_text("ssh-ed25519"));
  const auto key = SshIdentity::parse(pem_of(good)).value();
  for (std::size_t at = 0; at < good.size(); ++at) {
    CAPTURE(at);
    Bytes bad = good;
    bad[at] ^= 0x04U;
    const auto parsed = SshIdentity::parse(pem_of(bad));
    if (parsed) { // "alice@example" before the padding
      CHECK(at >= good.size() - 8 - 13);
      CHECK(parsed->recipient == key.recipient);
    } else {
      CHECK(parsed.error().code != ErrorCode::internal);
    }
    CHECK_FALSE(SshIdentity::parse(pem_of(test::prefix(good, at))));
  }
}

TEST_CASE("openssh key: what is no such file is malformed, and is not repeated") {
  const std::string good = test::vector_text("ssh-ed25519");
  const std::string begin(k_openssh_begin);
  for (const std::string& text : {std::string(),
                                  begin,
                                  begin + "\n",
                                  begin + "\n" + std::string(k_openssh_end),
                                  good.substr(0, good.size() / 2),
                                  good.substr(1),
                                  begin + "\n!!!!\n" + std::string(k_openssh_end),
                                  pem_of(Bytes(100)),
                                  pem_of(Bytes(20'000)),
                                  begin + " " + good.substr(begin.size())}) {
    const Error error = refused(text);
    CHECK(error.code == ErrorCode::invalid_argument);
    CHECK(error.message == "identity: malformed: not a private key as OpenSSH writes it");
  }
}

TEST_CASE("PKCS #8: the same key as `op read` and `openssl pkey` give it") {
  const auto key = SshIdentity::parse(test::vector_text("ssh-ed25519")).value();
  const auto pem = [](const std::string& hex) {
    return std::string(k_pkcs8_begin) + "\n" + to_base64(from_hex(hex).value()) + "\n" +
           std::string(k_pkcs8_end) + "\n";
  };
  const std::string body = "300506032b657004220420" + to_hex(key.seed.view());
  const std::string of_public = "812100" + to_hex(key.recipient.key);
  for (const std::string& hex : {"302e020100" + body, "3051020101" + body + of_public}) {
    const auto read = SshIdentity::parse(pem(hex));
    REQUIRE(read);
    CHECK(read->recipient == key.recipient);
    CHECK(to_hex(read->seed.view()) == to_hex(key.seed.view()));
    for (std::size_t cut = 2; cut <= hex.size(); cut += 2) {
      CHECK_FALSE(SshIdentity::parse(pem(hex.substr(0, hex.size() - cut))));
    }
  }
  CHECK(refused(pem("302e020100300506032b656e04220420" + to_hex(key.seed.view()))).code ==
        ErrorCode::unsupported); // X25519
}
