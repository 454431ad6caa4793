// What is read back of a rewrapped file: the new header, and the payload of the signed manifest.
#include "set/rewrap_proof.hpp"

#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace rb;
using namespace rb::set;

namespace {

const std::string k_old = "the header of before\n";
const std::string k_new = "the new header, which is longer than that\n";

std::string payload_of(std::size_t bytes) {
  std::string payload(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    payload[i] = static_cast<char>(i * 7 % 251);
  }
  return payload;
}

api::ArtifactStatus artifact_of(const std::string& file) {
  return {api::ArtifactType::datastore, "etcd", file.size(), to_hex(sha256(as_bytes(file)))};
}

/// `read` comes from the medium in pieces of that size.
Result<ContentDigest>
judge(const std::string& payload, const std::string& read, std::size_t piece) {
  const api::ArtifactStatus artifact = artifact_of(k_old + payload);
  RewrapProof proof(artifact);
  proof.expect(k_old, k_new);
  for (std::size_t at = 0; at < read.size(); at += piece) {
    RB_TRY(proof.take(as_bytes(read).subspan(at, std::min(piece, read.size() - at))));
  }
  return proof.finish();
}

bool is_corrupt(const Result<ContentDigest>& judged) {
  return !judged && judged.error().code == ErrorCode::corrupt;
}

} // namespace

TEST_CASE("rewrap proof: the payload of before behind the new header, in pieces of any size") {
  const std::string payload = payload_of(1'000'000);
  const std::string file = k_new + payload;
  for (const std::size_t piece : {std::size_t{1},
                                  k_new.size() - 1,
                                  k_new.size(),
                                  k_new.size() + 1,
                                  std::size_t{200'000},
                                  file.size()}) {
    CAPTURE(piece);
    const std::string some = piece == 1 ? payload.substr(0, 3000) : payload;
    const auto judged = judge(some, k_new + some, piece);
    REQUIRE(judged);
    CHECK(judged->size_bytes == k_new.size() + some.size());
    CHECK(judged->sha256 == sha256(as_bytes(k_new + some)));
  }
  CHECK(judge("", k_new, 10));
}

TEST_CASE("rewrap proof: another header, another payload, less or more of it is corrupt") {
  const std::string payload = payload_of(500'000);
  for (const std::size_t piece : {std::size_t{7}, std::size_t{200'000}, std::size_t{1'000'000}}) {
    CAPTURE(piece);
    const std::string some = piece == 7 ? payload.substr(0, 700) : payload;
    for (const std::size_t at :
         {std::size_t{0}, k_new.size() - 1, k_new.size(), k_new.size() + some.size() - 1}) {
      CAPTURE(at);
      std::string other = k_new + some;
      other[at] = static_cast<char>(other[at] ^ 1);
      CHECK(is_corrupt(judge(some, other, piece)));
    }
    CHECK(is_corrupt(judge(some, k_old + some, piece)));
    CHECK(is_corrupt(judge(some, k_new + some.substr(1), piece)));
    CHECK(is_corrupt(judge(some, k_new + some + "x", piece)));
  }
  CHECK(is_corrupt(judge("", k_new.substr(1), 100)));
  CHECK(is_corrupt(judge("", k_new.substr(0, 5), 100)));
  CHECK(is_corrupt(judge("", "", 100)));
}
