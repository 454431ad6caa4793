// The check that `etcdctl snapshot restore` makes before it takes a file: the last 32 bytes are
// the SHA-256 of all that precedes them, and the size modulo 512 is 32
// (etcd, etcdutl/snapshot, "hasChecksum"). One hash pass gives this and the digest of the file.
#pragma once

#include "base/bytes.hpp"
#include "base/sha256.hpp"

#include <array>
#include <cstdint>

namespace rb::etcd {

struct TrailerDigests {
  Sha256Digest content{};       ///< Of the bbolt file alone; equal to the trailer.
  Sha256Digest file{};          ///< Of the whole snapshot file, trailer included.
  std::uint64_t size_bytes = 0; ///< Of the whole snapshot file.
};

/// Takes the file in order, in pieces of any size. Used by one thread at a time.
class TrailerCheck {
public:
  void update(ByteView bytes);

  /// Bytes seen so far.
  [[nodiscard]] std::uint64_t size_bytes() const { return m_size_bytes; }

  /// Once, after the last byte. Errors: corrupt (empty; a size that no snapshot has; a trailer
  /// that is not the digest of the content).
  [[nodiscard]] Result<TrailerDigests> finish();

private:
  Sha256 m_hash;
  // The last bytes seen, not yet hashed: they may be the trailer.
  std::array<std::uint8_t, 32> m_tail{};
  std::size_t m_tail_size = 0;
  std::uint64_t m_size_bytes = 0;
};

} // namespace rb::etcd
