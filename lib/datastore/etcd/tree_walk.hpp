// Walks the B+ trees of a bbolt file in key order and checks on the way what `bbolt check`
// checks: every page once, keys in order, every key within the range that its parent gives.
// Private to this room.
#pragma once

#include "datastore/etcd/inspect.hpp"
#include "datastore/etcd/page_file.hpp"
#include "datastore/etcd/page_map.hpp"

namespace rb::etcd {

/// Told of everything in the order of the file. Views are valid during the call.
class Visitor {
public:
  Visitor() = default;
  virtual ~Visitor() = default;
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  Visitor(Visitor&&) = delete;
  Visitor& operator=(Visitor&&) = delete;

  [[nodiscard]] virtual Status on_bucket(ByteView name) = 0;
  [[nodiscard]] virtual Status on_entry(ByteView key, ByteView value) = 0;
};

/// Walks all buckets. etcd has one level of them: a bucket in a bucket, or an entry outside of
/// one, is damage. Claims the pages in `reachable`. Errors: those of inspect() and of `visitor`.
[[nodiscard]] Status walk_buckets(const PageFile& file,
                                  PageMap& reachable,
                                  const InspectLimits& limits,
                                  const std::stop_token& stop,
                                  Visitor& visitor);

/// Claims the pages of the freelist in `reachable`, where the file has one, and holds it against
/// them: no page both free and in use, none neither. Call it after walk_buckets.
[[nodiscard]] Status check_freelist(const PageFile& file, PageMap& reachable);

} // namespace rb::etcd
