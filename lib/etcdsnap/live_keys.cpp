#include "etcdsnap/live_keys.hpp"

#include <algorithm>
#include <string_view>

namespace rb::etcdsnap {

namespace {

constexpr std::string_view k_other = "(other)";
constexpr std::string_view k_registry = "/registry/";
constexpr std::string_view k_bootstrap = "/bootstrap/";
constexpr std::size_t k_kind_length = 253 + 1 + 63; // <group>/<resource>, both DNS names
constexpr std::size_t k_bootstrap_limit = 64;

bool fit_to_print(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

} // namespace

std::optional<std::string> object_kind(std::string_view key) {
  if (!key.starts_with(k_registry)) {
    return std::nullopt;
  }
  key.remove_prefix(k_registry.size());
  std::size_t end = std::min(key.find('/'), key.size());
  const std::string_view first = key.substr(0, end);
  if ((first == "services" || first.find('.') != std::string_view::npos) && end < key.size()) {
    end = std::min(key.find('/', end + 1), key.size());
  }
  const std::string_view kind = key.substr(0, end);
  const bool usable = !kind.empty() && kind.size() <= k_kind_length && fit_to_print(kind);
  return std::string(usable ? kind : k_other);
}

std::optional<std::string> bootstrap_hash(std::string_view key) {
  if (!key.starts_with(k_bootstrap)) {
    return std::nullopt;
  }
  key.remove_prefix(k_bootstrap.size());
  const bool is_hash = !key.empty() && key.size() <= 64 &&
                       key.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_hash ? std::optional(std::string(key)) : std::nullopt;
}

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
    found = m_objects.try_emplace(room ? *kind : std::string(k_other)).first;
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

} // namespace rb::etcdsnap
