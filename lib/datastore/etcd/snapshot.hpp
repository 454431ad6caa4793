// A snapshot of etcd: the file, the digest that it ends with, and what is in it.
#pragma once

#include "datastore/keys/copy.hpp"

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/random_reader.hpp"

#include <array>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::etcd {

/// The check that `etcdctl snapshot restore` makes before it takes a file: the last 32 bytes are
/// the SHA-256 of all that precedes them, and the size modulo 512 is 32 (etcd, etcdutl/snapshot,
/// "hasChecksum"). One hash pass gives this and the digest of the file. Takes the file in order, in
/// pieces of any size. Used by one thread at a time.
class TrailerCheck final : public datastore::CopyCheck {
public:
  void update(ByteView bytes) override;

  /// Bytes seen so far.
  [[nodiscard]] std::uint64_t size_bytes() const { return m_size_bytes; }

  /// Once, after the last byte. Errors: corrupt (empty; a size that no snapshot has; a trailer
  /// that is not the digest of the content).
  /// `content` is the bbolt file alone: equal to the trailer.
  [[nodiscard]] Result<datastore::CopyDigests> finish() override;

private:
  Sha256 m_hash;
  // The last bytes seen, not yet hashed: they may be the trailer.
  std::array<std::uint8_t, 32> m_tail{};
  std::size_t m_tail_size = 0;
  std::uint64_t m_size_bytes = 0;
};

/// What inspect() may use. The defaults bound it to about 50 MiB, whatever the file.
struct InspectLimits {
  /// One bbolt node with its overflow pages. etcd's largest request is 1.5 MiB by default
  /// (--max-request-bytes), a node holds two or three of them.
  std::uint32_t node_bytes = 16U << 20U;
  std::uint32_t branch_bytes = 1U << 20U; ///< One branch node; one a level is held.
  std::size_t live_keys = 1U << 20U;      ///< Counted in one pass; more keys take more passes.
  std::vector<std::string> wanted_keys;   ///< Their values are kept ("/registry/minions/NODE").
};

/// Walks the whole file: both meta pages, every reachable page (own id, once only, bounds, order
/// of keys, range given by the parent), the freelist where there is one, every bucket.
/// `reader` may include the 32-byte trailer. It does not look at the digest: TrailerCheck does.
/// Equal, field by field, to what `etcdutl snapshot status` (3.6) prints: `revision` is the main
/// revision of the last entry of the bucket "key", `hash` the CRC-32C over names, keys and values
/// of all buckets, `storage_version` is written since etcd 3.6 only, `members` are those of the
/// bucket "members", by name.
/// Errors: corrupt (with the page or the bucket that is wrong), unsupported (over a limit, a
/// bbolt version that we do not know), cancelled, io.
[[nodiscard]] Result<datastore::CopyFacts>
inspect(RandomReader& reader, const InspectLimits& limits = {}, std::stop_token stop = {});

/// The members that the database at `path` (member/snap/db) has noted; an etcd may be running on
/// it, and only their bucket is read. Errors: those of inspect(), not_found.
[[nodiscard]] Result<std::vector<datastore::Member>> members_of(const std::string& path);

/// Walks the whole file as inspect() does, and with its errors: for callers that need more than
/// counts.
[[nodiscard]] Status
replay(RandomReader& reader, const datastore::OnChange& on_change, std::stop_token stop = {});

} // namespace rb::etcd
