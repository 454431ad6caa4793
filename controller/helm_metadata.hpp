// Which object holds the newest revision of each release, gathered from pages of metadata.
// Guarantee: however many objects there are, no more than `limit` are held; where there are more,
// the namespace that has the most of them loses some, and no other.
#pragma once

#include "helm/stored_release.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace rb::controller {

/// A cluster has some hundreds. Each takes some 700 bytes.
inline constexpr std::size_t k_releases_limit = 20'000;

class NewestRevisions {
public:
  explicit NewestRevisions(helm::StorageKind kind, std::size_t limit = k_releases_limit)
      : m_kind(kind), m_limit(limit) {}

  /// What was seen of the namespace, or of all where it is empty.
  void forget(const std::string& name_space);
  void add(const nlohmann::json& items);

  /// Namespaces of which some objects were left out.
  [[nodiscard]] const std::set<std::string>& left_out() const { return m_left_out; }
  [[nodiscard]] std::vector<helm::StoredRelease> take() &&;

private:
  void merge(const std::string& name_space, std::vector<helm::StoredRelease> more);
  void make_room();

  helm::StorageKind m_kind;
  std::size_t m_limit;
  std::size_t m_held = 0;
  std::map<std::string, std::vector<helm::StoredRelease>> m_by_namespace;
  std::set<std::string> m_left_out;
};

} // namespace rb::controller
