#include "objects/served.hpp"

#include "datastore/keys/keys.hpp"

#include "archive/entry_path.hpp"
#include "base/json_fields.hpp"
#include "base/json_member.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace rb::objects {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// Where the list lies that ApiServices reads.
constexpr const char* k_api_services_path = "/apis/apiregistration.k8s.io/v1/apiservices";
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

Origin origin_of(const json& service) {
  if (json_member(json_member(service, "spec"), "service").is_object()) {
    return Origin::elsewhere;
  }
  const json& labels = json_member(json_member(service, "metadata"), "labels");
  return json_text(labels, k_label) == k_built_in ? Origin::built_in : Origin::custom;
}

/// Made up when it is asked for.
constexpr std::string_view k_not_stored = "componentstatuses";

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

Result<ApiServices> api_services(ApiPort& api) {
  RB_TRY_ASSIGN(const std::string body, get_text(api, k_api_services_path));
  auto services = ApiServices::parse(body);
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
  for (const json& group : json_list(groups, "groups")) {
    const std::string name = json_text(group, "name");
    const std::string best = json_text(json_member(group, "preferredVersion"), "version");
    if (!best.empty()) {
      all.push_back({name, best});
    }
    for (const json& version : json_list(group, "versions")) {
      if (json_text(version, "version") != best) {
        all.push_back({name, json_text(version, "version")});
      }
    }
  }
  return all;
}

bool can_be_listed(const json& resource) {
  const json& verbs = json_list(resource, "verbs");
  const std::string name = json_text(resource, "name");
  return name.find('/') == std::string::npos && name != k_not_stored &&
         std::find(verbs.begin(), verbs.end(), "list") != verbs.end();
}

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

constexpr auto k_discovery_interval = 500ms;
constexpr int k_tries = 5;
constexpr unsigned k_first_page = 500;
/// Only metadata is sent, but every object is read from etcd, decrypted and decoded for it.
constexpr const char* k_metadata_only =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
constexpr std::size_t k_words_limit = 200;

std::string escaped(const std::string& text) {
  static constexpr char k_digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', k_digits[byte >> 4U], k_digits[byte & 15U]};
    }
  }
  return out;
}

/// What the server says of its refusal: metav1.Status.message.
std::string words(const std::string& body) {
  const json status = json_of(body);
  return archive::printable(
      (status.is_object() ? json_text(status, "message") : body).substr(0, k_words_limit));
}

/// What is looked at of a list. The rest of an object's metadata (annotations, managed fields) may
/// be as large as whoever made it likes.
bool keeps_key(int depth, std::string_view key) {
  constexpr std::array<std::string_view, 2> k_of_list{"continue", "remainingItemCount"};
  constexpr std::array<std::string_view, 4> k_of_object{
      "name", "namespace", "uid", "resourceVersion"};
  switch (depth) {
  case 1:
    return key == "metadata" || key == "items";
  case 2:
    return std::ranges::find(k_of_list, key) != k_of_list.end();
  case 3: // of an item
    return key == "metadata";
  default:
    return std::ranges::find(k_of_object, key) != k_of_object.end();
  }
}

/// A smaller page may come where this one did not: all objects of a page together are too much for
/// an answer, or for the time that an answer has.
bool is_of_size(const Error& error) {
  return error.code == ErrorCode::unsupported || error.code == ErrorCode::timeout;
}

Result<json> get_page(ApiPort& api,
                      const std::string& path,
                      bool without_pods,
                      Waiter& waiter,
                      const std::stop_token& stop) {
  for (int attempt = 1;; ++attempt) {
    RB_TRY_ASSIGN(const ApiAnswer answer, api.get(path, k_metadata_only));
    if (answer.status == 200) {
      json page = json_of(answer.body, keeps_key);
      if (!page.is_object() || !page.contains("metadata")) {
        return Error{ErrorCode::corrupt, "the API server: " + path + ": not a list", {}};
      }
      return page;
    }
    Error refusal{ErrorCode::unavailable,
                  "cannot be listed: HTTP " + std::to_string(answer.status) + ": " +
                      words(answer.body),
                  {},
                  0,
                  answer.status};
    const bool passes =
        (answer.status == 429 || answer.status >= 500) && !(without_pods && needs_webhook(refusal));
    if (!passes || attempt == k_tries) {
      return refusal;
    }
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while comparing", {}};
    }
    waiter.wait(1000ms, stop);
  }
}

void hand_out(const json& page, const std::function<void(const ServedObject&)>& on_object) {
  for (const json& item : json_list(page, "items")) {
    const json& metadata = json_member(item, "metadata");
    if (metadata.is_object()) {
      on_object({json_text(metadata, "namespace"),
                 json_text(metadata, "name"),
                 json_text(metadata, "uid"),
                 json_text(metadata, "resourceVersion")});
    }
  }
}

} // namespace

Result<ApiServices> ApiServices::parse(std::string_view text_of_list) {
  const json list = json_of(text_of_list);
  const json& items = json_member(list, "items");
  if (!items.is_array()) {
    return Error{ErrorCode::corrupt, "the list of API services is none", {}};
  }
  ApiServices services;
  for (const json& item : items) {
    const json& spec = json_member(item, "spec");
    services.m_origins[json_text(spec, "version") + "." + json_text(spec, "group")] =
        origin_of(item);
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

Result<Discovery> discover(ApiPort& api) {
  RB_TRY_ASSIGN(const ApiServices services, api_services(api));
  RB_TRY_ASSIGN(const auto all, versions(api));
  Discovery found;
  std::set<std::string> taken; // events are served by two groups, for example
  for (const auto& [group, version] : all) {
    const Origin origin = services.origin(group, version);
    if (origin == Origin::elsewhere) {
      continue;
    }
    const std::string path = path_of(group, version);
    const auto answer = get_json(api, path);
    if (!answer && origin == Origin::custom && answer.error().http_status != 0) {
      found.unanswered.push_back(path + ": HTTP " + std::to_string(answer.error().http_status));
      continue;
    }
    if (!answer) {
      return answer.error();
    }
    for (const json& resource : json_list(*answer, "resources")) {
      const std::string plural = json_text(resource, "name");
      std::string prefix = storage_prefix(group, plural, origin);
      if (can_be_listed(resource) && taken.insert(prefix).second) {
        found.resources.push_back({path + "/" + plural, std::move(prefix)});
      }
    }
  }
  return found;
}

Result<ServedKinds> served_kinds(ApiPort& api,
                                 const Contents& contents,
                                 Waiter& waiter,
                                 std::chrono::seconds patience,
                                 const std::stop_token& stop) {
  const std::set<std::string> custom = definitions(contents);
  for (auto waited = 0ms;; waited += k_discovery_interval) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while comparing", {}};
    }
    auto found = discover(api);
    const bool last = waited + k_discovery_interval > patience;
    if (!found && (last || found.error().http_status == 0)) {
      return found.error();
    }
    if (found) {
      std::set<std::string> missing = missing_kinds(contents, custom, found->resources);
      if (last || (missing.empty() && found->unanswered.empty())) {
        return ServedKinds{
            std::move(found->resources), std::move(missing), std::move(found->unanswered)};
      }
    }
    waiter.wait(k_discovery_interval, stop);
  }
}

bool is_unsayable(const ServedObject& object) {
  return object.name.find(datastore::k_unsayable) != std::string::npos;
}

/// k8s.io/apiextensions-apiserver, pkg/apiserver/conversion/webhook_converter.go
bool needs_webhook(const Error& error) {
  return error.http_status != 0 &&
         error.message.find("conversion webhook for ") != std::string::npos;
}

Status list_objects(ApiPort& api,
                    const ListOrder& order,
                    Waiter& waiter,
                    const std::function<void(const ServedObject&)>& on_object,
                    const std::stop_token& stop) {
  unsigned page_size = k_first_page;
  std::string query;
  if (order.revision != 0) {
    query = "&resourceVersion=" + std::to_string(order.revision) + "&resourceVersionMatch=Exact";
  }
  while (true) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while comparing", {}};
    }
    const std::string path = order.path + "?limit=" + std::to_string(page_size) + query;
    auto page = get_page(api, path, order.without_pods, waiter, stop);
    if (!page && is_of_size(page.error()) && page_size > 1) {
      page_size = std::max(1U, page_size / 4);
      continue;
    }
    if (!page) {
      return std::move(page).error();
    }
    hand_out(*page, on_object);
    const std::string more = json_text(json_member(*page, "metadata"), "continue");
    if (more.empty()) {
      return {};
    }
    query = "&continue=" + escaped(more); // it carries the revision
  }
}

Result<std::uint64_t>
count_objects(ApiPort& api, const std::string& path, Waiter& waiter, const std::stop_token& stop) {
  RB_TRY_ASSIGN(const json page, get_page(api, path + "?limit=1", false, waiter, stop));
  const json& items = json_member(page, "items");
  if (!items.is_array()) {
    return Error{ErrorCode::corrupt, "the API server: " + path + ": not a list", {}};
  }
  const json& more = json_member(json_member(page, "metadata"), "remainingItemCount");
  return items.size() + (more.is_number_unsigned() ? more.get<std::uint64_t>() : 0U);
}

} // namespace rb::objects
