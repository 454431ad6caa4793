// Entries of the bucket "key" (etcd, server/storage/mvcc/revision.go and api/mvccpb/kv.proto), and
// the sum over all entries. Private to this room.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>

namespace rb::etcd {

struct RevisionKey {
  std::int64_t main = 0;
  bool tombstone = false; ///< The key was deleted in this revision.
};

/// 8 bytes big-endian, '_', 8 bytes big-endian, and 't' for a tombstone.
[[nodiscard]] std::optional<RevisionKey> decode_revision_key(ByteView bytes);

/// Views into the message; empty where it has no such field.
struct KeyValue {
  ByteView key;
  ByteView value;
};

/// Fields 1 (key) and 5 (value) of a KeyValue message; the others are checked for form only.
[[nodiscard]] std::optional<KeyValue> decode_key_value(ByteView message);

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the `hash` of `etcdutl snapshot status`.
class Crc32c {
public:
  void update(ByteView bytes);
  [[nodiscard]] std::uint32_t value() const { return ~m_state; }

private:
  std::uint32_t m_state = ~std::uint32_t{0};
};

} // namespace rb::etcd
