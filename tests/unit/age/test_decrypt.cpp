#include "unit/age/support.hpp"

#include "age/file.hpp"
#include "age/header.hpp"
#include "age/primitives.hpp"
#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::age;

namespace {

struct Outcome {
  Status result;
  DecryptFailure failure = DecryptFailure::none;
  Bytes released;
};

Outcome open(ByteView file, const std::vector<Identity>& identities, unsigned threads = 2) {
  Outcome outcome;
  MemorySource source(file);
  BytesSink sink(outcome.released);
  StreamOptions options;
  options.threads = threads;
  outcome.result = decrypt(source, sink, identities, options, &outcome.failure);
  return outcome;
}

Bytes sealed(ByteView plain) {
  return encrypt_bytes(plain, test::recipients_of(test::one_identity())).value();
}

std::size_t payload_offset(const Bytes& file) {
  const std::string_view text = as_text(file);
  return text.find('\n', text.find("\n--- ") + 1) + 1 + 16;
}

Bytes file_of_type(const std::string& type) {
  Header header;
  header.stanzas.push_back({type, {"argument"}, Bytes(32, 1)});
  Bytes file = test::bytes_of(marshal(header));
  file.resize(file.size() + 100);
  return file;
}

} // namespace

TEST_CASE("decrypt: armor is found and the whole file is shown to the observer") {
  const auto identities = test::one_identity();
  const Bytes plain = test::pattern(300'000);
  const std::string file = "\n" + test::armored(sealed(plain), "\r\n") + "  \n";
  MemorySource source(as_bytes(file));
  Bytes released;
  BytesSink sink(released);
  Sha256 plaintext;
  Sha256 ciphertext;
  StreamOptions options;
  options.on_plaintext = [&](ByteView bytes) { plaintext.update(bytes); };
  options.on_ciphertext = [&](ByteView bytes) { ciphertext.update(bytes); };
  REQUIRE(decrypt(source, sink, identities, options));
  CHECK(released == plain);
  CHECK(plaintext.digest() == sha256(plain));
  CHECK(ciphertext.digest() == sha256(as_bytes(file)));
}

TEST_CASE("decrypt: a spoilt chunk ends it, and only what is before that chunk is released") {
  const Bytes plain = test::pattern(10 * k_chunk_bytes);
  const Bytes good = sealed(plain);
  for (const unsigned threads : {1U, 2U}) {
    for (const std::size_t chunk : {0UL, 3UL, 4UL, 7UL, 9UL}) {
      CAPTURE(chunk);
      Bytes bad = good;
      bad[payload_offset(bad) + chunk * k_sealed_chunk_bytes + 1234] ^= 0x10;
      const Outcome outcome = open(bad, test::one_identity(), threads);
      REQUIRE_FALSE(outcome.result);
      CHECK(outcome.failure == DecryptFailure::payload);
      CHECK(outcome.result.error().code == ErrorCode::corrupt);
      CHECK(outcome.result.error().message ==
            "payload: chunk " + std::to_string(chunk) + " is not authentic: altered or damaged");
      CHECK(outcome.released == test::prefix(plain, chunk * k_chunk_bytes));
    }
  }
}

TEST_CASE("decrypt: a file that is cut off or goes on is refused, and says which") {
  const Bytes good = sealed(test::pattern(3 * k_chunk_bytes));
  const std::size_t start = payload_offset(good);
  struct Case {
    std::size_t size;
    std::string_view message;
    DecryptFailure failure;
  };
  for (const Case& c : {
           Case{0, "header: the file is empty", DecryptFailure::header},
           Case{10, "header: not an age file", DecryptFailure::header},
           Case{start - 30, "header: cut off", DecryptFailure::header},
           Case{start - 1, "header: cut off before the payload", DecryptFailure::header},
           Case{start, "payload: cut off before its first chunk", DecryptFailure::payload},
           Case{start + 15, "payload: cut off in chunk 0", DecryptFailure::payload},
           Case{start + k_sealed_chunk_bytes,
                "payload: cut off: no final chunk",
                DecryptFailure::payload},
           Case{start + 2 * k_sealed_chunk_bytes + 16,
                "payload: the final chunk is empty",
                DecryptFailure::payload},
           Case{good.size() - 1,
                "payload: chunk 2 is not authentic: altered or damaged",
                DecryptFailure::payload},
       }) {
    CAPTURE(c.size);
    const Outcome outcome = open(ByteView(good).first(c.size), test::one_identity());
    REQUIRE_FALSE(outcome.result);
    CHECK(outcome.result.error().message == c.message);
    CHECK(outcome.failure == c.failure);
  }
  Bytes longer = good;
  longer.push_back(0);
  const Outcome outcome = open(longer, test::one_identity());
  REQUIRE_FALSE(outcome.result);
  CHECK(outcome.result.error().message == "payload: data after the final chunk");
  CHECK(outcome.failure == DecryptFailure::payload);
}

TEST_CASE("decrypt: an altered header is told from a wrong identity") {
  Bytes file = sealed(test::pattern(10));
  std::string text(as_text(file));
  const std::size_t footer = text.find("\n--- ");
  text.insert(footer + 1, "-> added\n\n");
  const Outcome altered = open(as_bytes(text), test::one_identity());
  REQUIRE_FALSE(altered.result);
  CHECK(altered.failure == DecryptFailure::mac);
  CHECK(altered.result.error().message == "header: its mac is wrong: altered or damaged");
  CHECK(altered.released.empty());

  std::vector<Identity> others;
  others.push_back(Identity::generate().value());
  const Outcome wrong = open(file, others);
  REQUIRE_FALSE(wrong.result);
  CHECK(wrong.failure == DecryptFailure::no_match);
  CHECK(wrong.result.error().code == ErrorCode::no_matching_identity);
  CHECK_FALSE(wrong.result.error().hint.empty());
}

TEST_CASE("decrypt: the identity that fits may be any of several") {
  std::vector<Identity> identities;
  identities.push_back(Identity::generate().value());
  identities.push_back(Identity::generate().value());
  identities.push_back(Identity::parse(test::k_identity).value());
  CHECK(open(sealed(test::pattern(10)), identities).result);
}

TEST_CASE(
    "decrypt: files for passphrases, RSA keys, plugins and tokens are refused by their type") {
  for (const char* type : {"scrypt", "ssh-rsa", "piv-p256", "p256tag", "mlkem768p256tag"}) {
    CAPTURE(type);
    const Outcome outcome = open(file_of_type(type), test::one_identity());
    REQUIRE_FALSE(outcome.result);
    CHECK(outcome.failure == DecryptFailure::unsupported);
    CHECK(outcome.result.error().code == ErrorCode::unsupported);
    CHECK(outcome.result.error().message.find(type) != std::string::npos);
    CHECK_FALSE(outcome.result.error().hint.empty());
  }
  CHECK(open(file_of_type("ssh-ed25519"), test::one_identity()).failure ==
        DecryptFailure::no_match);
  const Outcome unknown = open(file_of_type("from-the-future"), test::one_identity());
  CHECK(unknown.failure == DecryptFailure::no_match);
}

TEST_CASE("decrypt: without an identity nothing is read") {
  const Outcome outcome = open(sealed(test::pattern(10)), {});
  REQUIRE_FALSE(outcome.result);
  CHECK(outcome.result.error().code == ErrorCode::invalid_argument);
  CHECK(outcome.failure == DecryptFailure::other);
}

TEST_CASE("decrypt: failures of source, sink and the caller's stop are not damage") {
  const auto identities = test::one_identity();
  const Bytes file = sealed(test::pattern(2'000'000));

  test::FailingSource failing(0);
  Bytes released;
  BytesSink sink(released);
  DecryptFailure failure = DecryptFailure::none;
  CHECK(decrypt(failing, sink, identities, {}, &failure).error().code == ErrorCode::io);
  CHECK(failure == DecryptFailure::other);

  MemorySource source(file);
  test::FullSink full(600'000);
  CHECK(decrypt(source, full, identities, {}, &failure).error().code == ErrorCode::no_space);
  CHECK(failure == DecryptFailure::other);

  std::stop_source stop;
  stop.request_stop();
  StreamOptions options;
  options.stop = stop.get_token();
  MemorySource again(file);
  CHECK(decrypt(again, sink, identities, options, &failure).error().code == ErrorCode::cancelled);
  CHECK(failure == DecryptFailure::other);
}

TEST_CASE("decrypt: a header without end is refused at 2 MiB") {
  Bytes file = test::bytes_of(std::string(k_header_intro) + "-> ");
  file.resize(k_header_limit_bytes + 10, 'x');
  const Outcome outcome = open(file, test::one_identity());
  REQUIRE_FALSE(outcome.result);
  CHECK(outcome.result.error().message == "header: larger than 2 MiB");
}

TEST_CASE("ChunkCipher::open: a chunk that is not authentic is left as it was given") {
  const Bytes key(32, 9);
  auto seal = ChunkCipher::make(key, ChunkCipher::Direction::seal).value();
  auto open = ChunkCipher::make(key, ChunkCipher::Direction::open).value();
  Bytes chunk = test::pattern(1000 + k_tag_bytes);
  const Bytes plain = chunk;
  REQUIRE(seal.seal(chunk_nonce(5, false), chunk));
  const Bytes sealed_chunk = chunk;
  CHECK_FALSE(open.open(chunk_nonce(5, true), chunk));
  CHECK(chunk == sealed_chunk);
  CHECK(open.open(chunk_nonce(5, false), chunk));
  CHECK(std::equal(plain.begin(), plain.begin() + 1000, chunk.begin()));
}

TEST_CASE("chunk_nonce: a big-endian counter of 11 bytes and the flag of the final chunk") {
  CHECK(to_hex(chunk_nonce(0, false)) == "000000000000000000000000");
  CHECK(to_hex(chunk_nonce(0x0102030405060708, true)) == "000000010203040506070801");
}
