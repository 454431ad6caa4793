#include "datastore/etcd/snapshot.hpp"

#include "datastore/etcd/bolt.hpp"
#include "datastore/etcd/entries.hpp"
#include "datastore/keys/live_keys.hpp"

#include "base/fd.hpp"
#include "base/json_fields.hpp"
#include "base/json_member.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace rb::etcd {

using datastore::CopyDigests;
using datastore::CopyFacts;
using datastore::LiveKeys;
using datastore::OnChange;
using datastore::SipKey;

namespace {

// bbolt files are whole pages, so a snapshot is a multiple of 512 and the trailer.
constexpr std::uint64_t k_alignment = 512;

Error invalid(std::string what) {
  return {ErrorCode::corrupt,
          "etcd snapshot: " + std::move(what),
          "the snapshot is not usable: take another one, and look at the log of the k3s server"};
}

constexpr std::string_view k_key_bucket = "key";
constexpr std::string_view k_meta_bucket = "meta";
constexpr std::string_view k_members_bucket = "members";
constexpr std::string_view k_storage_version = "storageVersion";
constexpr std::size_t k_version_length = 32;

/// Of a cluster of k3s a handful; more are not listed.
constexpr std::size_t k_member_limit = 1000;
constexpr std::size_t k_member_limit_bytes = 4096;

/// As etcd stores it (server/etcdserver/api/membership, Member): JSON with name and peerURLs.
/// Nothing in it can make the copy a bad one: what cannot be read is empty.
datastore::Member member_of(ByteView value) {
  datastore::Member member;
  if (value.size() > k_member_limit_bytes) {
    return member;
  }
  const nlohmann::json json = json_of(as_text(value));
  member.name = json_text(json, "name");
  if (const nlohmann::json& peers = json_list(json, "peerURLs"); !peers.empty()) {
    member.peer_url = json_text(peers.front());
  }
  return member;
}

/// One walk over the whole file.
class Survey final : public Visitor {
public:
  Survey(const SipKey& sip_key, const InspectLimits& limits)
      : live(sip_key, limits.live_keys), m_wanted_keys(limits.wanted_keys) {}

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
    if (m_in_members && members.size() < k_member_limit) {
      members.push_back(member_of(value));
    }
    if (m_in_meta && as_text(key) == k_storage_version && value.size() <= k_version_length) {
      const std::string_view text = as_text(value);
      const bool plain = text.find_first_not_of("0123456789.") == std::string_view::npos;
      storage_version = plain ? std::string(text) : std::string();
    }
    return m_in_key ? on_revision(key, value) : Status();
  }

  Crc32c hash;
  LiveKeys live;
  std::uint64_t revisions = 0; ///< Entries of the key bucket: at least as many as live keys.
  std::vector<datastore::Member> members;
  std::int64_t revision = 0;
  std::string storage_version;
  bool has_key_bucket = false;
  std::map<std::string, Bytes> wanted_values;

private:
  Status on_revision(ByteView key, ByteView value) {
    const auto at = decode_revision_key(key);
    const auto stored = decode_key_value(value);
    if (!at || !stored) {
      return damaged("bucket key: entry " + std::to_string(revisions) +
                     (at ? " is not a key with a value" : " is not a revision"));
    }
    ++revisions;
    revision = at->main;
    if (at->tombstone) {
      live.remove(stored->key);
    } else {
      live.put(stored->key);
    }
    const auto wanted = std::ranges::find(m_wanted_keys, as_text(stored->key));
    if (wanted != m_wanted_keys.end() && at->tombstone) {
      wanted_values.erase(*wanted);
    } else if (wanted != m_wanted_keys.end()) {
      wanted_values[*wanted] = Bytes(stored->value.begin(), stored->value.end());
    }
    return {};
  }

  const std::vector<std::string>& m_wanted_keys;
  bool m_in_key = false;
  bool m_in_meta = false;
  bool m_in_members = false;
};

/// More keys than fit: they are counted in parts, one walk each, so that memory stays bounded.
Status count_in_parts(const PageFile& file,
                      const InspectLimits& limits,
                      const std::stop_token& stop,
                      const SipKey& sip_key,
                      std::uint64_t revisions,
                      CopyFacts& info) {
  const unsigned bits = datastore::part_bits(revisions, limits.live_keys);
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
      return damaged("bucket key: an entry is not a revision of a key");
    }
    return (*m_on_change)({stored->key, at->main, at->tombstone, stored->value});
  }

private:
  const OnChange* m_on_change;
  bool m_in_key = false;
};

} // namespace

void TrailerCheck::update(ByteView bytes) {
  m_size_bytes += bytes.size();
  if (bytes.size() >= m_tail.size()) {
    m_hash.update(ByteView(m_tail).first(m_tail_size));
    m_hash.update(bytes.first(bytes.size() - m_tail.size()));
    std::copy_n(
        bytes.end() - static_cast<std::ptrdiff_t>(m_tail.size()), m_tail.size(), m_tail.begin());
    m_tail_size = m_tail.size();
    return;
  }
  const std::size_t joined = m_tail_size + bytes.size();
  const std::size_t surplus = joined > m_tail.size() ? joined - m_tail.size() : 0;
  m_hash.update(ByteView(m_tail).first(surplus));
  std::copy(m_tail.begin() + static_cast<std::ptrdiff_t>(surplus),
            m_tail.begin() + static_cast<std::ptrdiff_t>(m_tail_size),
            m_tail.begin());
  m_tail_size -= surplus;
  std::copy(bytes.begin(), bytes.end(), m_tail.begin() + static_cast<std::ptrdiff_t>(m_tail_size));
  m_tail_size += bytes.size();
}

Result<CopyDigests> TrailerCheck::finish() {
  if (m_size_bytes == 0) {
    return invalid("the file is empty");
  }
  if (m_size_bytes % k_alignment != m_tail.size() || m_size_bytes == m_tail.size()) {
    return invalid("the file is truncated or has no digest (" + std::to_string(m_size_bytes) +
                   " bytes)");
  }
  CopyDigests digests;
  digests.size_bytes = m_size_bytes;
  digests.content = m_hash.digest();
  if (digests.content != m_tail) {
    return invalid("the content does not have the digest that the file ends with");
  }
  m_hash.update(m_tail);
  digests.file = m_hash.digest();
  return digests;
}

Result<CopyFacts> inspect(RandomReader& reader, const InspectLimits& limits, std::stop_token stop) {
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
  CopyFacts info;
  info.revision = survey.revision;
  info.hash = survey.hash.value();
  info.members = std::move(survey.members);
  std::ranges::sort(info.members, {}, &datastore::Member::name);
  info.wanted_values = std::move(survey.wanted_values);
  info.storage_version = survey.storage_version;
  if (survey.live.overflowed()) {
    RB_TRY(count_in_parts(file, limits, stop, sip_key, survey.revisions, info));
  } else {
    survey.live.add_to(info);
  }
  return info;
}

Status replay(RandomReader& reader, const OnChange& on_change, std::stop_token stop) {
  RB_TRY_ASSIGN(const PageFile file, PageFile::open(reader));
  PageMap reachable(file.meta().high_water);
  Replay visitor(on_change);
  return walk_buckets(file, reachable, {}, stop, visitor);
}

Result<std::vector<datastore::Member>> members_of(const std::string& path) {
  class Members final : public Visitor {
  public:
    [[nodiscard]] Status on_bucket(ByteView /*name*/) override { return {}; }
    [[nodiscard]] Status on_entry(ByteView /*key*/, ByteView value) override {
      if (found.size() < k_member_limit) {
        found.push_back(member_of(value));
      }
      return {};
    }
    std::vector<datastore::Member> found;
  };
  RB_TRY_ASSIGN(Fd fd, open_file(path, O_RDONLY | O_NOFOLLOW));
  RB_TRY_ASSIGN(const auto reader, FileReader::open(std::move(fd), path));
  RB_TRY_ASSIGN(const PageFile file, PageFile::open(*reader));
  Members members;
  RB_TRY(walk_bucket(file, k_members_bucket, {}, {}, members));
  std::ranges::sort(members.found, {}, &datastore::Member::name);
  return std::move(members.found);
}

} // namespace rb::etcd
