#include "recover/object_counts.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::recover;

namespace {

/// All that is built in "onstart", and a server elsewhere.
constexpr const char* k_services = R"({"items": [
  {"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
   "spec": {"group": "apps", "version": "v1"}},
  {"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
   "spec": {"group": "rbac.authorization.k8s.io", "version": "v1"}},
  {"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
   "spec": {"group": "networking.k8s.io", "version": "v1"}},
  {"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
   "spec": {"group": "apiextensions.k8s.io", "version": "v1"}},
  {"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "true"}},
   "spec": {"group": "gateway.networking.k8s.io", "version": "v1"}},
  {"spec": {"group": "metrics.k8s.io", "version": "v1beta1", "service": {"name": "metrics"}}}]})";

} // namespace

TEST_CASE("kinds are found by the names that etcd has for them") {
  const auto services = kinds::ApiServices::parse(k_services);
  REQUIRE(services);
  const auto paths =
      list_paths("nodes            no      v1                       false  Node\n"
                 "services         svc     v1                       true   Service\n"
                 "endpoints        ep      v1                       true   Endpoints\n"
                 "deployments      deploy  apps/v1                  true   Deployment\n"
                 "roles                    rbac.authorization.k8s.io/v1 true Role\n"
                 "ingresses        ing     networking.k8s.io/v1     true   Ingress\n"
                 "helmcharts               helm.cattle.io/v1        true   HelmChart\n"
                 "customresourcedefinitions crd,crds apiextensions.k8s.io/v1 false "
                 "CustomResourceDefinition\n"
                 "gateways gtw    gateway.networking.k8s.io/v1 true Gateway\n"
                 "pods            metrics.k8s.io/v1beta1 true PodMetrics\n"
                 "broken line\n",
                 *services);
  CHECK(paths.at("minions") == "/api/v1/nodes");
  CHECK(paths.at("services/specs") == "/api/v1/services");
  CHECK(paths.at("services/endpoints") == "/api/v1/endpoints");
  CHECK(paths.at("deployments") == "/apis/apps/v1/deployments");
  CHECK(paths.at("roles") == "/apis/rbac.authorization.k8s.io/v1/roles");
  CHECK(paths.at("ingress") == "/apis/networking.k8s.io/v1/ingresses");
  CHECK(paths.at("helm.cattle.io/helmcharts") == "/apis/helm.cattle.io/v1/helmcharts");
  CHECK(paths.at("apiextensions.k8s.io/customresourcedefinitions") ==
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions");
  CHECK(paths.at("gateway.networking.k8s.io/gateways") ==
        "/apis/gateway.networking.k8s.io/v1/gateways");
  CHECK(paths.size() == 9); // and no metrics, which another server makes up
}

TEST_CASE("a list with limit=1 tells how many there are") {
  CHECK(*count_of_list(R"({"metadata":{"remainingItemCount":41},"items":[{}]})") == 42);
  CHECK(*count_of_list(R"({"metadata":{},"items":[]})") == 0);
  CHECK(*count_of_list(R"({"items":[{}]})") == 1);
  for (const char* const text : {"", "{}", "[]", R"({"items":1})", "not found"}) {
    CHECK_FALSE(count_of_list(text));
  }
}

TEST_CASE("what the server changes itself may differ; what people make may not be missing") {
  const ObjectCounts expected{
      {"secrets", 5}, {"configmaps", 3}, {"events", 100}, {"pods", 4}, {"x.io/things", 1}};
  const ObjectCounts found{{"secrets", 4}, {"configmaps", 4}, {"events", 2}, {"pods", 1}};
  const CountComparison comparison = compare_counts(expected, found);
  CHECK(comparison.missing_kinds == std::vector<std::string>{"secrets"});
  CHECK(comparison.differences.size() == 5); // each kind is named
  CHECK(compare_counts(expected, expected).differences.empty());
}
