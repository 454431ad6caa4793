// New recipients for an age file: what changes, what stays, and what is refused.
#include "unit/age/support.hpp"

#include "age/file.hpp"
#include "age/header.hpp"
#include "base/digest.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

namespace {

struct Rewrapped {
  Status status;
  DecryptFailure failure = DecryptFailure::none;
  Bytes file;
  Sha256Digest before{}; ///< Of what was read.
  std::string headers;   ///< That of before, and the new one.
};

Rewrapped rewrap_bytes(ByteView file,
                       const std::vector<Identity>& identities,
                       const std::vector<Recipient>& recipients) {
  Rewrapped made{Error{}, {}, {}, {}, {}};
  MemorySource source(file);
  BytesSink sink(made.file);
  Sha256 hash;
  StreamOptions options;
  options.on_ciphertext = [&hash](ByteView bytes) { hash.update(bytes); };
  options.on_header = [&made](const std::string& before, const std::string& after) {
    CHECK(made.file.empty());
    made.headers = before + after;
  };
  made.status = rewrap(source, sink, identities, recipients, options, &made.failure);
  made.before = hash.digest();
  return made;
}

std::vector<Identity> new_identities(std::size_t count) {
  std::vector<Identity> identities;
  for (std::size_t i = 0; i < count; ++i) {
    identities.push_back(Identity::generate().value());
  }
  return identities;
}

/// Where the nonce begins.
std::size_t header_bytes(ByteView file) {
  MemorySource memory(file);
  BufferedSource source(memory);
  return read_header(source).value().size();
}

} // namespace

TEST_CASE("rewrap: the new recipients open it, the old ones do not, nonce and payload stay") {
  const auto old = test::one_identity();
  const auto fresh = new_identities(2);
  for (const std::size_t size : {std::size_t{0},
                                 std::size_t{1},
                                 std::size_t{65536},
                                 std::size_t{65537},
                                 std::size_t{700'000}}) {
    CAPTURE(size);
    const Bytes plain = test::pattern(size);
    const Bytes file = encrypt_bytes(plain, test::recipients_of(old)).value();
    const auto made = rewrap_bytes(file, old, test::recipients_of(fresh));
    REQUIRE(made.status);
    CHECK(made.failure == DecryptFailure::none);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      CHECK(test::bytes_of(decrypt_bytes(made.file, std::span(&fresh[i], 1)).value().view()) ==
            plain);
    }
    const auto refused = decrypt_bytes(made.file, old);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::no_matching_identity);
    CHECK(test::bytes_of(ByteView(file).subspan(header_bytes(file))) ==
          test::bytes_of(ByteView(made.file).subspan(header_bytes(made.file))));
    CHECK(made.headers ==
          std::string(as_text(ByteView(file).first(header_bytes(file)))) +
              std::string(as_text(ByteView(made.file).first(header_bytes(made.file)))));
    CHECK(made.before == sha256(file));
  }
}

TEST_CASE("rewrap: a key of before may stay, and a recipient named twice gets one stanza") {
  const auto old = test::one_identity();
  const Bytes file = encrypt_bytes(test::pattern(100), test::recipients_of(old)).value();
  auto recipients = test::recipients_of(old);
  recipients.push_back(recipients.front());
  const auto made = rewrap_bytes(file, old, recipients);
  REQUIRE(made.status);
  CHECK(made.file.size() == file.size());
  CHECK(made.file != file); // wrapped anew
  CHECK(decrypt_bytes(made.file, old));
}

TEST_CASE("rewrap: what no identity opens is refused before anything is written") {
  const auto old = test::one_identity();
  const auto others = new_identities(1);
  const Bytes file = encrypt_bytes(test::pattern(100), test::recipients_of(old)).value();
  const auto made = rewrap_bytes(file, others, test::recipients_of(others));
  REQUIRE_FALSE(made.status);
  CHECK(made.status.error().code == ErrorCode::no_matching_identity);
  CHECK(made.failure == DecryptFailure::no_match);
  CHECK(made.file.empty());
  CHECK(rewrap_bytes(file, {}, test::recipients_of(others)).status.error().code ==
        ErrorCode::invalid_argument);
  const auto nobody = rewrap_bytes(file, old, {});
  CHECK(nobody.status.error().code == ErrorCode::invalid_argument);
  CHECK(nobody.file.empty());
}

TEST_CASE("rewrap: every bit of the header counts, and nothing is written where one is wrong") {
  const auto old = test::one_identity();
  const Bytes good = encrypt_bytes(test::pattern(100), test::recipients_of(old)).value();
  const std::size_t header = header_bytes(good);
  for (std::size_t bit = 0; bit < header * 8; ++bit) {
    CAPTURE(bit);
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto made = rewrap_bytes(bad, old, test::recipients_of(old));
    REQUIRE_FALSE(made.status);
    REQUIRE(made.file.empty());
  }
}

TEST_CASE("rewrap: a damaged payload is copied with its damage, and the digest of before tells") {
  const auto old = test::one_identity();
  Bytes file = encrypt_bytes(test::pattern(100'000), test::recipients_of(old)).value();
  const Sha256Digest good = sha256(file);
  file[file.size() / 2] ^= 1U;
  const auto made = rewrap_bytes(file, old, test::recipients_of(old));
  REQUIRE(made.status);
  CHECK(made.before != good);
  CHECK_FALSE(decrypt_bytes(made.file, old));
}

TEST_CASE("rewrap: a file that ends before its first chunk, and an armored one, are refused") {
  const auto old = test::one_identity();
  const Bytes file = encrypt_bytes({}, test::recipients_of(old)).value();
  for (std::size_t size = header_bytes(file); size < file.size(); ++size) {
    CAPTURE(size);
    const auto made = rewrap_bytes(test::prefix(file, size), old, test::recipients_of(old));
    REQUIRE_FALSE(made.status);
    CHECK(made.status.error().code == ErrorCode::corrupt);
  }
  const std::string armored = test::armored(file);
  CHECK(rewrap_bytes(as_bytes(armored), old, test::recipients_of(old)).status.error().code ==
        ErrorCode::corrupt);
}

TEST_CASE("rewrap: a full disk and a stop end it, with their error") {
  const auto old = test::one_identity();
  const Bytes file = encrypt_bytes(test::pattern(2'000'000), test::recipients_of(old)).value();
  {
    MemorySource source(file);
    test::FullSink sink(500'000);
    const auto full = rewrap(source, sink, old, test::recipients_of(old));
    REQUIRE_FALSE(full);
    CHECK(full.error().code == ErrorCode::no_space);
  }
  std::stop_source stop;
  StreamOptions options;
  options.stop = stop.get_token();
  options.progress = [&stop](std::uint64_t) { stop.request_stop(); };
  Bytes made;
  MemorySource source(file);
  BytesSink sink(made);
  const auto stopped = rewrap(source, sink, old, test::recipients_of(old), options);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::cancelled);
  CHECK(made.size() < file.size());
}
