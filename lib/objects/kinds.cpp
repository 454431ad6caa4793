#include "objects/kinds.hpp"

#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace rb::objects {

namespace {

using nlohmann::json;

constexpr const char* k_label = "kube-aggregator.kubernetes.io/automanaged";
constexpr const char* k_built_in = "onstart";

/// Where etcd's key is not the name of the resource (k8s.io/kubernetes, pkg/registry and
/// pkg/kubeapiserver/default_storage_factory_builder.go).
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> k_renamed{{
    {"nodes", "minions"},
    {"services", "services/specs"},
    {"endpoints", "services/endpoints"},
    {"replicationcontrollers", "controllers"},
    {"ingresses", "ingress"},
    {"podsecuritypolicies", "podsecuritypolicy"},
}};

/// Servers within the API server that prefix their keys with their group.
constexpr std::array<std::string_view, 2> k_under_their_group{"apiextensions.k8s.io",
                                                              "apiregistration.k8s.io"};

/// The member `name`, or null.
const json& member(const json& object, const char* name) {
  static const json k_none;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : k_none;
}

std::string text(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

Origin origin_of(const json& service) {
  if (member(member(service, "spec"), "service").is_object()) {
    return Origin::elsewhere;
  }
  const json& labels = member(member(service, "metadata"), "labels");
  return text(labels, k_label) == k_built_in ? Origin::built_in : Origin::custom;
}

} // namespace

Result<ApiServices> ApiServices::parse(std::string_view text_of_list) {
  const json list = json_of(text_of_list);
  const json& items = member(list, "items");
  if (!items.is_array()) {
    return Error{ErrorCode::corrupt, "the list of API services is none", {}};
  }
  ApiServices services;
  for (const json& item : items) {
    const json& spec = member(item, "spec");
    services.m_origins[text(spec, "version") + "." + text(spec, "group")] = origin_of(item);
  }
  return services;
}

Origin ApiServices::origin(std::string_view group, std::string_view version) const {
  if (group.empty()) {
    return Origin::built_in;
  }
  const auto found = m_origins.find(std::string(version) + "." + std::string(group));
  return found == m_origins.end() ? Origin::custom : found->second;
}

std::string storage_prefix(std::string_view group, std::string_view plural, Origin origin) {
  if (origin == Origin::custom || group == k_under_their_group[0] ||
      group == k_under_their_group[1]) {
    return std::string(group) + "/" + std::string(plural);
  }
  for (const auto& [name, prefix] : k_renamed) {
    if (name == plural) {
      return std::string(prefix);
    }
  }
  return std::string(plural);
}

std::string path_of(std::string_view group, std::string_view version) {
  const std::string base = group.empty() ? "/api/" : "/apis/" + std::string(group) + "/";
  return base + std::string(version);
}

} // namespace rb::objects
