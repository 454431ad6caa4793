#include "datastore/etcd/inspect.hpp"

#include "datastore/etcd/crc32c.hpp"
#include "datastore/etcd/live_keys.hpp"
#include "datastore/etcd/mvcc.hpp"
#include "datastore/etcd/tree_walk.hpp"

namespace rb::etcd {

namespace {

constexpr std::string_view k_key_bucket = "key";
constexpr std::string_view k_meta_bucket = "meta";
constexpr std::string_view k_members_bucket = "members";
constexpr std::string_view k_storage_version = "storageVersion";
constexpr std::size_t k_version_length = 32;

/// One walk over the whole file.
class Survey final : public Visitor {
public:
  Survey(const SipKey& sip_key, const InspectLimits& limits)
      : live(sip_key, limits.live_keys), m_wanted_key(limits.wanted_key) {}

  [[nodiscard]] Status on_bucket(ByteView name) override {
    hash.update(name);
    m_in_key = as_text(name) == k_key_bucket;
    m_in_meta = as_text(name) == k_meta_bucket;
    m_in_members = as_text(name) == k_members_bucket;
    has_key_bucket = has_key_bucket || m_in_key;
    return {};
  }

  [[nodiscard]] Status on_entry(ByteView key, ByteView value) override {
    hash.update(key);
    hash.update(value);
    ++entries;
    members += m_in_members ? 1 : 0;
    if (m_in_meta && as_text(key) == k_storage_version && value.size() <= k_version_length) {
      const std::string_view text = as_text(value);
      const bool plain = text.find_first_not_of("0123456789.") == std::string_view::npos;
      storage_version = plain ? std::string(text) : std::string();
    }
    return m_in_key ? on_revision(key, value) : Status();
  }

  Crc32c hash;
  LiveKeys live;
  std::uint64_t entries = 0;
  std::uint64_t revisions = 0; ///< Entries of the key bucket: at least as many as live keys.
  std::uint64_t members = 0;
  std::int64_t revision = 0;
  std::string storage_version;
  bool has_key_bucket = false;
  std::optional<Bytes> wanted_value;

private:
  Status on_revision(ByteView key, ByteView value) {
    const auto at = decode_revision_key(key);
    const auto name = key_of_value(value);
    if (!at || !name) {
      return Error{ErrorCode::corrupt,
                   "etcd snapshot: bucket key: entry " + std::to_string(revisions) +
                       (at ? " is not a key with a value" : " is not a revision"),
                   "the snapshot is damaged: take another one"};
    }
    ++revisions;
    revision = at->main;
    if (at->tombstone) {
      live.remove(*name);
    } else {
      live.put(*name);
    }
    if (!m_wanted_key.empty() && as_text(*name) == m_wanted_key) {
      keep(at->tombstone, value);
    }
    return {};
  }

  void keep(bool deleted, ByteView message) {
    const auto stored = deleted ? std::nullopt : decode_key_value(message);
    wanted_value =
        stored ? std::optional(Bytes(stored->value.begin(), stored->value.end())) : std::nullopt;
  }

  const std::string& m_wanted_key;
  bool m_in_key = false;
  bool m_in_meta = false;
  bool m_in_members = false;
};

/// So many that a part of the revisions fits into `limit` keys with room to spare.
unsigned part_bits(std::uint64_t revisions, std::size_t limit) {
  unsigned bits = 1;
  while (bits < 32 && (revisions >> bits) > limit / 4 * 3) {
    ++bits;
  }
  return bits;
}

/// More keys than fit: they are counted in parts, one walk each, so that memory stays bounded.
Status count_in_parts(const PageFile& file,
                      const InspectLimits& limits,
                      const std::stop_token& stop,
                      const SipKey& sip_key,
                      std::uint64_t revisions,
                      SnapshotInfo& info) {
  const unsigned bits = part_bits(revisions, limits.live_keys);
  for (std::uint64_t part = 0; part < std::uint64_t{1} << bits; ++part) {
    Survey survey(sip_key, limits);
    survey.live.choose_part(bits, part);
    PageMap reachable(file.meta().high_water);
    RB_TRY(walk_buckets(file, reachable, limits, stop, survey));
    if (survey.live.overflowed()) {
      return Error{ErrorCode::unsupported, "etcd snapshot: too many keys to count", {}};
    }
    survey.live.add_to(info);
  }
  return {};
}

} // namespace

Result<SnapshotInfo>
inspect(RandomReader& reader, const InspectLimits& limits, std::stop_token stop) {
  RB_TRY_ASSIGN(const PageFile file, PageFile::open(reader));
  PageMap reachable(file.meta().high_water);
  const SipKey sip_key = SipKey::random();
  Survey survey(sip_key, limits);
  RB_TRY(walk_buckets(file, reachable, limits, stop, survey));
  RB_TRY(check_freelist(file, reachable));
  if (!survey.has_key_bucket) {
    return Error{ErrorCode::corrupt,
                 "etcd snapshot: has no bucket key",
                 "it is a bbolt file, but not the database of an etcd"};
  }
  SnapshotInfo info;
  info.revision = survey.revision;
  info.total_keys_all_buckets = survey.entries;
  info.hash = survey.hash.value();
  info.db_size_bytes = file.size_bytes();
  info.members = survey.members;
  info.wanted_value = std::move(survey.wanted_value);
  info.storage_version = survey.storage_version;
  info.page_size_bytes = file.meta().page_size_bytes;
  info.pages_in_use = reachable.claimed();
  if (survey.live.overflowed()) {
    RB_TRY(count_in_parts(file, limits, stop, sip_key, survey.revisions, info));
  } else {
    survey.live.add_to(info);
  }
  return info;
}

} // namespace rb::etcd
