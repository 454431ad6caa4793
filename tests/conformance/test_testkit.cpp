// Every vector of the C2SP CCTV age test kit: what an identity or a passphrase opens must end in
// the class of success or failure that the vector names, with exactly the plaintext that it names.
// Where OpenSSL has no ML-KEM, what needs a post-quantum key must be refused with nothing released.
#include "conformance/vector_file.hpp"

#include "age/armor.hpp"
#include "age/file.hpp"
#include "age/file_key.hpp"
#include "age/header.hpp"
#include "age/io.hpp"
#include "age/kem.hpp"
#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

using namespace rb;
using namespace rb::age;
using namespace rb::conformance;

namespace {

std::vector<Vector> load_all() {
  const char* directory = std::getenv("RB_AGE_TESTKIT_DIR");
  REQUIRE_MESSAGE(directory != nullptr,
                  "RB_AGE_TESTKIT_DIR is not set: set it to the directory of the Go module "
                  "c2sp.org/CCTV/age (`go mod download -json` prints it as Dir)");
  const std::filesystem::path testdata = std::filesystem::path(directory) / "testdata";
  REQUIRE_MESSAGE(std::filesystem::is_directory(testdata), testdata.string() << ": not there");
  std::vector<Vector> vectors;
  for (const auto& entry : std::filesystem::directory_iterator(testdata)) {
    auto vector = read_vector(entry.path());
    REQUIRE_MESSAGE(vector.has_value(), entry.path().string());
    vectors.push_back(std::move(*vector));
  }
  std::sort(vectors.begin(), vectors.end(), [](const Vector& left, const Vector& right) {
    return left.name < right.name;
  });
  return vectors;
}

/// The identities of the vector; one of our own when it has none that we can use.
std::vector<Identity> identities_of(const Vector& vector) {
  std::vector<Identity> identities;
  for (const std::string& text : vector.identities) {
    auto identity = Identity::parse(text);
    if (identity) {
      identities.push_back(std::move(*identity));
    } else {
      CHECK(identity.error().code == ErrorCode::unsupported);
      CHECK(text.starts_with("AGE-SECRET-KEY-PQ-1"));
      CHECK_FALSE(has_ml_kem());
    }
  }
  if (identities.empty()) {
    identities.push_back(Identity::generate().value());
  }
  return identities;
}

struct Outcome {
  DecryptFailure failure = DecryptFailure::none;
  std::string message;
  Bytes released;
};

Outcome run(const Vector& vector, unsigned threads) {
  Outcome outcome;
  MemorySource source(vector.file);
  BytesSink sink(outcome.released);
  StreamOptions options;
  options.threads = threads;
  const auto result = decrypt(source, sink, identities_of(vector), options, &outcome.failure);
  CHECK(result.has_value() == (outcome.failure == DecryptFailure::none));
  if (!result) {
    outcome.message = result.error().message;
  }
  return outcome;
}

/// As run(), for a file that is known to be armored: without detection, which takes what does not
/// begin like armor for a binary file.
DecryptFailure run_as_armor(const Vector& vector) {
  MemorySource file(vector.file);
  BufferedSource buffered(file);
  ArmorSource armor(buffered);
  Bytes released;
  BytesSink sink(released);
  DecryptFailure failure = DecryptFailure::none;
  const auto result = decrypt(armor, sink, identities_of(vector), {}, &failure);
  CHECK(result.has_value() == (failure == DecryptFailure::none));
  return armor.damaged() ? DecryptFailure::armor : failure;
}

std::string class_of(DecryptFailure failure) {
  switch (failure) {
  case DecryptFailure::none:
    return "success";
  case DecryptFailure::armor:
    return "armor failure";
  case DecryptFailure::header:
    return "header failure";
  case DecryptFailure::unsupported:
    return "unsupported";
  case DecryptFailure::no_match:
    return "no match";
  case DecryptFailure::mac:
    return "HMAC failure";
  case DecryptFailure::payload:
    return "payload failure";
  case DecryptFailure::other:
    return "other";
  }
  return "?";
}

void print_counts(const char* title, const std::map<std::string, int>& counts) {
  std::printf("%s:", title);
  for (const auto& [name, count] : counts) {
    std::printf(" %s %d;", name.c_str(), count);
  }
  std::printf("\n");
}

} // namespace

namespace {

/// Holds that a vector for keys ends as it must, and releases what it must.
void check(const Vector& vector) {
  CAPTURE(vector.name);
  for (const unsigned threads : {1U, 2U}) {
    const Outcome outcome = run(vector, threads);
    CAPTURE(outcome.message);
    CHECK(to_hex(sha256(outcome.released)) == vector.payload_sha256);
    if (!vector.armored) {
      CHECK(class_of(outcome.failure) == vector.expect);
    } else {
      // Detection may call a file with a spoilt first line a bad header; never a good file.
      CHECK((outcome.failure == DecryptFailure::none) == (vector.expect == "success"));
    }
  }
  if (vector.armored) {
    CHECK(class_of(run_as_armor(vector)) == vector.expect);
  }
}

} // namespace

TEST_CASE("test kit: an X25519 vector ends as it must, and releases what it must") {
  std::map<std::string, int> passed;
  int armored = 0;
  int seen = 0;
  for (const Vector& vector : load_all()) {
    if (vector.kind() != Kind::x25519) {
      continue;
    }
    ++seen;
    armored += vector.armored ? 1 : 0;
    check(vector);
    ++passed[vector.expect];
  }
  print_counts("X25519 vectors", passed);
  std::printf("X25519 vectors: %d, of these armored %d\n", seen, armored);
  for (const char* expect : {"success",
                             "armor failure",
                             "header failure",
                             "HMAC failure",
                             "no match",
                             "payload failure"}) {
    CAPTURE(expect);
    CHECK(passed[expect] > 0);
  }
  CHECK(passed.size() == 6);
  // The numbers of the pinned version; a newer kit may only have more.
  CHECK(seen >= 102);
  CHECK(armored >= 35);
}

TEST_CASE(
    "test kit: a post-quantum vector ends as it must, or is refused where there is no ML-KEM") {
  std::map<std::string, int> passed;
  int seen = 0;
  for (const Vector& vector : load_all()) {
    if (vector.kind() != Kind::hybrid) {
      continue;
    }
    ++seen;
    if (has_ml_kem()) {
      check(vector);
      ++passed[vector.expect];
      continue;
    }
    CAPTURE(vector.name);
    const Outcome outcome = run(vector, 1);
    CAPTURE(outcome.message);
    CHECK(outcome.released.empty());
    const std::string found = class_of(outcome.failure);
    // Either we say what is missing, or we see the same fault that the vector has; a file that has
    // an X25519 stanza, too, is one that our identity does not open.
    const bool not_ours = vector.name == "hybrid_and_x25519" && found == "no match";
    CHECK((found == "unsupported" || found == vector.expect || not_ours));
    CHECK(found != "success");
    ++passed[found];
  }
  print_counts(has_ml_kem() ? "hybrid vectors" : "hybrid vectors, REFUSED without ML-KEM", passed);
  std::printf("hybrid vectors: %d, with ML-KEM: %s\n", seen, has_ml_kem() ? "yes" : "no");
  if (!has_ml_kem()) {
    std::printf("NOT RUN: %d hybrid vectors with their keys: a post-quantum key %s; the suite root "
                "runs them\n",
                seen,
                needs_ml_kem().c_str());
  }
  CHECK(passed[has_ml_kem() ? "success" : "unsupported"] > 0);
  CHECK(seen >= 19);
}

TEST_CASE("test kit: a passphrase opens what it must, and nothing else") {
  std::map<std::string, int> passed;
  int seen = 0;
  for (const Vector& vector : load_all()) {
    if (vector.kind() != Kind::scrypt) {
      continue;
    }
    ++seen;
    CAPTURE(vector.name);
    DecryptFailure failure = DecryptFailure::none;
    const auto opened = decrypt_bytes_with_passphrase(
        vector.file,
        [&]() -> Result<SecretBytes> { return SecretBytes(as_bytes(vector.passphrases.front())); },
        &failure);
    CHECK(class_of(failure) == vector.expect);
    CHECK(opened.has_value() == (vector.expect == "success"));
    if (opened) {
      CHECK(to_hex(sha256(opened->view())) == vector.payload_sha256);
    }
    ++passed[vector.expect];
  }
  print_counts("scrypt vectors", passed);
  for (const char* expect : {"success", "header failure", "no match"}) {
    CAPTURE(expect);
    CHECK(passed[expect] > 0);
  }
  CHECK(seen >= 26);
}

TEST_CASE("test kit: keys open no file of a passphrase") {
  int refused = 0;
  for (const Vector& vector : load_all()) {
    if (vector.kind() != Kind::scrypt) {
      continue;
    }
    CAPTURE(vector.name);
    const Outcome outcome = run(vector, 1);
    CHECK(outcome.released.empty());
    const std::string found = class_of(outcome.failure);
    CHECK((found == "unsupported" || found == vector.expect));
    CHECK(found != "success");
    refused += found == "unsupported" ? 1 : 0;
  }
  CHECK(refused > 0);
}

TEST_CASE("test kit: no vector is passed over") {
  const auto vectors = load_all();
  int other = 0;
  for (const Vector& vector : vectors) {
    other += vector.kind() == Kind::x25519 ? 0 : 1;
  }
  std::printf("vectors in all: %zu\n", vectors.size());
  CHECK(vectors.size() >= 147);
  CHECK(other < static_cast<int>(vectors.size()));
}

TEST_CASE("test kit: a header of any kind that parses comes out byte for byte") {
  int headers = 0;
  for (const Vector& vector : load_all()) {
    if (vector.armored || vector.expect == "header failure") {
      continue;
    }
    CAPTURE(vector.name);
    MemorySource file(vector.file);
    BufferedSource source(file);
    const auto text = read_header(source);
    REQUIRE(text);
    const auto header = parse_header(*text);
    REQUIRE(header);
    CHECK(marshal(*header) == *text);
    ++headers;
  }
  std::printf("headers round-tripped: %d\n", headers);
  CHECK(headers > 0);
}
