// Holds: the API server's own word decides which kinds lie in etcd, and under which names.
#include "objects/kinds.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace rb;
using namespace rb::objects;

namespace {

constexpr const char* k_list = R"({"kind": "APIServiceList", "items": [
  {"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
   "spec": {"version": "v1"}},
  {"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
   "spec": {"group": "apps", "version": "v1"}},
  {"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
   "spec": {"group": "networking.k8s.io", "version": "v1"}},
  {"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "true"}},
   "spec": {"group": "gateway.networking.k8s.io", "version": "v1"}},
  {"metadata": {}, "spec": {"group": "metrics.k8s.io", "version": "v1beta1",
                            "service": {"name": "metrics-server"}}}]})";

} // namespace

TEST_CASE("what is built in, what definitions bring and what others answer for is told apart") {
  const auto services = ApiServices::parse(k_list);
  REQUIRE(services);
  CHECK(services->origin("", "v1") == Origin::built_in);
  CHECK(services->origin("apps", "v1") == Origin::built_in);
  CHECK(services->origin("networking.k8s.io", "v1") == Origin::built_in);
  CHECK(services->origin("gateway.networking.k8s.io", "v1") == Origin::custom);
  CHECK(services->origin("metrics.k8s.io", "v1beta1") == Origin::elsewhere);
}

TEST_CASE("a group that has come since the list was made is custom; the core never is") {
  const auto services = ApiServices::parse(R"({"items": []})");
  REQUIRE(services);
  CHECK(services->origin("example.com", "v2") == Origin::custom);
  CHECK(services->origin("", "v1") == Origin::built_in);
}

TEST_CASE("what is no list of API services is refused; what is odd in one is not fatal") {
  for (const char* const text : {"", "{}", "[]", R"({"items": 1})", "no"}) {
    const auto services = ApiServices::parse(text);
    REQUIRE_FALSE(services);
    CHECK(services.error().code == ErrorCode::corrupt);
  }
  CHECK(ApiServices::parse(R"({"items": [1, {}, {"spec": 2}, {"metadata": {"labels": []}}]})"));
}

TEST_CASE("keys are where the API server puts them") {
  CHECK(storage_prefix("", "pods", Origin::built_in) == "pods");
  CHECK(storage_prefix("", "nodes", Origin::built_in) == "minions");
  CHECK(storage_prefix("", "services", Origin::built_in) == "services/specs");
  CHECK(storage_prefix("", "endpoints", Origin::built_in) == "services/endpoints");
  CHECK(storage_prefix("", "replicationcontrollers", Origin::built_in) == "controllers");
  CHECK(storage_prefix("networking.k8s.io", "ingresses", Origin::built_in) == "ingress");
  CHECK(storage_prefix("apps", "deployments", Origin::built_in) == "deployments");
  CHECK(storage_prefix("apiregistration.k8s.io", "apiservices", Origin::built_in) ==
        "apiregistration.k8s.io/apiservices");
  CHECK(storage_prefix("apiextensions.k8s.io", "customresourcedefinitions", Origin::built_in) ==
        "apiextensions.k8s.io/customresourcedefinitions");
  CHECK(storage_prefix("gateway.networking.k8s.io", "gateways", Origin::custom) ==
        "gateway.networking.k8s.io/gateways");
  CHECK(storage_prefix("example.com", "nodes", Origin::custom) == "example.com/nodes");
}

TEST_CASE("the core has a path of its own") {
  CHECK(path_of("", "v1") == "/api/v1");
  CHECK(path_of("apps", "v1") == "/apis/apps/v1");
}
