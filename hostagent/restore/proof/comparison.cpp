#include "datastore/keys/keys.hpp"
#include "objects/self_made.hpp"
#include "objects/served.hpp"
#include "restore/proof/boot.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace rb::proof {

namespace {

using namespace objects;

class Comparer {
public:
  explicit Comparer(const Contents& contents) : m_contents(&contents) {}

  void differ(std::string what) {
    ++m_result.difference_count;
    if (m_result.differences.size() < k_differences_shown) {
      m_result.differences.push_back(std::move(what));
    }
  }

  void take(const std::string& prefix, const ServedObject& served) {
    const std::string key =
        prefix + "/" + (served.name_space.empty() ? "" : served.name_space + "/") + served.name;
    const auto stored = m_contents->objects.find(key);
    if (objects::is_unsayable(served)) {
      ++m_unsayable[prefix];
    } else if (stored == m_contents->objects.end()) {
      differ(key + ": not in the snapshot");
    } else if (!m_seen.insert(key).second) {
      differ(key + ": listed twice");
    } else if (served.resource_version != std::to_string(stored->second.revision)) {
      differ(key + ": is of revision " + served.resource_version + ", in the snapshot of " +
             std::to_string(stored->second.revision));
    } else if (!stored->second.metadata.uid.empty() && served.uid != stored->second.metadata.uid) {
      differ(key + ": another uid than in the snapshot");
    } else {
      ++m_result.objects;
      ++m_result.kinds[prefix];
    }
  }

  void not_answered(const std::vector<std::string>& what) { m_result.unanswered = what; }
  void not_converted(const std::string& prefix) { m_not_converted.insert(prefix); }

  /// What is in the snapshot and was not served.
  void finish(const std::vector<Resource>& served) {
    std::set<std::string> prefixes;
    for (const Resource& resource : served) {
      prefixes.insert(resource.prefix);
    }
    for (const auto& [key, object] : m_contents->objects) {
      if (m_seen.contains(key)) {
        continue;
      }
      const std::string one = key.substr(0, key.find('/'));
      const std::size_t slash = key.find('/', std::min(key.size(), one.size() + 1));
      const std::string two = key.substr(0, slash);
      if (m_not_converted.contains(two)) {
        ++m_result.unconverted[two];
      } else if (!datastore::is_sayable(key) && (is_told(one) || is_told(two))) {
        ++m_result.objects;
      } else if (prefixes.contains(one) || prefixes.contains(two)) {
        differ(key + ": missing");
      } else if (!objects::is_unserved(key)) {
        ++m_result.unserved[one.find('.') == std::string::npos ? one : two];
      }
    }
    for (const auto& [prefix, left] : m_unsayable) {
      if (left > 0) {
        differ(prefix + ": " + std::to_string(left) +
               " with a name that is not UTF-8: not in the snapshot");
      }
    }
  }

  [[nodiscard]] Comparison result() && { return std::move(m_result); }

private:
  /// One of that kind was served whose name JSON cannot say: by their number.
  bool is_told(const std::string& prefix) {
    const auto found = m_unsayable.find(prefix);
    if (found == m_unsayable.end() || found->second == 0) {
      return false;
    }
    --found->second;
    ++m_result.kinds[prefix];
    return true;
  }

  const Contents* m_contents;
  std::set<std::string> m_seen;
  std::map<std::string, std::uint64_t> m_unsayable; ///< By prefix.
  std::set<std::string> m_not_converted;            ///< "GROUP/PLURAL"
  Comparison m_result;
};

} // namespace

Result<Comparison> compare(ApiPort& api,
                           const Contents& contents,
                           Waiter& waiter,
                           std::chrono::seconds patience,
                           const std::stop_token& stop) {
  RB_TRY_ASSIGN(const ServedKinds served, served_kinds(api, contents, waiter, patience, stop));
  Comparer comparer(contents);
  for (const std::string& definition : served.missing) {
    comparer.differ(definition + ": its definition is there, but not served");
  }
  comparer.not_answered(served.unanswered);
  for (const Resource& resource : served.resources) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while comparing", {}};
    }
    const auto take = [&](const ServedObject& object) { comparer.take(resource.prefix, object); };
    const ListOrder order{resource.path, contents.revision, /*without_pods=*/true};
    const Status listed = list_objects(api, order, waiter, take, stop);
    if (!listed && needs_webhook(listed.error())) {
      comparer.not_converted(resource.prefix);
    } else if (!listed && listed.error().http_status != 0) {
      comparer.differ(resource.prefix + ": " + listed.error().message);
    } else if (!listed) {
      return listed.error();
    }
  }
  comparer.finish(served.resources);
  return std::move(comparer).result();
}

} // namespace rb::proof
