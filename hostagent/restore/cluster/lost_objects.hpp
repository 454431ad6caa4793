// Which objects of a snapshot the server that was restored from it does not have, and whose they
// are: those that go and come by themselves are no loss.
// The two sides of the comparison after a restore: what the snapshot holds, and the API of the
// server that was restored from it.
#pragma once

#include "k3s/command.hpp"
#include "objects/contents.hpp"
#include "objects/local_api.hpp"
#include "objects/served.hpp"

#include "base/clock.hpp"
#include "base/port.hpp"

#include <cstdint>
#include <memory>
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

class ClusterApi : public Port {
public:
  /// Errors: those of read_contents_of().
  [[nodiscard]] virtual Result<objects::Contents> contents(const std::string& snapshot_path) = 0;
  /// Open until the value goes. `directory` can be entered by root alone. Errors: those of
  /// start_proxy().
  [[nodiscard]] virtual Result<std::unique_ptr<objects::ApiPort>>
  connect(const k3s::Kubectl& kubectl, const std::string& directory) = 0;
};

class ProxiedClusterApi final : public ClusterApi {
public:
  [[nodiscard]] Result<objects::Contents> contents(const std::string& snapshot_path) override;
  [[nodiscard]] Result<std::unique_ptr<objects::ApiPort>>
  connect(const k3s::Kubectl& kubectl, const std::string& directory) override;

private:
  RealWaiter m_waiter;
};

} // namespace rb::cluster
