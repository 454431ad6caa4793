// Whether a file that was written for new recipients is on the medium: from what is read back
// alone. It must have the header that was written; and its payload with the header of before in
// front of it must have the digest that the signed manifest names. So one look at the medium proves
// both that the old file was the one of the manifest and that nothing happened to its payload on
// the way: in memory, in the page cache, on the disk.
#pragma once

#include "api/artifacts.hpp"
#include "base/digest.hpp"
#include "base/durable_file.hpp"

#include <array>
#include <string>
#include <thread>

namespace rb::set {

/// Two digests are computed, each by a thread of its own, while the next piece is read.
class RewrapProof final : public ReadBack {
public:
  /// `before` is the artifact as its manifest has it; it outlives the proof.
  explicit RewrapProof(const api::ArtifactStatus& before) : m_artifact(before) {}

  /// Both headers, before the first byte is taken.
  void expect(const std::string& before, const std::string& after);

  [[nodiscard]] Status take(ByteView bytes) override;
  [[nodiscard]] Result<ContentDigest> finish() override;

private:
  void wait();

  const api::ArtifactStatus& m_artifact;
  std::string m_header;             ///< That was written.
  std::size_t m_header_seen = 0;    ///< Bytes of it that came from the medium.
  std::uint64_t m_before_bytes = 0; ///< The old header, and the payload so far.
  std::uint64_t m_after_bytes = 0;
  Sha256 m_before;
  Sha256 m_after;
  Bytes m_piece;
  std::array<std::jthread, 2> m_hashing; ///< Last: they end before what they use goes.
};

} // namespace rb::set
