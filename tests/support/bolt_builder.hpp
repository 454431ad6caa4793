// Makes bbolt files byte by byte, so that tests can make them wrong in one place.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rb::test {

using Entries = std::vector<std::pair<std::string, std::string>>;

struct BoltOptions {
  std::uint32_t page_size_bytes = 4096;
  std::size_t leaf_entries = 10;       ///< More entries than that make a tree of two levels.
  bool inline_small = true;            ///< Buckets of up to three entries lie in their parent.
  std::vector<std::uint64_t> freelist; ///< Written when not empty.
};

/// A database with these buckets; entries must be sorted.
[[nodiscard]] Bytes make_bolt(const std::map<std::string, Entries>& buckets,
                              const BoltOptions& options = {});

/// `database` and the trailer that etcd appends.
[[nodiscard]] Bytes with_trailer(Bytes database);

/// A key of etcd's bucket "key": revision, and 't' for a tombstone.
[[nodiscard]] std::string
revision_key(std::uint64_t main, std::uint64_t sub, bool tombstone = false);

/// A mvccpb.KeyValue with key and value.
[[nodiscard]] std::string key_value(const std::string& key, const std::string& value = "v");

/// The buckets of an etcd: "key" with `revisions`, the rest as in a new cluster.
[[nodiscard]] std::map<std::string, Entries> etcd_buckets(Entries revisions);

/// Writes both meta pages again, after a test has changed `database`: for faults that are not
/// faults of the checksum. Offsets are those of the record (pgid of the root at 16, freelist at
/// 32, high water at 40).
void set_meta_field(Bytes& database, std::size_t offset, std::uint64_t value);

} // namespace rb::test
