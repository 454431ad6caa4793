#include "helm/inventory.hpp"

#include "helm/index.hpp"

#include <algorithm>
#include <iterator>

namespace rb::helm {

namespace {

/// Header, pax header with its path, and padding of one file in a tar.
constexpr std::size_t k_tar_overhead_bytes = 4 * 512;

std::size_t size_of(const std::variant<std::monostate, Release, OddRelease>& item) {
  if (const auto* release = std::get_if<Release>(&item)) {
    return archived_bytes(*release);
  }
  const auto* odd = std::get_if<OddRelease>(&item);
  return odd == nullptr ? 0 : archived_bytes(*odd);
}

OddRelease listed_only(const Release& release) {
  return {{release.key.name_space,
           release.storage_object,
           "too large: its namespace has more than there is room for"},
          {}};
}

} // namespace

std::size_t archived_bytes(const Release& release) {
  // The file's name is shorter than those it is made of, and a little.
  const std::string file = release.key.name_space + release.key.name + "/@configmap.yaml";
  return release.values_yaml.size() + entry_json(indexed(release, file)).size() +
         k_tar_overhead_bytes;
}

std::size_t archived_bytes(const OddRelease& odd) {
  const std::string file = odd.name_space + odd.storage_object;
  const std::size_t entry =
      entry_json(IndexedObject{odd.name_space, odd.storage_object, odd.message, file}).size();
  return entry + (odd.raw.empty() ? 0 : odd.raw.size() + k_tar_overhead_bytes);
}

void Collector::add(const StoredRelease& stored, std::string_view api_data) {
  auto release = decode_release(stored, api_data, m_limits);
  if (release) {
    add(*std::move(release));
  } else {
    add(odd_release(stored, api_data, release.error()));
  }
}

void Collector::add(Release release) {
  const std::string name_space = release.key.name_space;
  hold(name_space, std::move(release));
}

void Collector::add(OddRelease odd) {
  const std::string name_space = odd.name_space;
  hold(name_space, std::move(odd));
}

void Collector::add_unread(const StoredRelease& stored, const Error& error) {
  add(OddRelease{undecodable(stored, error), {}});
}

void Collector::hold(const std::string& name_space, Item item) {
  m_items.push_back(std::move(item));
  enter(name_space, m_items.size() - 1);
  make_room();
}

void Collector::enter(const std::string& name_space, std::size_t at) {
  const std::size_t bytes = size_of(m_items[at]);
  Namespace& held = m_namespaces[name_space];
  held.items.emplace(bytes, at);
  held.bytes += bytes;
  m_used += bytes;
}

void Collector::make_room() {
  while (m_used > m_budget.bytes) {
    const auto greatest = std::max_element(
        m_namespaces.begin(), m_namespaces.end(), [](const auto& a, const auto& b) {
          return a.second.bytes < b.second.bytes;
        });
    Namespace& held = greatest->second;
    const auto largest = std::prev(held.items.end());
    const auto [bytes, at] = *largest;
    held.items.erase(largest);
    held.bytes -= bytes;
    m_used -= bytes;
    Item& item = m_items[at];
    if (const auto* release = std::get_if<Release>(&item)) {
      item = listed_only(*release);
    } else if (auto& odd = std::get<OddRelease>(item); !odd.raw.empty()) {
      odd.raw = {};
      odd.message += "; its bytes are not kept: its namespace has more than there is room for";
    } else {
      item = std::monostate{};
      ++m_unlisted;
      continue;
    }
    enter(greatest->first, at);
  }
}

Inventory Collector::take() && {
  Inventory inventory;
  inventory.unlisted = m_unlisted;
  for (Item& item : m_items) {
    if (auto* release = std::get_if<Release>(&item)) {
      inventory.releases.push_back(std::move(*release));
    } else if (auto* odd = std::get_if<OddRelease>(&item)) {
      inventory.undecodable.push_back(std::move(*odd));
    }
  }
  return inventory;
}

} // namespace rb::helm
