#include "objects/served_kinds.hpp"

#include <algorithm>

namespace rb::objects {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view k_definitions = "apiextensions.k8s.io/customresourcedefinitions/";

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
    if (begin != end && !prefixes.contains(prefix)) {
      missing.insert(definition);
    }
  }
  return missing;
}

} // namespace

Result<ServedKinds> served_kinds(ApiPort& api,
                                 const Contents& contents,
                                 Sleeper& sleeper,
                                 std::chrono::seconds patience,
                                 const std::stop_token& stop) {
  const std::set<std::string> custom = definitions(contents);
  ServedKinds served;
  for (auto waited = 0ms; waited <= patience; waited += 500ms) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while comparing", {}};
    }
    RB_TRY_ASSIGN(served.resources, discover(api));
    served.missing = missing_kinds(contents, custom, served.resources);
    if (served.missing.empty()) {
      break;
    }
    sleeper.sleep(500ms);
  }
  return served;
}

} // namespace rb::objects
