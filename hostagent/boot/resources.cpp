#include "boot/resources.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace rb::boot {

namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> k_renamed{{
    {"nodes", "minions"},
    {"services", "services/specs"},
    {"endpoints", "services/endpoints"},
    {"replicationcontrollers", "controllers"},
    {"ingresses", "ingress"},
    {"podsecuritypolicies", "podsecuritypolicy"},
}};

/// Made up when it is asked for.
constexpr std::string_view k_not_stored = "componentstatuses";

/// "" where there is no such text.
std::string text(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json list_of(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_array() ? *found : json::array();
}

Result<json> get_json(ApiPort& api, const std::string& path) {
  RB_TRY_ASSIGN(const ApiAnswer answer, api.get(path, "application/json"));
  if (answer.status != 200) {
    return Error{ErrorCode::unavailable,
                 "the scratch server: GET " + path + ": HTTP " + std::to_string(answer.status),
                 {},
                 0,
                 answer.status};
  }
  json document = json::parse(answer.body, nullptr, false);
  if (!document.is_object()) {
    return Error{ErrorCode::corrupt, "the scratch server: GET " + path + ": not JSON", {}};
  }
  return document;
}

/// "v1beta1.metrics.k8s.io" of each API that another server answers for.
Result<std::set<std::string>> aggregated(ApiPort& api) {
  RB_TRY_ASSIGN(const json list, get_json(api, "/apis/apiregistration.k8s.io/v1/apiservices"));
  std::set<std::string> names;
  for (const json& item : list_of(list, "items")) {
    const auto spec = item.find("spec");
    if (spec != item.end() && spec->contains("service") && (*spec)["service"].is_object()) {
      names.insert(text(*spec, "version") + "." + text(*spec, "group"));
    }
  }
  return names;
}

struct GroupVersion {
  std::string group; ///< "" for the core.
  std::string version;

  [[nodiscard]] std::string path() const {
    return group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
  }
};

/// The core first, and of each group the preferred version first.
Result<std::vector<GroupVersion>> versions(ApiPort& api) {
  std::vector<GroupVersion> all{{"", "v1"}};
  RB_TRY_ASSIGN(const json groups, get_json(api, "/apis"));
  for (const json& group : list_of(groups, "groups")) {
    const std::string name = text(group, "name");
    const auto preferred = group.find("preferredVersion");
    const std::string best = preferred == group.end() ? "" : text(*preferred, "version");
    if (!best.empty()) {
      all.push_back({name, best});
    }
    for (const json& version : list_of(group, "versions")) {
      if (text(version, "version") != best) {
        all.push_back({name, text(version, "version")});
      }
    }
  }
  return all;
}

bool can_be_listed(const json& resource) {
  const json verbs = list_of(resource, "verbs");
  const std::string name = text(resource, "name");
  return name.find('/') == std::string::npos && name != k_not_stored &&
         std::find(verbs.begin(), verbs.end(), "list") != verbs.end();
}

} // namespace

std::string storage_prefix(std::string_view group, std::string_view plural, bool is_custom) {
  if (is_custom || group == "apiextensions.k8s.io" || group == "apiregistration.k8s.io") {
    return std::string(group) + "/" + std::string(plural);
  }
  for (const auto& [name, prefix] : k_renamed) {
    if (name == plural) {
      return std::string(prefix);
    }
  }
  return std::string(plural);
}

Result<std::vector<Resource>> discover(ApiPort& api, const std::set<std::string>& custom) {
  RB_TRY_ASSIGN(const auto elsewhere, aggregated(api));
  RB_TRY_ASSIGN(const auto all, versions(api));
  std::vector<Resource> resources;
  std::set<std::string> taken; // events are served by two groups, for example
  for (const GroupVersion& version : all) {
    if (elsewhere.count(version.version + "." + version.group) > 0) {
      continue;
    }
    RB_TRY_ASSIGN(const json answer, get_json(api, version.path()));
    for (const json& resource : list_of(answer, "resources")) {
      const std::string plural = text(resource, "name");
      const bool is_custom = custom.count(plural + "." + version.group) > 0;
      std::string prefix = storage_prefix(version.group, plural, is_custom);
      if (can_be_listed(resource) && taken.insert(prefix).second) {
        resources.push_back({version.path() + "/" + plural, std::move(prefix)});
      }
    }
  }
  return resources;
}

} // namespace rb::boot
