#include "objects/resources.hpp"

#include "objects/kinds.hpp"
#include "objects/text_field.hpp"

#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace rb::objects {

namespace {

using nlohmann::json;

/// Made up when it is asked for.
constexpr std::string_view k_not_stored = "componentstatuses";

json list_of(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_array() ? *found : json::array();
}

Result<std::string> get_text(ApiPort& api, const std::string& path) {
  RB_TRY_ASSIGN(ApiAnswer answer, api.get(path, "application/json"));
  if (answer.status != 200) {
    return Error{ErrorCode::unavailable,
                 "the API server: GET " + path + ": HTTP " + std::to_string(answer.status),
                 {},
                 0,
                 answer.status};
  }
  return std::move(answer.body);
}

Result<json> get_json(ApiPort& api, const std::string& path) {
  RB_TRY_ASSIGN(const std::string body, get_text(api, path));
  json document = json_of(body);
  if (!document.is_object()) {
    return Error{ErrorCode::corrupt, "the API server: GET " + path + ": not JSON", {}};
  }
  return document;
}

Result<objects::ApiServices> api_services(ApiPort& api) {
  RB_TRY_ASSIGN(const std::string body, get_text(api, objects::k_api_services_path));
  auto services = objects::ApiServices::parse(body);
  if (!services) {
    return std::move(services).error().within("the API server");
  }
  return services;
}

struct GroupVersion {
  std::string group; ///< "" for the core.
  std::string version;
};

/// The core first, and of each group the preferred version first.
Result<std::vector<GroupVersion>> versions(ApiPort& api) {
  std::vector<GroupVersion> all{{"", "v1"}};
  RB_TRY_ASSIGN(const json groups, get_json(api, "/apis"));
  for (const json& group : list_of(groups, "groups")) {
    const std::string name = text_field(group, "name");
    const auto preferred = group.find("preferredVersion");
    const std::string best = preferred == group.end() ? "" : text_field(*preferred, "version");
    if (!best.empty()) {
      all.push_back({name, best});
    }
    for (const json& version : list_of(group, "versions")) {
      if (text_field(version, "version") != best) {
        all.push_back({name, text_field(version, "version")});
      }
    }
  }
  return all;
}

bool can_be_listed(const json& resource) {
  const json verbs = list_of(resource, "verbs");
  const std::string name = text_field(resource, "name");
  return name.find('/') == std::string::npos && name != k_not_stored &&
         std::find(verbs.begin(), verbs.end(), "list") != verbs.end();
}

} // namespace

Result<std::vector<Resource>> discover(ApiPort& api) {
  RB_TRY_ASSIGN(const objects::ApiServices services, api_services(api));
  RB_TRY_ASSIGN(const auto all, versions(api));
  std::vector<Resource> resources;
  std::set<std::string> taken; // events are served by two groups, for example
  for (const auto& [group, version] : all) {
    const objects::Origin origin = services.origin(group, version);
    if (origin == objects::Origin::elsewhere) {
      continue;
    }
    const std::string path = objects::path_of(group, version);
    RB_TRY_ASSIGN(const json answer, get_json(api, path));
    for (const json& resource : list_of(answer, "resources")) {
      const std::string plural = text_field(resource, "name");
      std::string prefix = objects::storage_prefix(group, plural, origin);
      if (can_be_listed(resource) && taken.insert(prefix).second) {
        resources.push_back({path + "/" + plural, std::move(prefix)});
      }
    }
  }
  return resources;
}

} // namespace rb::objects
