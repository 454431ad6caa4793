// Post-quantum keys and those of tokens. What age's own programs open of ours, and we of theirs, is
// in conformance_age_interop.
#include "unit/age/support.hpp"

#include "age/bech32.hpp"
#include "age/file.hpp"
#include "age/hpke_keys.hpp"
#include "age/kem.hpp"
#include "age/key_text.hpp"
#include "base/digest.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

namespace {

const std::vector<std::string> k_recipients{"pq.pub", "tag.pub", "tagpq.pub"};

bool needs_post_quantum(const std::string& file) {
  return file != "tag.pub";
}

std::string post_quantum_identity() {
  const std::string text = test::vector_text("pq-keys.txt");
  const std::size_t begin = text.find("AGE-SECRET-KEY-PQ-1");
  return text.substr(begin, text.find('\n', begin) - begin);
}

Error refused(std::string_view text) {
  const auto recipient = Recipient::parse(text);
  REQUIRE_FALSE(recipient);
  return recipient.error();
}

} // namespace

TEST_CASE("hpke keys: a recipient of each kind is taken, or refused with what is missing") {
  for (const std::string& file : k_recipients) {
    CAPTURE(file);
    const std::string text = test::vector_line(file);
    if (needs_post_quantum(file) && !has_ml_kem()) {
      CHECK(refused(text).code == ErrorCode::unsupported);
      CHECK(refused(text).message.find("a post-quantum key needs OpenSSL 3.5 or newer") !=
            std::string::npos);
      continue;
    }
    const auto recipient = Recipient::parse(text);
    REQUIRE(recipient);
    CHECK(recipient->text() == text);
    CHECK(recipient->post_quantum() == needs_post_quantum(file));
  }
}

TEST_CASE("hpke keys: a stanza has the form and the size that its kind has, with a new secret") {
  const Bytes file_key(k_file_key_bytes, 9);
  for (const std::string& file : k_recipients) {
    CAPTURE(file);
    if (needs_post_quantum(file) && !has_ml_kem()) {
      continue;
    }
    const auto recipient = Recipient::parse(test::vector_line(file)).value();
    const auto stanza = recipient.wrap(file_key);
    REQUIRE(stanza);
    CHECK(stanza->body.size() == k_sealed_file_key_bytes);
    CHECK(stanza->arguments.size() == (file == "pq.pub" ? 1 : 2));
    Header header{{*stanza}, {}};
    const std::size_t without = k_header_intro.size() + 4 + 43 + 1;
    CHECK(marshal(header).size() - without == recipient.stanza_bytes());
    CHECK(recipient.wrap(file_key).value().arguments != stanza->arguments);
  }
}

TEST_CASE("hpke keys: a token knows its stanza by a tag of the message and of its own point") {
  // As the token works it out, which has the message and the point of its private key.
  const auto tag_of = [](ByteView enc, ByteView point) {
    const Sha256Digest digest = sha256(point);
    Bytes named = test::bytes_of(enc);
    named.insert(named.end(), digest.begin(), digest.begin() + 4);
    const auto tag = hkdf_extract(named, as_bytes("age-encryption.org/p256tag"));
    return encode_unpadded(tag.value().view().first(4));
  };
  const auto recipient = TagRecipient::parse(test::vector_line("tag.pub")).value();
  const Stanza stanza = recipient.wrap(Bytes(k_file_key_bytes, 9)).value();
  CHECK(stanza.type == "p256tag");
  REQUIRE(stanza.arguments.size() == 2);
  const Bytes enc = decode_unpadded(stanza.arguments[1]).value();
  CHECK(enc.size() == k_p256_point_bytes);
  CHECK(stanza.arguments[0] == tag_of(enc, recipient.key));
  Bytes other = recipient.key; // the point opposite to it
  other[0] ^= 1U;
  CHECK(stanza.arguments[0] != tag_of(enc, other));
}

TEST_CASE("hpke keys: malformed, truncated, lengthened and exchanged recipients are refused") {
  for (const std::string& file : k_recipients) {
    CAPTURE(file);
    const std::string good = test::vector_line(file);
    std::string flipped = good;
    flipped[30] = flipped[30] == 'q' ? 'p' : 'q';
    std::string upper = good;
    for (char& c : upper) {
      c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    const std::string prefix = good.substr(0, good.rfind('1'));
    for (const std::string& text : {good.substr(0, good.size() - 1),
                                    good.substr(0, good.size() / 2),
                                    good + "q",
                                    good + " ",
                                    " " + good,
                                    good + "\n" + good,
                                    flipped,
                                    upper,
                                    prefix + "1",
                                    prefix + "1qqqqqq",
                                    encode_recipient(prefix, Bytes(31)),
                                    encode_recipient(prefix, Bytes(100'000))}) {
      CAPTURE(text.substr(0, 40));
      CHECK(refused(text).code == ErrorCode::invalid_argument);
      CHECK(refused(text).message.size() < 200);
    }
  }
  // The bytes of one kind under the name of another.
  const auto tag = bech32::decode(test::vector_line("tag.pub")).value();
  CHECK(refused(encode_recipient("age1pq", tag.data.view())).message.ends_with("1216 bytes long"));
  CHECK(
      refused(encode_recipient("age1tagpq", tag.data.view())).message.ends_with("1249 bytes long"));
  CHECK(refused(encode_recipient("age", tag.data.view())).message.ends_with("not 32 bytes long"));
  CHECK(refused(encode_recipient("age1tag", Bytes(33, 5))).message ==
        "recipient: malformed: not a point of P-256");
}

TEST_CASE("hpke keys: a post-quantum identity, and what stock age made for it") {
  const std::string text = post_quantum_identity();
  const auto identity = Identity::parse(text);
  const std::string file = test::vector_text("for-pq.age");
  if (!has_ml_kem()) {
    REQUIRE_FALSE(identity);
    CHECK(identity.error().code == ErrorCode::unsupported);
    DecryptFailure failure = DecryptFailure::none;
    MemorySource source(as_bytes(file));
    Bytes out;
    BytesSink sink(out);
    const auto opened = decrypt(source, sink, test::one_identity(), {}, &failure);
    CHECK(failure == DecryptFailure::unsupported);
    CHECK(opened.error().message.find("needs OpenSSL 3.5 or newer") != std::string::npos);
    return;
  }
  REQUIRE(identity);
  CHECK(identity->text().text() == text);
  CHECK(identity->recipient().text() == test::vector_line("pq.pub"));
  std::vector<Identity> identities;
  identities.push_back(Identity::generate().value());
  identities.push_back(Identity::parse(text).value());
  const auto opened = decrypt_bytes(as_bytes(file), identities);
  REQUIRE(opened);
  CHECK(opened->text() == "plain");
  CHECK(decrypt_bytes(as_bytes(file), test::one_identity()).error().code ==
        ErrorCode::no_matching_identity);
}

TEST_CASE("hpke keys: the identity for age-plugin-pq is the same key") {
  const std::string native = post_quantum_identity();
  const SecretBytes seed = decode_identity(native, "AGE-SECRET-KEY-PQ-", 32).value();
  const std::string text(encode_identity("AGE-PLUGIN-PQ-", seed.view()).text());
  const auto identity = Identity::parse(text);
  const auto file = parse_identity_file("# public key: age1pq1...\n" + text + "\n");
  if (!has_ml_kem()) {
    REQUIRE_FALSE(identity);
    CHECK(identity.error().message.find("needs OpenSSL 3.5 or newer") != std::string::npos);
    CHECK(file.error().message.find("needs OpenSSL 3.5 or newer") != std::string::npos);
  } else {
    REQUIRE(identity);
    CHECK(identity->text().text() == native);
    CHECK(identity->recipient().text() == test::vector_line("pq.pub"));
    REQUIRE(file);
    CHECK(file->identities.size() == 1);
    CHECK(file->warnings.empty());
  }
  CHECK(Identity::parse(text + "Q").error().code == ErrorCode::invalid_argument);
  CHECK(Identity::parse("AGE-PLUGIN-PQX-1QQQ").error().code == ErrorCode::unsupported);
}

TEST_CASE("hpke keys: a malformed post-quantum identity is refused, and no part of it repeated") {
  const std::string good = post_quantum_identity();
  std::string flipped = good;
  flipped[40] = flipped[40] == 'Q' ? 'P' : 'Q';
  for (const std::string& text :
       {good.substr(0, good.size() - 1),
        good + "Q",
        good + " ",
        flipped,
        std::string("AGE-SECRET-KEY-PQ-1"),
        std::string("AGE-SECRET-KEY-PQ-1QQQQQQ"),
        std::string(encode_identity("AGE-SECRET-KEY-PQ-", Bytes(64)).text())}) {
    const auto identity = Identity::parse(text);
    REQUIRE_FALSE(identity);
    CHECK(identity.error().code == ErrorCode::invalid_argument);
    CHECK(identity.error().message.find(good.substr(20, 6)) == std::string::npos);
  }
}

TEST_CASE("hpke keys: a malformed stanza condemns the file of a post-quantum identity") {
  if (!has_ml_kem()) {
    CHECK_FALSE(Identity::parse(post_quantum_identity()));
    return;
  }
  const auto identity = Identity::parse(post_quantum_identity()).value();
  const Stanza good = identity.recipient().wrap(Bytes(k_file_key_bytes, 9)).value();
  REQUIRE(identity.unwrap(good).value());
  const auto corrupt = [&](const Stanza& stanza) {
    const auto opened = identity.unwrap(stanza);
    return !opened && opened.error().code == ErrorCode::corrupt;
  };
  const std::string enc = good.arguments[0];
  CHECK(corrupt({good.type, {}, good.body}));
  CHECK(corrupt({good.type, {enc, "x"}, good.body}));
  CHECK(corrupt({good.type, {enc.substr(4)}, good.body}));
  CHECK(corrupt({good.type, {enc + "AAAA"}, good.body}));
  CHECK(corrupt({good.type, {enc + "="}, good.body}));
  CHECK(corrupt({good.type, {"!"}, good.body}));
  CHECK(corrupt({good.type, {enc}, Bytes(31)}));
  CHECK(corrupt({good.type, {enc}, Bytes(48)}));
  Bytes low = decode_unpadded(enc).value();
  std::fill(low.end() - 32, low.end(), std::uint8_t{0});
  CHECK(corrupt({good.type, {encode_unpadded(low)}, good.body}));
  // Well-formed and not ours: another one may fit.
  Bytes other = decode_unpadded(enc).value();
  other[0] ^= 1U;
  CHECK_FALSE(identity.unwrap({good.type, {encode_unpadded(other)}, good.body}).value());
  CHECK_FALSE(identity.unwrap({"MLKEM768X25519", {enc}, good.body}).value());
}

TEST_CASE("hpke keys: a post-quantum recipient stands beside its like only, with any OpenSSL") {
  const Recipient classic = test::one_identity()[0].recipient();
  const Recipient hybrid(HybridRecipient{Bytes(k_mlkem768_x25519_key_bytes)});
  const Recipient hybrid_tag(HybridTagRecipient{Bytes(k_mlkem768_p256_key_bytes)});
  CHECK(check_together(std::vector{classic, classic}));
  CHECK(check_together(std::vector{hybrid, hybrid_tag}));
  for (const auto& mixed : {std::vector{classic, hybrid}, std::vector{hybrid_tag, classic}}) {
    const Status checked = check_together(mixed);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("hpke keys: a post-quantum recipient has no other kind beside it") {
  const Recipient classic = test::one_identity()[0].recipient();
  const Recipient tag = Recipient::parse(test::vector_line("tag.pub")).value();
  CHECK(encrypt_bytes(as_bytes("x"), std::vector{classic, tag}));
  if (!has_ml_kem()) {
    return;
  }
  const Recipient hybrid = Recipient::parse(test::vector_line("pq.pub")).value();
  const Recipient hybrid_tag = Recipient::parse(test::vector_line("tagpq.pub")).value();
  CHECK(encrypt_bytes(as_bytes("x"), std::vector{hybrid, hybrid_tag}));
  for (const auto& mixed : {std::vector{classic, hybrid},
                            std::vector{hybrid, hybrid, classic},
                            std::vector{hybrid_tag, tag}}) {
    const auto sealed = encrypt_bytes(as_bytes("x"), mixed);
    REQUIRE_FALSE(sealed);
    CHECK(sealed.error().code == ErrorCode::invalid_argument);
    CHECK(sealed.error().message.find("post-quantum") != std::string::npos);
    CHECK_FALSE(sealed.error().hint.empty());
  }
}
