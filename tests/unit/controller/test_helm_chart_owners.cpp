// Which releases are k3s's own, as its HelmCharts say it, and which an operator's.
#include "controller/helm_releases.hpp"
#include "fake_api.hpp"
#include "support/helm_records.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;

namespace {

const std::string k_charts = "/apis/helm.cattle.io/v1/namespaces/kube-system/helmcharts/";

void put_chart(FakeApi& api,
               const std::string& name,
               nlohmann::json spec = nullptr,
               nlohmann::json annotations = nullptr) {
  api.objects[k_charts + name] = {
      {"metadata",
       {{"name", name}, {"namespace", "kube-system"}, {"annotations", std::move(annotations)}}},
      {"spec", std::move(spec)}};
}

/// As it was read: `owner` is what was guessed from the release alone.
void add(helm::Inventory& inventory,
         const std::string& name_space,
         const std::string& name,
         std::optional<api::ReleaseOwner> owner = std::nullopt) {
  helm::Release release;
  release.key = {name_space, name, 1};
  release.owner = std::move(owner);
  inventory.releases.push_back(std::move(release));
}

/// What k3s brings is known by its name and place.
api::ReleaseOwner guessed(const std::string& name) {
  return {"HelmChart", "kube-system", name};
}

/// Of each release, in their order; "" is nobody.
std::vector<std::string> settled(FakeApi& api, helm::Inventory& inventory) {
  kube::Client client(api, {}, one_attempt());
  settle_chart_owners(client, inventory, {});
  std::vector<std::string> owners;
  for (const helm::Release& release : inventory.releases) {
    owners.push_back(release.owner ? release.owner->text() : "");
  }
  return owners;
}

} // namespace

TEST_CASE("what a HelmChart installs is its own, wherever it installs it, and nothing else is") {
  FakeApi api;
  put_chart(api, "grafana", {{"targetNamespace", "apps"}, {"chart", "grafana"}});
  put_chart(api, "here", nullptr, nlohmann::json::object());
  put_chart(api, "nowhere", {{"targetNamespace", ""}});
  helm::Inventory inventory;
  add(inventory, "apps", "grafana");
  add(inventory, "kube-system", "grafana"); // the HelmChart lies here, and installs elsewhere
  add(inventory, "kube-system", "here");
  add(inventory, "apps", "here");
  add(inventory, "kube-system", "nowhere");
  CHECK(settled(api, inventory) == std::vector<std::string>{"HelmChart kube-system/grafana",
                                                            "",
                                                            "HelmChart kube-system/here",
                                                            "",
                                                            "HelmChart kube-system/nowhere"});
}

TEST_CASE("a HelmChart that k3s leaves alone owns nothing, whatever the annotation says") {
  FakeApi api;
  helm::Inventory inventory;
  for (const char* const value : {"true", "false", ""}) {
    const std::string name = std::string("retired") + value;
    put_chart(api,
              name,
              {{"targetNamespace", "apps"}},
              {{"helmcharts.helm.cattle.io/unmanaged", value}, {"other", "x"}});
    add(inventory, "apps", name);
  }
  CHECK(settled(api, inventory) == std::vector<std::string>{"", "", ""});
}

TEST_CASE("what is only named like what k3s brings is nobody's once HelmCharts were asked") {
  FakeApi api;
  put_chart(api, "coredns");
  put_chart(api, "metrics", {{"targetNamespace", "monitoring"}});
  helm::Inventory inventory;
  add(inventory, "kube-system", "traefik", guessed("traefik"));
  add(inventory, "kube-system", "coredns", guessed("coredns"));
  add(inventory, "monitoring", "metrics");
  CHECK(settled(api, inventory) == std::vector<std::string>{"",
                                                            "HelmChart kube-system/coredns",
                                                            "HelmChart kube-system/metrics"});
}

TEST_CASE("where HelmCharts are no kind, the helm-controller is off and installs nothing") {
  FakeApi api;
  api.fail = [](const kube::Request&) { return 404; };
  helm::Inventory inventory;
  add(inventory, "kube-system", "traefik", guessed("traefik"));
  add(inventory, "apps", "web", api::ReleaseOwner{"Fleet bundle", "", "web"});
  CHECK(settled(api, inventory) == std::vector<std::string>{"", "Fleet bundle web"});
}

TEST_CASE("where HelmCharts may not be listed, all stays as it was guessed") {
  for (const int status : {403, 500}) {
    CAPTURE(status);
    FakeApi api;
    put_chart(api, "web", {{"targetNamespace", "apps"}});
    api.fail = [status](const kube::Request&) { return status; };
    helm::Inventory inventory;
    add(inventory, "kube-system", "traefik", guessed("traefik"));
    add(inventory, "apps", "web");
    CHECK(settled(api, inventory) == std::vector<std::string>{"HelmChart kube-system/traefik", ""});
  }
}

TEST_CASE("a release of another controller keeps its owner, and where all have one nobody asks") {
  FakeApi api;
  put_chart(api, "web", {{"targetNamespace", "apps"}});
  helm::Inventory inventory;
  add(inventory, "apps", "web", api::ReleaseOwner{"Flux HelmRelease", "flux-system", "web"});
  CHECK(settled(api, inventory) == std::vector<std::string>{"Flux HelmRelease flux-system/web"});
  CHECK(api.calls.empty());
  helm::Inventory none;
  CHECK(settled(api, none).empty());
  CHECK(api.calls.empty());

  add(inventory, "apps", "other");
  CHECK(settled(api, inventory) ==
        std::vector<std::string>{"Flux HelmRelease flux-system/web", ""});
  CHECK(api.count("GET /apis/helm.cattle.io/v1/helmcharts") == 1);
}

TEST_CASE("a list that begins anew in its midst forgets the HelmCharts that are gone by then") {
  FakeApi api;
  helm::Inventory inventory;
  for (int i = 10; i < 50; ++i) {
    put_chart(api, "chart" + std::to_string(i));
    add(inventory, "kube-system", "chart" + std::to_string(i));
  }
  bool expired = false;
  api.fail = [&](const kube::Request& request) {
    const bool goes_on = std::ranges::any_of(
        request.query, [](const auto& pair) { return pair.first == "continue"; });
    if (!goes_on || expired) {
      return 0;
    }
    expired = true;
    api.objects.erase(k_charts + "chart10");
    return 410;
  };
  const auto owners = settled(api, inventory);
  CHECK(expired);
  CHECK(owners.front().empty());
  CHECK(std::ranges::count(owners, "") == 1);
}

TEST_CASE("who controls a release's Secret installs the release") {
  FakeApi api;
  const auto put = [&api](const std::string& name, nlohmann::json owners) {
    const std::string object = "sh.helm.release.v1." + name + ".v1";
    api.objects["/api/v1/namespaces/apps/secrets/" + object] = {
        {"type", "helm.sh/release.v1"},
        {"metadata",
         {{"name", object}, {"namespace", "apps"}, {"ownerReferences", std::move(owners)}}},
        {"data", {{"release", rb::test::api_data_of(rb::test::record_json(name, "apps", "{}"))}}}};
  };
  const nlohmann::json owner{{"apiVersion", "charts.example/v1alpha1"},
                             {"kind", "Nginx"},
                             {"name", "sample"},
                             {"uid", "u"},
                             {"blockOwnerDeletion", true}};
  nlohmann::json controller = owner;
  controller["controller"] = true;
  controller["name"] = "web";
  put("mine", nlohmann::json::array({owner})); // garbage is collected by it, and no more
  put("odd", "a text");
  put("theirs", nlohmann::json::array({owner, controller}));
  kube::Client client(api, {}, one_attempt());
  const auto inventory = read_helm_releases(client, {});
  REQUIRE(inventory);
  REQUIRE(inventory->releases.size() == 3);
  for (const helm::Release& release : inventory->releases) {
    CAPTURE(release.key.name);
    CHECK((release.owner ? release.owner->text() : "") ==
          (release.key.name == "theirs" ? "Nginx web" : ""));
  }
}
