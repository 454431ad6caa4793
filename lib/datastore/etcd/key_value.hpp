// Entries of the bucket "key" (etcd, server/storage/mvcc/revision.go and api/mvccpb/kv.proto).
// Private to this room.
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

} // namespace rb::etcd
