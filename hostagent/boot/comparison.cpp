#include "boot/comparison.hpp"

#include "boot/object_list.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace rb::boot {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view k_definitions = "apiextensions.k8s.io/customresourcedefinitions/";
/// What the API server keeps for itself.
constexpr std::array<std::string_view, 4> k_internal{
    "ranges", "masterleases", "peerserverleases", "health"};

Error stopped() {
  return {ErrorCode::cancelled, "told to stop while comparing", {}};
}

/// Keys that begin with `prefix`, as a range of the map.
auto below(const Contents& contents, const std::string& prefix) {
  const auto begin = contents.objects.lower_bound(prefix);
  auto end = begin;
  while (end != contents.objects.end() && end->first.starts_with(prefix)) {
    ++end;
  }
  return std::pair(begin, end);
}

std::set<std::string> definitions(const Contents& contents) {
  const std::string prefix(k_definitions);
  std::set<std::string> names;
  const auto [begin, end] = below(contents, prefix);
  for (auto it = begin; it != end; ++it) {
    names.insert(it->first.substr(prefix.size()));
  }
  return names;
}

/// "plural.group" -> "group/plural/"
std::string custom_prefix(const std::string& definition) {
  const std::size_t dot = std::min(definition.find('.'), definition.size() - 1);
  return definition.substr(dot + 1) + "/" + definition.substr(0, dot) + "/";
}

/// Definitions with objects that are not served.
std::set<std::string> missing_kinds(const Contents& contents,
                                    const std::set<std::string>& custom,
                                    const std::vector<Resource>& served) {
  std::set<std::string> prefixes;
  for (const Resource& resource : served) {
    prefixes.insert(resource.prefix + "/");
  }
  std::set<std::string> missing;
  for (const std::string& definition : custom) {
    const std::string prefix = custom_prefix(definition);
    const auto [begin, end] = below(contents, prefix);
    if (begin != end && prefixes.count(prefix) == 0) {
      missing.insert(definition);
    }
  }
  return missing;
}

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
    if (stored == m_contents->objects.end()) {
      differ(key + ": not in the snapshot");
    } else if (!m_seen.insert(key).second) {
      differ(key + ": listed twice");
    } else if (served.resource_version != std::to_string(stored->second.revision)) {
      differ(key + ": is of revision " + served.resource_version + ", in the snapshot of " +
             std::to_string(stored->second.revision));
    } else if (!stored->second.uid.empty() && served.uid != stored->second.uid) {
      differ(key + ": another uid than in the snapshot");
    } else {
      ++m_result.objects;
      m_result.uids += stored->second.uid.empty() ? 0U : 1U;
      ++m_result.kinds[prefix];
    }
  }

  /// What is in the snapshot and was not served.
  void finish(const std::vector<Resource>& served) {
    std::set<std::string> prefixes;
    for (const Resource& resource : served) {
      prefixes.insert(resource.prefix);
    }
    for (const auto& [key, object] : m_contents->objects) {
      if (m_seen.count(key) > 0) {
        continue;
      }
      const std::string one = key.substr(0, key.find('/'));
      const std::size_t slash = key.find('/', std::min(key.size(), one.size() + 1));
      const std::string two = key.substr(0, slash);
      if (prefixes.count(one) > 0 || prefixes.count(two) > 0) {
        differ(key + ": missing");
      } else if (std::find(k_internal.begin(), k_internal.end(), one) == k_internal.end()) {
        ++m_result.unserved[one.find('.') == std::string::npos ? one : two];
      }
    }
  }

  [[nodiscard]] Comparison result() && { return std::move(m_result); }

private:
  const Contents* m_contents;
  std::set<std::string> m_seen;
  Comparison m_result;
};

} // namespace

Result<Comparison> compare(ApiPort& api,
                           const Contents& contents,
                           recover::Sleeper& sleeper,
                           std::chrono::seconds patience,
                           const std::stop_token& stop) {
  const std::set<std::string> custom = definitions(contents);
  std::vector<Resource> served;
  std::set<std::string> missing;
  for (auto waited = 0ms; waited <= patience; waited += 500ms) {
    if (stop.stop_requested()) {
      return stopped();
    }
    RB_TRY_ASSIGN(served, discover(api));
    missing = missing_kinds(contents, custom, served);
    if (missing.empty()) {
      break;
    }
    sleeper.sleep(500ms);
  }
  Comparer comparer(contents);
  for (const std::string& definition : missing) {
    comparer.differ(definition + ": its definition is there, but not served");
  }
  for (const Resource& resource : served) {
    if (stop.stop_requested()) {
      return stopped();
    }
    const auto take = [&](const ServedObject& object) { comparer.take(resource.prefix, object); };
    const Status listed =
        list_objects(api, {resource.path, contents.revision}, sleeper, take, stop);
    if (!listed && listed.error().http_status != 0) {
      comparer.differ(resource.prefix + ": " + listed.error().message);
    } else if (!listed) {
      return listed.error();
    }
  }
  comparer.finish(served);
  return std::move(comparer).result();
}

} // namespace rb::boot
