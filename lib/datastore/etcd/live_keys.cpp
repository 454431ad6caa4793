#include "datastore/etcd/live_keys.hpp"

#include "datastore/etcd/key_names.hpp"

#include <algorithm>

namespace rb::etcd {

namespace {

constexpr std::size_t k_bootstrap_limit = 64;

} // namespace

void LiveKeys::put(ByteView key) {
  const KeySet::Change change = m_keys.insert(key);
  m_overflowed = m_overflowed || change == KeySet::Change::full;
  if (change == KeySet::Change::added) {
    count(key, true);
  }
}

void LiveKeys::remove(ByteView key) {
  if (m_keys.erase(key) == KeySet::Change::removed) {
    count(key, false);
  }
}

void LiveKeys::count(ByteView key, bool added) {
  if (const auto hash = bootstrap_hash(as_text(key))) {
    if (!added) {
      m_bootstrap.erase(*hash);
    } else if (m_bootstrap.size() < k_bootstrap_limit) {
      m_bootstrap.insert(*hash);
    }
  }
  auto kind = object_kind(as_text(key));
  if (!kind) {
    return;
  }
  auto found = m_objects.find(*kind);
  if (found == m_objects.end()) {
    const bool room = added && m_objects.size() < k_kind_limit;
    found = m_objects.try_emplace(room ? *kind : std::string(k_other_kind)).first;
  }
  if (added) {
    ++found->second;
  } else if (found->second > 0) {
    --found->second;
  }
}

void LiveKeys::add_to(SnapshotInfo& info) const {
  info.total_keys += m_keys.size();
  for (const auto& [kind, number] : m_objects) {
    if (number > 0) {
      info.objects[kind] += number;
    }
  }
  info.bootstrap_hashes.insert(info.bootstrap_hashes.end(), m_bootstrap.begin(), m_bootstrap.end());
  std::sort(info.bootstrap_hashes.begin(), info.bootstrap_hashes.end());
}

} // namespace rb::etcd
