#include "set/rewrap_proof.hpp"

#include <algorithm>
#include <system_error>

namespace rb::set {

namespace {

/// What is hashed faster than a thread begins.
constexpr std::size_t k_small_bytes = 128U << 10U;

template <typename Work> void hash_beside(std::jthread& thread, std::size_t bytes, Work work) {
  if (bytes <= k_small_bytes) {
    return work();
  }
  try {
    thread = std::jthread(work);
  } catch (const std::system_error&) { // no more threads to be had
    work();
  }
}

} // namespace

void RewrapProof::expect(const std::string& before, const std::string& after) {
  m_header = after;
  m_before.update(as_bytes(before));
  m_before_bytes = before.size();
}

void RewrapProof::wait() {
  for (std::jthread& thread : m_hashing) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

Status RewrapProof::take(ByteView bytes) {
  wait();
  const std::size_t of_header = std::min(bytes.size(), m_header.size() - m_header_seen);
  if (as_text(bytes.first(of_header)) !=
      std::string_view(m_header).substr(m_header_seen, of_header)) {
    return Error{ErrorCode::corrupt,
                 "the header that was read back is not the one that was written",
                 "the disk or its file system is failing: look at the kernel log"};
  }
  m_header_seen += of_header;
  m_after_bytes += bytes.size();
  m_before_bytes += bytes.size() - of_header;
  m_piece.assign(bytes.begin(), bytes.end());
  const ByteView piece(m_piece);
  hash_beside(m_hashing[0], piece.size(), [this, piece] { m_after.update(piece); });
  hash_beside(m_hashing[1], piece.size(), [this, payload = piece.subspan(of_header)] {
    m_before.update(payload);
  });
  return {};
}

Result<ContentDigest> RewrapProof::finish() {
  wait();
  if (m_header_seen != m_header.size() || m_before_bytes != m_artifact.size_bytes ||
      to_hex(m_before.digest()) != m_artifact.sha256) {
    return Error{ErrorCode::corrupt,
                 "the payload that was read back is not that of the manifest",
                 "the disk or its file system is failing: look at the kernel log"};
  }
  return ContentDigest{m_after_bytes, m_after.digest()};
}

} // namespace rb::set
