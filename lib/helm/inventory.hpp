// What was read of a cluster's releases, within one budget of memory. No I/O.
#pragma once

#include "helm/limits.hpp"
#include "helm/release.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rb::helm {

struct Inventory {
  std::vector<Release> releases;
  std::vector<OddRelease> undecodable;
  std::int64_t unlisted = 0; ///< Undecodable ones, for which not even an entry had room.
};

/// Takes stored releases one by one, in any order. Not thread-safe.
///
/// Where the budget is passed, the namespace that has the most in it loses its largest release to a
/// mere entry in the list, until all fits: who stores much can harm nobody but himself.
class Collector {
public:
  explicit Collector(Budget budget = {}, const Limits& limits = {})
      : m_budget(budget), m_limits(limits) {}

  /// `api_data` as decode_release() takes it; empty: the object has none. What does not decode is
  /// kept as it was stored.
  void add(const StoredRelease& stored, std::string_view api_data);
  void add(Release release);
  void add(OddRelease odd);
  /// An object that is there and could not be read.
  void add_unread(const StoredRelease& stored, const Error& error);

  /// At most the budget.
  [[nodiscard]] std::size_t used_bytes() const { return m_used; }

  [[nodiscard]] Inventory take() &&;

private:
  using Item = std::variant<std::monostate, Release, OddRelease>;
  struct Namespace {
    std::size_t bytes = 0;
    std::set<std::pair<std::size_t, std::size_t>> items; ///< Size, and where in m_items.
  };

  void hold(const std::string& name_space, Item item);
  void enter(const std::string& name_space, std::size_t at);
  void make_room();

  Budget m_budget;
  Limits m_limits;
  std::vector<Item> m_items;
  std::map<std::string, Namespace> m_namespaces;
  std::size_t m_used = 0;
  std::int64_t m_unlisted = 0;
};

/// What an item takes in the archive, its entry in the index and the records of tar included.
[[nodiscard]] std::size_t archived_bytes(const Release& release);
[[nodiscard]] std::size_t archived_bytes(const OddRelease& odd);

} // namespace rb::helm
