#include "unit/age/support.hpp"

#include "age/file.hpp"
#include "age/ssh_key.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

namespace {

std::string line_of(ByteView blob) {
  return "ssh-ed25519 " + to_base64(blob);
}

/// As SSH sends a key: type and bytes, each after their length.
Bytes blob_of(ByteView key) {
  Bytes blob = test::bytes_of(std::string_view("\0\0\0\x0bssh-ed25519\0\0\0 ", 19));
  blob.insert(blob.end(), key.begin(), key.end());
  return blob;
}

Error refused(std::string_view text) {
  const auto recipient = Recipient::parse(text);
  REQUIRE_FALSE(recipient);
  return recipient.error();
}

Identity alice() {
  return Identity(SshIdentity::parse(test::vector_text("ssh-ed25519")).value());
}

Bytes key_of_alice() {
  const auto identity = SshIdentity::parse(test::vector_text("ssh-ed25519")).value();
  return test::bytes_of(ByteView(identity.recipient.key));
}

} // namespace

TEST_CASE("ssh: a public key is its type and its bytes; the comment counts for nothing") {
  const std::string line = test::vector_line("ssh-ed25519.pub");
  const std::string bare = line.substr(0, line.rfind(' '));
  const auto recipient = Recipient::parse(line);
  REQUIRE(recipient);
  CHECK(recipient->text() == bare);
  CHECK_FALSE(recipient->post_quantum());
  CHECK(Recipient::parse(bare).value() == *recipient);
  CHECK(Recipient::parse(bare + " a comment, with more").value() == *recipient);
  CHECK(Recipient::parse(bare + "\tbob").value() == *recipient);
  CHECK(Recipient::parse("ssh-ed25519\t" + bare.substr(bare.find(' ') + 1)).value() == *recipient);
  CHECK(alice().recipient() == *recipient);
}

TEST_CASE("ssh: the key of age that belongs to it is the one of ssh-to-age") {
  // Both by another way: the public key by u = (1+y)/(1-y), the private one by SHA-512 of the seed.
  const auto of_age = SshIdentity::parse(test::vector_text("ssh-ed25519")).value().x25519().value();
  CHECK(of_age.recipient.text() ==
        "age1cph604lqum8qyu0mutj5kgf55lhsqycsqzmtuyx80g7cxcwe7qeqedr4y9");
  CHECK(of_age.text().text() ==
        "AGE-SECRET-KEY-1KUNSTD0SHMHHKRZL5SEFKZD3VJ074NL6HRX2LM3CVN90XXGJPUMQ8CHSNE");
}

TEST_CASE("ssh: other types, and what is no key, are refused") {
  CHECK(refused(test::vector_line("ssh-rsa.pub")).code == ErrorCode::unsupported);
  CHECK(refused(test::vector_line("ssh-rsa.pub")).message ==
        "recipient: an ssh-rsa key is not supported");
  const Bytes good = blob_of(key_of_alice());
  REQUIRE(Recipient::parse(line_of(good)));
  Bytes other_type = good;
  other_type[5] = 'x';
  Bytes longer = good;
  longer.push_back(0);
  for (const std::string& text : {std::string("ssh-"),
                                  std::string("ssh-ed25519"),
                                  std::string("ssh-ed25519 "),
                                  std::string("ssh-ed25519 !"),
                                  std::string("ssh-dss AAAA"),
                                  line_of(good).substr(0, 60),
                                  line_of(good) + "AAAA",
                                  line_of(test::prefix(good, good.size() - 1)),
                                  line_of(longer),
                                  line_of(other_type),
                                  std::string(100'000, 's')}) {
    CAPTURE(text.substr(0, 40));
    CHECK(refused(text).code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("ssh: a key that is no usable point of the curve is refused") {
  Bytes none(32, 0);
  none[0] = 2; // no x belongs to y = 2
  CHECK(refused(line_of(blob_of(none))).message ==
        "recipient: malformed: not a usable point of Ed25519");
  Bytes neutral(32, 0);
  neutral[0] = 1;
  CHECK(refused(line_of(blob_of(neutral))).code == ErrorCode::invalid_argument);
  // A point of low order has a coordinate, and no secret: y = 0.
  const auto low = Recipient::parse(line_of(blob_of(Bytes(32, 0))));
  REQUIRE(low);
  CHECK(low->wrap(Bytes(k_file_key_bytes)).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("ssh: a comment may say what it likes") {
  const std::string line = test::vector_line("ssh-ed25519.pub");
  const std::string key = line.substr(0, line.rfind(' '));
  for (const char* const comment : {"ssh-key-2024-05-01",
                                    "my ssh-ed25519 key",
                                    "age1",
                                    "alice age1-backup",
                                    "ssh-ed25519",
                                    "# alice"}) {
    CAPTURE(comment);
    const auto recipient = Recipient::parse(key + " " + comment);
    REQUIRE(recipient);
    CHECK(recipient->text() == key);
  }
}

TEST_CASE("ssh: where a comma is missing the second key is no comment of the first") {
  const std::string line = test::vector_line("ssh-ed25519.pub");
  const std::string x25519 = test::one_identity()[0].recipient().text();
  for (const std::string& more : {line, x25519}) {
    CHECK(refused(line + " " + more).message ==
          "recipient: malformed: a comma is missing between two recipients");
    CHECK(refused(line.substr(0, line.rfind(' ')) + " " + more).code ==
          ErrorCode::invalid_argument);
  }
}

TEST_CASE("ssh: what stock age made is opened, by this key alone") {
  const std::string file = test::vector_text("for-ssh-ed25519.age");
  std::vector<Identity> identities = test::one_identity();
  CHECK(decrypt_bytes(as_bytes(file), identities).error().code == ErrorCode::no_matching_identity);
  identities.push_back(Identity(SshIdentity::from_seed(SecretBytes(32)).value()));
  CHECK(decrypt_bytes(as_bytes(file), identities).error().code == ErrorCode::no_matching_identity);
  identities.push_back(alice());
  CHECK(decrypt_bytes(as_bytes(file), identities).value().text() == "plain");
}

TEST_CASE("ssh: a file is for SSH keys and others together, and each opens it") {
  std::vector<Identity> identities = test::one_identity();
  identities.push_back(alice());
  const auto recipients = test::recipients_of(identities);
  const auto sealed = encrypt_bytes(as_bytes("plain"), recipients);
  REQUIRE(sealed);
  CHECK(sealed->size() == encrypted_size_bytes(5, recipients));
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(decrypt_bytes(*sealed, std::span(identities).subspan(i, 1)).value().text() == "plain");
  }
}

TEST_CASE("ssh: a malformed stanza condemns the file; one for another key is passed over") {
  const Identity identity = alice();
  const Stanza good = identity.recipient().wrap(Bytes(k_file_key_bytes, 9)).value();
  REQUIRE(identity.unwrap(good).value());
  const auto corrupt = [&](const Stanza& stanza) {
    const auto opened = identity.unwrap(stanza);
    return !opened && opened.error().code == ErrorCode::corrupt;
  };
  const std::string& tag = good.arguments[0];
  const std::string& share = good.arguments[1];
  CHECK(corrupt({good.type, {}, good.body}));
  CHECK(corrupt({good.type, {tag}, good.body}));
  CHECK(corrupt({good.type, {tag, share, share}, good.body}));
  CHECK(corrupt({good.type, {tag, share + "AAAA"}, good.body}));
  CHECK(corrupt({good.type, {tag, share.substr(4)}, good.body}));
  CHECK(corrupt({good.type, {tag, "!"}, good.body}));
  CHECK(corrupt({good.type, {tag, share}, Bytes(31)}));
  CHECK(corrupt({good.type, {tag, share}, Bytes(48)}));
  CHECK(corrupt({good.type, {tag, encode_unpadded(Bytes(32))}, good.body})); // of low order
  const auto not_ours = [&](const Stanza& stanza) { return !identity.unwrap(stanza).value(); };
  CHECK(not_ours({good.type, {"AAAAAA", share}, good.body}));
  CHECK(not_ours({good.type, {"", share}, good.body}));
  CHECK(not_ours({good.type, {tag, encode_unpadded(Bytes(32, 9))}, good.body}));
  CHECK(not_ours({"ssh-rsa", {tag}, good.body}));
  Bytes body = good.body;
  body[3] ^= 1U;
  CHECK(not_ours({good.type, {tag, share}, body}));
}
