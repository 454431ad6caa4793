// Opens the bbolt file inside a snapshot and says what is in it: the meaning behind the digest.
// Equal, field by field, to what `etcdutl snapshot status` (3.6) prints.
#pragma once

#include "datastore/etcd/random_reader.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::etcd {

struct SnapshotInfo {
  std::int64_t revision = 0;    ///< Main revision of the last entry of the bucket "key".
  std::uint64_t total_keys = 0; ///< Live keys, as etcdutl >= 3.6 counts them.
  std::uint64_t total_keys_all_buckets = 0; ///< Entries of all buckets: totalKey of etcdutl <= 3.5.
  std::uint32_t hash = 0;                   ///< CRC-32C over names, keys and values of all buckets.
  std::uint64_t db_size_bytes = 0; ///< totalSize of etcdutl: high-water mark times page size.
  std::string storage_version;     ///< "3.6.0", or empty: written since etcd 3.6 only.
  std::uint32_t page_size_bytes = 0;
  std::uint64_t pages_in_use = 0;
  /// Live keys below /registry by kind: "pods", "secrets", "services/specs",
  /// "helm.cattle.io/helmcharts". At most k_kind_limit kinds; the rest is in "(other)".
  std::map<std::string, std::uint64_t> objects;
  /// The <hash> of each live key /bootstrap/<hash>: k3s names it after its server token.
  std::vector<std::string> bootstrap_hashes;
  std::uint64_t members = 0; ///< Members of the etcd that it was taken of (bucket "members").
  /// The last value of InspectLimits::wanted_key; absent where it is not there.
  std::optional<Bytes> wanted_value;
};

inline constexpr std::size_t k_kind_limit = 4096;

/// What inspect() may use. The defaults bound it to about 50 MiB, whatever the file.
struct InspectLimits {
  /// One bbolt node with its overflow pages. etcd's largest request is 1.5 MiB by default
  /// (--max-request-bytes), a node holds two or three of them.
  std::uint32_t node_bytes = 16U << 20U;
  std::uint32_t branch_bytes = 1U << 20U; ///< One branch node; one a level is held.
  unsigned depth = 24;                    ///< Levels of the tree.
  std::size_t live_keys = 1U << 20U;      ///< Counted in one pass; more keys take more passes.
  std::string wanted_key; ///< Its value is kept ("/registry/minions/NODE"); empty: none is.
};

/// Walks the whole file: both meta pages, every reachable page (own id, once only, bounds, order
/// of keys, range given by the parent), the freelist where there is one, every bucket.
/// `reader` may include the 32-byte trailer. It does not look at the digest: TrailerCheck does.
/// Errors: corrupt (with the page or the bucket that is wrong), unsupported (over a limit, a
/// bbolt version that we do not know), cancelled, io.
[[nodiscard]] Result<SnapshotInfo>
inspect(RandomReader& reader, const InspectLimits& limits = {}, std::stop_token stop = {});

} // namespace rb::etcd
