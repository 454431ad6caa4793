#include "support/fake_api.hpp"

#include <nlohmann/json.hpp>

namespace rb::test {

using nlohmann::json;

void serve_discovery(FakeApi& api, bool with_widgets) {
  const auto group = [](const char* name, const char* version) {
    return json{{"name", name},
                {"versions", {{{"version", version}}}},
                {"preferredVersion", {{"version", version}}}};
  };
  const auto kinds = [](std::vector<std::string> names) {
    json resources = json::array();
    for (const std::string& name : names) {
      resources.push_back({{"name", name}, {"verbs", {"get", "list"}}});
    }
    resources.push_back({{"name", names[0] + "/status"}, {"verbs", {"get"}}});
    return json{{"resources", resources}}.dump();
  };
  json groups = json::array({group("apps", "v1"), group("metrics.k8s.io", "v1beta1")});
  if (with_widgets) {
    groups.push_back(group("example.com", "v2"));
    api.on("/apis/example.com/v2", kinds({"widgets"}));
  }
  api.on("/apis", json{{"groups", groups}}.dump());
  api.on("/api/v1", kinds({"configmaps", "nodes", "componentstatuses"}));
  api.on("/apis/apps/v1", kinds({"deployments"}));
  api.on("/apis/apiregistration.k8s.io/v1/apiservices",
         json{{"items",
               {{{"metadata",
                  {{"labels", {{"kube-aggregator.kubernetes.io/automanaged", "onstart"}}}}},
                 {"spec", {{"group", "apps"}, {"version", "v1"}}}},
                {{"spec",
                  {{"group", "metrics.k8s.io"},
                   {"version", "v1beta1"},
                   {"service", {{"name", "metrics-server"}}}}}}}}}
             .dump());
}

std::string metadata_list(const std::vector<std::array<std::string, 4>>& objects,
                          const std::string& more) {
  json items = json::array();
  for (const auto& [name_space, name, uid, version] : objects) {
    json metadata{{"name", name}, {"uid", uid}, {"resourceVersion", version}};
    if (!name_space.empty()) {
      metadata["namespace"] = name_space;
    }
    items.push_back({{"metadata", metadata}});
  }
  json list{{"metadata", json::object()}, {"items", items}};
  if (!more.empty()) {
    list["metadata"]["continue"] = more;
  }
  return list.dump();
}

} // namespace rb::test
