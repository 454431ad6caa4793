// Which objects of a snapshot the server that was restored from it does not have, and whose they
// are: those that go and come by themselves are no loss.
#pragma once

#include "objects/contents.hpp"
#include "objects/served.hpp"

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::cluster {

inline constexpr std::size_t k_objects_named = 20;

/// The first of them by name, and how many there are.
struct NamedObjects {
  std::vector<std::string> first;
  std::uint64_t count = 0;

  void add(std::string name);
};

struct ObjectComparison {
  std::vector<std::string> differences; ///< Lines for people, of kinds whose numbers differ.
  NamedObjects missing;                 ///< "configmaps shop/settings": the operator's.
  NamedObjects passing;    ///< "events: …": gone, with the reason why that is no loss.
  std::uint64_t kinds = 0; ///< Those that were compared.
};

/// Pure. Why an object that was in the snapshot may be gone; nothing where it must be there.
/// `key` is that below /registry/.
[[nodiscard]] std::optional<std::string_view> why_gone(const std::string& key,
                                                       const objects::Contents& contents);

/// Every kind of `served` of which the snapshot has objects, by name; kinds that are all
/// self-made by their number. Kinds that are refused or not served are a difference. Errors: those
/// of list_objects() but for refusals.
[[nodiscard]] Result<ObjectComparison> compare_objects(objects::ApiPort& api,
                                                       const objects::Contents& contents,
                                                       const std::vector<objects::Resource>& served,
                                                       Waiter& waiter);

} // namespace rb::cluster
