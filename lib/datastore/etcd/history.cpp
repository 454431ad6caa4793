#include "datastore/etcd/history.hpp"

#include "datastore/etcd/mvcc.hpp"
#include "datastore/etcd/tree_walk.hpp"

namespace rb::etcd {

namespace {

class Replay final : public Visitor {
public:
  explicit Replay(const OnChange& on_change) : m_on_change(&on_change) {}

  [[nodiscard]] Status on_bucket(ByteView name) override {
    m_in_key = as_text(name) == "key";
    return {};
  }

  [[nodiscard]] Status on_entry(ByteView key, ByteView value) override {
    if (!m_in_key) {
      return {};
    }
    const auto at = decode_revision_key(key);
    const auto stored = decode_key_value(value);
    if (!at || !stored) {
      return Error{ErrorCode::corrupt,
                   "etcd snapshot: bucket key: an entry is not a revision of a key",
                   "the snapshot is damaged: take another one"};
    }
    return (*m_on_change)({stored->key, at->main, at->tombstone, stored->value});
  }

private:
  const OnChange* m_on_change;
  bool m_in_key = false;
};

} // namespace

Status replay(RandomReader& reader,
              const OnChange& on_change,
              const InspectLimits& limits,
              std::stop_token stop) {
  RB_TRY_ASSIGN(const PageFile file, PageFile::open(reader));
  PageMap reachable(file.meta().high_water);
  Replay visitor(on_change);
  return walk_buckets(file, reachable, limits, stop, visitor);
}

} // namespace rb::etcd
