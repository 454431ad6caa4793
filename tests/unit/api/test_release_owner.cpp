#include "api/release_owner.hpp"

#include <doctest/doctest.h>

using namespace rb::api;

TEST_CASE("Flux labels what it installs") {
  const auto owner = find_owner({"flux-system",
                                 "web",
                                 "1.2.3",
                                 {},
                                 {{"helm.toolkit.fluxcd.io/name", "web"},
                                  {"helm.toolkit.fluxcd.io/namespace", "flux-system"}}});
  REQUIRE(owner);
  CHECK(owner->text() == "Flux HelmRelease flux-system/web");
}

TEST_CASE("an operator's release belongs to the object that it is installed for") {
  OwnerEvidence release{"shop", "nginx-sample", "0.1.0", {}, {{"owner", "helm"}}};
  release.controller = controlling_object("Nginx", "nginx-sample");
  REQUIRE(find_owner(release));
  CHECK(find_owner(release)->text() == "Nginx nginx-sample");
  CHECK(find_owner(release)->kind == "Nginx");
  for (const char* const kind : {"", "Flux HelmRelease", "Fleet bundle", "A\nB", "x/y"}) {
    CAPTURE(kind);
    CHECK(!controlling_object(kind, "a"));
  }
  CHECK(!controlling_object("Nginx", ""));
  CHECK(!controlling_object("Nginx", "a b"));
  CHECK(!controlling_object("Nginx", std::string(254, 'a')));
  CHECK(controlling_object("ClusterRole", "system:a_b.c-d"));
}

TEST_CASE("the charts that k3s brings belong to its HelmChart controller") {
  for (const OwnerEvidence& release :
       {OwnerEvidence{"kube-system", "traefik", "39.0.701+up39.0.7", {}, {}},
        OwnerEvidence{"kube-system", "traefik", "39.0.7", {}, {}},
        OwnerEvidence{"kube-system", "traefik", "39.0.7", "k3s", {}},
        OwnerEvidence{"kube-system", "traefik", "39.0.701+up39.0.7", {}, {{"owner", "helm"}}}}) {
    const auto owner = find_owner(release);
    REQUIRE(owner);
    CHECK(owner->text() == "HelmChart kube-system/traefik");
  }
  CHECK(find_owner({"kube-system", "rke2-coredns", "1.2.3", "rke2", {}})->kind == "HelmChart");
}

TEST_CASE("Fleet annotates the chart with its bundle") {
  CHECK(find_owner({"shop", "web", "1.2.3", "shop-main", {}})->text() == "Fleet bundle shop-main");
}

TEST_CASE("what somebody installed by hand has no owner") {
  CHECK(!find_owner({"shop", "web", "1.2.3", {}, {{"owner", "helm"}, {"name", "web"}}}));
  CHECK(!find_owner({"ingress", "traefik", "39.0.7", {}, {}}));
  CHECK(!find_owner({"monitoring", "rancher-monitoring", "103.1.1+up45.31.1", {}, {}}));
  CHECK(!find_owner({"kube-system", "cilium", "1.16.0", {}, {}}));
}
