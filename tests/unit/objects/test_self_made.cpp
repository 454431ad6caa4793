// Holds: only what Kubernetes, k3s or this product makes and removes by itself has a row in the
// table; all else is the operator's.
#include "objects/self_made.hpp"

#include "api/backup.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace rb::objects;

TEST_CASE("the password of a node goes with a reset; other Secrets stay") {
  const SelfMade* const row = self_made("secrets/kube-system/node-1.node-password.k3s", false);
  REQUIRE(row != nullptr);
  CHECK(row->reason.find("after a reset") != std::string_view::npos);
  for (const char* const key : {"secrets/shop/node-1.node-password.k3s",
                                "secrets/kube-system/node-1.node-password.k3s.mine",
                                "secrets/kube-system/a/node-1.node-password.k3s",
                                "configmaps/kube-system/node-1.node-password.k3s",
                                "secrets/kube-system/registry",
                                "secrets/shop/sh.helm.release.v1.shop.v1"}) {
    CHECK_MESSAGE(self_made(key, true) == nullptr, key);
  }
}

TEST_CASE("kinds that a server makes, renews and removes itself are self-made as a whole") {
  for (const char* const kind : {"events",
                                 "leases",
                                 "minions",
                                 "services/endpoints",
                                 "certificatesigningrequests",
                                 "volumeattachments",
                                 "jobs",
                                 "k3s.cattle.io/etcdsnapshotfiles",
                                 "k3s.cattle.io/addons",
                                 "backup.railiance.io/nodebackups",
                                 "backup.railiance.io/clusterbackups"}) {
    CHECK_MESSAGE(self_made_kind(kind) != nullptr, kind);
    CHECK_MESSAGE(self_made(std::string(kind) + "/shop/x", false) != nullptr, kind);
  }
  for (const char* const kind : {"secrets",
                                 "configmaps",
                                 "namespaces",
                                 "deployments",
                                 "replicasets",
                                 "pods",
                                 "flowschemas",
                                 "persistentvolumeclaims",
                                 "services/specs",
                                 "apiextensions.k8s.io/customresourcedefinitions",
                                 "helm.cattle.io/helmcharts",
                                 "example.com/events",
                                 "example.com/pods",
                                 ""}) {
    CHECK_MESSAGE(self_made_kind(kind) == nullptr, kind);
    CHECK_MESSAGE(self_made(std::string(kind) + "/shop/x", false) == nullptr, kind);
  }
}

TEST_CASE("what a controller made is replaced by it; what the operator made by hand is not") {
  for (const char* const key : {"pods/shop/web-7d4b-x2k",
                                "endpointslices/shop/web-abc",
                                "controllerrevisions/shop/web-5",
                                "resourceclaims/shop/web-claim",
                                "secrets/kube-system/chart-values-traefik",
                                "apiregistration.k8s.io/apiservices/v1.apps"}) {
    CHECK_MESSAGE(self_made(key, true) != nullptr, key);
    CHECK_MESSAGE(self_made(key, false) == nullptr, key);
  }
  CHECK(self_made("replicasets/shop/web-7d4b", true) == nullptr);
}

TEST_CASE("defaults of a release may go with it; those beside them are the operator's") {
  CHECK(self_made("flowschemas/endpoint-controller", false) != nullptr); // gone in 1.34
  CHECK(self_made("flowschemas/mine", false) == nullptr);
  CHECK(self_made("prioritylevelconfigurations/workload-low", false) != nullptr);
  CHECK(self_made("priorityclasses/system-node-critical", false) != nullptr);
  CHECK(self_made("priorityclasses/important", false) == nullptr);
  CHECK(self_made("clusterroles/system:node", false) != nullptr);
  CHECK(self_made("clusterroles/viewer", false) == nullptr);
  CHECK(self_made("configmaps/shop/kube-root-ca.crt", false) != nullptr);
  CHECK(self_made("serviceaccounts/shop/default", false) != nullptr);
  CHECK(self_made("serviceaccounts/shop/builder", false) == nullptr);
}

TEST_CASE("generated tokens are told from Secrets whose names look alike") {
  CHECK(self_made("secrets/shop/builder-token-x7k2d", false) != nullptr);
  for (const char* const key : {"secrets/shop/gitlab-token-prod1",
                                "secrets/shop/gitlab-token-x7k2",
                                "secrets/shop/gitlab-token-x7k2dd",
                                "secrets/shop/gitlab-token"}) {
    CHECK_MESSAGE(self_made(key, true) == nullptr, key);
  }
  CHECK(self_made("secrets/kube-system/bootstrap-token-abcdef", false) != nullptr);
  CHECK(self_made("secrets/shop/bootstrap-token-abcdef", false) == nullptr);
}

TEST_CASE("the payload of an unfinished run goes, in whatever namespace we are installed") {
  const std::string prefix(rb::api::k_payload_name_prefix);
  CHECK(self_made("configmaps/railiance-backup/" + prefix + "0a1b-0", false) != nullptr);
  CHECK(self_made("configmaps/elsewhere/" + prefix + "0a1b-12", false) != nullptr);
  for (const std::string& key : {std::string("configmaps/railiance-backup/settings"),
                                 "configmaps/railiance-backup/my-" + prefix + "0",
                                 "secrets/railiance-backup/" + prefix + "0a1b-0",
                                 "configmaps/" + prefix + "0a1b-0/kept",
                                 std::string("configmaps"),
                                 std::string("configmaps/x"),
                                 std::string()}) {
    CHECK_MESSAGE(self_made(key, true) == nullptr, key);
  }
}

TEST_CASE("what the API server keeps for itself is in no list") {
  CHECK(is_unserved("ranges/serviceips"));
  CHECK(is_unserved("masterleases/10.0.0.1"));
  CHECK(is_unserved("health"));
  CHECK_FALSE(is_unserved("events/shop/x"));
  CHECK_FALSE(is_unserved("example.com/ranges/x"));
}
