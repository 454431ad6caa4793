// What is alive in the key space: the number of keys, objects by kind, bootstrap keys. Fed with
// puts and tombstones in the order of revisions. Private to this room.
#pragma once

#include "datastore/etcd/inspect.hpp"
#include "datastore/etcd/key_set.hpp"

#include <set>
#include <string>

namespace rb::etcd {

class LiveKeys {
public:
  LiveKeys(const SipKey& sip_key, std::size_t limit) : m_keys(sip_key, limit) {}

  /// See KeySet::choose_part.
  void choose_part(unsigned bits, std::uint64_t part) { m_keys.choose_part(bits, part); }

  void put(ByteView key);
  void remove(ByteView key);

  /// There were more keys than the limit: the numbers mean nothing.
  [[nodiscard]] bool overflowed() const { return m_overflowed; }

  /// Adds what is alive to the totals of `info`.
  void add_to(SnapshotInfo& info) const;

private:
  void count(ByteView key, bool added);

  KeySet m_keys;
  std::map<std::string, std::uint64_t> m_objects;
  std::set<std::string> m_bootstrap;
  bool m_overflowed = false;
};

} // namespace rb::etcd
