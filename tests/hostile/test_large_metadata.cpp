// Secrets of Helm's type whose metadata is as large as the API server allows: a hundred of them in
// one namespace took everybody's Helm values out of the backup.
#include "controller/helm_releases.hpp"
#include "unit/controller/fake_api.hpp"

#include "base/bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::controller;

namespace {

/// As the controller is given (main.cpp).
constexpr std::size_t k_body_limit_bytes = std::size_t{24} << 20U;
/// ValidateAnnotations: all annotations of an object together.
constexpr std::size_t k_annotations_limit_bytes = std::size_t{256} << 10U;

void put(controller::test::FakeApi& api,
         const std::string& name_space,
         const std::string& name,
         const std::string& note) {
  const nlohmann::json record{{"name", name},
                              {"namespace", name_space},
                              {"version", 1},
                              {"info", {{"status", "deployed"}}},
                              {"chart", {{"metadata", {{"name", "c"}, {"version", "1.0.0"}}}}},
                              {"config", {{"key", "value"}}}};
  const std::string object = "sh.helm.release.v1." + name + ".v1";
  nlohmann::json& secret = api.objects["/api/v1/namespaces/" + name_space + "/secrets/" + object];
  secret = {
      {"type", "helm.sh/release.v1"},
      {"metadata",
       {{"name", object},
        {"namespace", name_space},
        {"labels", {{"owner", "helm"}, {"name", name}, {"status", "deployed"}, {"version", "1"}}}}},
      {"data", {{"release", to_base64(as_bytes(to_base64(as_bytes(record.dump()))))}}}};
  if (!note.empty()) {
    secret["metadata"]["annotations"] = {{"note", note}};
  }
}

HelmInventory read(controller::test::FakeApi& api) {
  kube::ClientOptions options;
  options.attempts = 1;
  options.body_limit_bytes = k_body_limit_bytes;
  kube::Client client(api, {}, options);
  auto inventory = read_helm_releases(client, {});
  REQUIRE_MESSAGE(inventory, inventory.error().message);
  return *std::move(inventory);
}

} // namespace

TEST_CASE("a hundred Secrets with the largest annotations take no Helm values out") {
  controller::test::FakeApi api;
  const std::string note(k_annotations_limit_bytes, 'x');
  for (int i = 0; i < 100; ++i) {
    put(api, "evil", "junk-" + std::to_string(i), note);
  }
  put(api, "apps", "web", "");
  put(api, "shop", "cart", "");
  const HelmInventory inventory = read(api);
  CHECK(inventory.releases.size() == 102);
  CHECK(inventory.undecodable.empty());
}

TEST_CASE("an object that no answer can hold harms its own namespace only") {
  controller::test::FakeApi api;
  for (const char* name_space : {"apps", "evil", "shop"}) {
    api.objects[std::string("/api/v1/namespaces/") + name_space] = {
        {"metadata", {{"name", name_space}}}};
  }
  put(api, "apps", "web", "");
  put(api, "evil", "junk", std::string(k_body_limit_bytes, 'x'));
  put(api, "shop", "cart", "");
  const HelmInventory inventory = read(api);
  CHECK(inventory.releases.size() == 2);
  REQUIRE(inventory.undecodable.size() == 1);
  CHECK(inventory.undecodable[0].name_space == "evil");
  CHECK(inventory.undecodable[0].message.find("not listed") == 0);
}
