#include "unit/age/support.hpp"

#include "age/file.hpp"
#include "age/file_key.hpp"
#include "age/header.hpp"
#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <set>
#include <thread>

using namespace rb;
using namespace rb::age;

TEST_CASE("encrypt: what it makes, decrypt gives back, with the size foretold") {
  const auto identities = test::one_identity();
  const auto recipients = test::recipients_of(identities);
  for (const std::size_t size :
       {0UL, 1UL, 65535UL, 65536UL, 65537UL, 131072UL, 131073UL, 262144UL, 262145UL, 1500000UL}) {
    CAPTURE(size);
    const Bytes plain = test::pattern(size);
    const auto sealed = encrypt_bytes(plain, recipients);
    REQUIRE(sealed);
    CHECK(sealed->size() == encrypted_size_bytes(size, recipients));
    const auto opened = decrypt_bytes(*sealed, identities);
    REQUIRE(opened);
    CHECK(test::bytes_of(opened->view()) == plain);
  }
}

TEST_CASE("encrypt: every recipient alone can open it, and nobody else") {
  std::vector<Identity> identities;
  for (int i = 0; i < 4; ++i) {
    identities.push_back(Identity::generate().value());
  }
  const Bytes plain = test::pattern(1000);
  const auto recipients = test::recipients_of(identities);
  const auto sealed = encrypt_bytes(plain, std::span(recipients).first(3));
  REQUIRE(sealed);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto opened = decrypt_bytes(*sealed, std::span(identities).subspan(i, 1));
    REQUIRE(opened);
    CHECK(test::bytes_of(opened->view()) == plain);
  }
  const auto refused = decrypt_bytes(*sealed, std::span(identities).subspan(3, 1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::no_matching_identity);
}

TEST_CASE("encrypt: a recipient given twice gets one stanza") {
  const auto identities = test::one_identity();
  const Recipient recipient = identities[0].recipient();
  const auto sealed = encrypt_bytes(test::pattern(10), std::vector{recipient, recipient});
  REQUIRE(sealed);
  CHECK(sealed->size() == encrypted_size_bytes(10, std::vector{recipient}));
}

TEST_CASE("encrypt: the same input never gives the same output") {
  const auto recipients = test::recipients_of(test::one_identity());
  CHECK(encrypt_bytes(test::pattern(10), recipients).value() !=
        encrypt_bytes(test::pattern(10), recipients).value());
}

TEST_CASE("encrypt: the observers see plaintext and file as they are, in one pass") {
  const auto identities = test::one_identity();
  const Bytes plain = test::pattern(1'000'000);
  MemorySource source(plain);
  Bytes sealed;
  BytesSink sink(sealed);
  Sha256 plaintext;
  Sha256 ciphertext;
  std::uint64_t progress = 0;
  StreamOptions options;
  options.on_plaintext = [&](ByteView bytes) { plaintext.update(bytes); };
  options.on_ciphertext = [&](ByteView bytes) { ciphertext.update(bytes); };
  options.progress = [&](std::uint64_t bytes) { progress = bytes; };
  REQUIRE(encrypt(source, sink, test::recipients_of(identities), options));
  CHECK(plaintext.digest() == sha256(plain));
  CHECK(ciphertext.digest() == sha256(sealed));
  CHECK(progress == plain.size());
}

TEST_CASE("encrypt: never uses more threads than there are processors") {
  const Bytes plain = test::pattern(8'000'000);
  MemorySource source(plain);
  Bytes sealed;
  BytesSink sink(sealed);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  const auto note = [&](ByteView) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  };
  StreamOptions options;
  options.threads = 1000;
  options.on_plaintext = note;
  options.on_ciphertext = note;
  REQUIRE(encrypt(source, sink, test::recipients_of(test::one_identity()), options));
  CHECK(threads.size() <= std::thread::hardware_concurrency());
}

TEST_CASE("encrypt: without a recipient nothing is written") {
  MemorySource source(as_bytes("secret"));
  Bytes sealed;
  BytesSink sink(sealed);
  const auto summary = encrypt(source, sink, {});
  REQUIRE_FALSE(summary);
  CHECK(summary.error().code == ErrorCode::invalid_argument);
  CHECK(summary.error().message == "encrypt: no recipient");
  CHECK(sealed.empty());
}

TEST_CASE("encrypt: a recipient of low order is refused") {
  const auto sealed = encrypt_bytes(as_bytes("secret"), std::vector{Recipient(X25519Recipient{})});
  REQUIRE_FALSE(sealed);
  CHECK(sealed.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("encrypt: a full disk, a failing source and a request to stop are told apart") {
  const auto recipients = test::recipients_of(test::one_identity());
  const Bytes plain = test::pattern(2'000'000);
  MemorySource source(plain);
  test::FullSink full(500'000);
  CHECK(encrypt(source, full, recipients).error().code == ErrorCode::no_space);

  test::FailingSource failing(400'000);
  Bytes sealed;
  BytesSink sink(sealed);
  CHECK(encrypt(failing, sink, recipients).error().code == ErrorCode::io);

  std::stop_source stop;
  stop.request_stop();
  StreamOptions options;
  options.stop = stop.get_token();
  MemorySource again(plain);
  CHECK(encrypt(again, sink, recipients, options).error().code == ErrorCode::cancelled);
}
