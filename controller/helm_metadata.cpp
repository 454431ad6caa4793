#include "controller/helm_metadata.hpp"

#include "controller/helm_pages.hpp"

#include <algorithm>
#include <iterator>

namespace rb::controller {

void NewestRevisions::forget(const std::string& name_space) {
  if (name_space.empty()) {
    m_by_namespace.clear();
    m_left_out.clear();
    m_held = 0;
    return;
  }
  const auto found = m_by_namespace.find(name_space);
  if (found != m_by_namespace.end()) {
    m_held -= found->second.size();
    m_by_namespace.erase(found);
  }
  m_left_out.erase(name_space);
}

void NewestRevisions::add(const nlohmann::json& items) {
  std::map<std::string, std::vector<helm::StoredRelease>> more;
  for (const nlohmann::json& item : items) {
    helm::StoredRelease stored = stored_release(m_kind, item);
    more[stored.name_space].push_back(std::move(stored));
  }
  for (auto& [name_space, objects] : more) {
    merge(name_space, std::move(objects));
  }
  make_room();
}

void NewestRevisions::merge(const std::string& name_space, std::vector<helm::StoredRelease> more) {
  std::vector<helm::StoredRelease>& known = m_by_namespace[name_space];
  m_held -= known.size();
  std::ranges::move(more, std::back_inserter(known));
  known = helm::newest_revisions(std::move(known));
  m_held += known.size();
}

void NewestRevisions::make_room() {
  while (m_held > m_limit) {
    const auto greatest = std::ranges::max_element(
        m_by_namespace, {}, [](const auto& entry) { return entry.second.size(); });
    greatest->second.pop_back();
    m_left_out.insert(greatest->first);
    --m_held;
  }
}

std::vector<helm::StoredRelease> NewestRevisions::take() && {
  std::vector<helm::StoredRelease> all;
  all.reserve(m_held);
  for (auto& [name_space, objects] : m_by_namespace) {
    std::ranges::move(objects, std::back_inserter(all));
  }
  return all;
}

} // namespace rb::controller
