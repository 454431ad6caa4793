// Holds: the API server's own word decides which kinds lie in etcd, and under which names.
// Holds: kinds are found where etcd has them, lists are read to their end, and what passes is tried
// again.
#include "objects/served.hpp"
#include "support/fake_api.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <string>

using namespace rb;
using namespace rb::objects;
using rb::test::FakeApi;
using rb::test::metadata_list;

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

struct CountingWaiter final : Waiter {
  bool wait(std::chrono::milliseconds time, const std::stop_token& /*stop*/) override {
    slept += time;
    return true;
  }
  std::chrono::milliseconds slept{0};
};

/// ConfigMaps with annotations, in pages; an answer has at most so many bytes, as over a socket.
class LargeMetadata final : public ApiPort {
public:
  LargeMetadata(int objects, std::size_t annotation_bytes, std::size_t limit_bytes)
      : m_objects(objects), m_note(annotation_bytes, '\x01'), m_limit_bytes(limit_bytes) {}

  Result<ApiAnswer> get(const std::string& path, const std::string& /*accept*/) override {
    const int first = number_in(path, "&continue=");
    const int end = std::min(m_objects, first + number_in(path, "?limit="));
    nlohmann::json list{{"metadata", nlohmann::json::object()}};
    for (int i = first; i < end; ++i) {
      list["items"].push_back({{"metadata",
                                {{"name", "m" + std::to_string(i)},
                                 {"namespace", "tenant"},
                                 {"uid", "u" + std::to_string(i)},
                                 {"resourceVersion", "7"},
                                 {"annotations", {{"note", m_note}}}}}});
    }
    if (end < m_objects) {
      list["metadata"]["continue"] = std::to_string(end);
    }
    std::string body = list.dump();
    if (body.size() > m_limit_bytes) {
      return m_refusal;
    }
    return ApiAnswer{200, std::move(body)};
  }

  Error m_refusal{ErrorCode::unsupported, "an answer is too large", {}};

private:
  static int number_in(const std::string& path, const std::string& key) {
    const std::size_t at = path.find(key);
    return at == std::string::npos ? 0 : std::stoi(path.substr(at + key.size()));
  }

  int m_objects;
  std::string m_note;
  std::size_t m_limit_bytes;
};

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

TEST_CASE("a list with limit=1 tells how many there are") {
  FakeApi api;
  api.on("/a?limit=1", R"({"metadata":{"remainingItemCount":41},"items":[{}]})");
  api.on("/b?limit=1", R"({"metadata":{},"items":[]})");
  api.on("/c?limit=1", R"({"metadata":{"remainingItemCount":-1},"items":[{}]})");
  CountingWaiter waiter;
  CHECK(*count_objects(api, "/a", waiter, {}) == 42);
  CHECK(*count_objects(api, "/b", waiter, {}) == 0);
  CHECK(*count_objects(api, "/c", waiter, {}) == 1);
  for (const char* const text : {"", "{}", "[]", R"({"metadata":{},"items":1})", "not found"}) {
    FakeApi broken;
    broken.on("/a?limit=1", text);
    const auto count = count_objects(broken, "/a", waiter, {});
    REQUIRE_FALSE(count);
    CHECK(count.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("what passes is tried again; what does not is an error with its status") {
  FakeApi api;
  api.on("/a?limit=1", "", 429);
  api.on("/a?limit=1", R"({"metadata":{},"items":[{}]})");
  CountingWaiter waiter;
  CHECK(*count_objects(api, "/a", waiter, {}) == 1);
  CHECK(waiter.slept == std::chrono::seconds(1));
  const auto refused = count_objects(api, "/unknown", waiter, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().http_status == 404);
}

TEST_CASE("without a revision a list is of what is there now") {
  FakeApi api;
  api.on("/a?limit=500", metadata_list({{"ns", "one", "u", "1"}}, "more"));
  api.on("/a?limit=500&continue=more", metadata_list({{"ns", "two", "u", "2"}}));
  CountingWaiter waiter;
  std::vector<std::string> names;
  REQUIRE(list_objects(
      api, {"/a", 0}, waiter, [&](const auto& one) { names.push_back(one.name); }, {}));
  CHECK(names == std::vector<std::string>{"one", "two"});
}

TEST_CASE("objects whose metadata a page has no room for are listed all the same") {
  LargeMetadata api(700, 2000, 100'000); // seven at a time
  SUBCASE("too large for an answer") {}
  SUBCASE("too much for the time of an answer") {
    api.m_refusal = {ErrorCode::timeout, "no answer in time", {}};
  }
  CountingWaiter waiter;
  std::set<std::string> names;
  int count = 0;
  const auto take = [&](const ServedObject& one) {
    names.insert(one.name);
    ++count;
    CHECK(one.name_space == "tenant");
    CHECK(one.resource_version == "7");
    CHECK(one.uid == "u" + one.name.substr(1));
  };
  REQUIRE(list_objects(api, {"/api/v1/configmaps", 0}, waiter, take, {}));
  CHECK(count == 700);
  CHECK(names.size() == 700);

  LargeMetadata hopeless(3, 2000, 1000); // not even one
  const auto refused = list_objects(hopeless, {"/api/v1/configmaps", 0}, waiter, take, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
}

TEST_CASE("a version that is listed and does not answer is named and passed over") {
  FakeApi api;
  rb::test::serve_discovery(api);
  api.answers["/apis/example.com/v2"] = {{503, ""}};
  const auto found = discover(api);
  REQUIRE(found);
  CHECK(found->unanswered == std::vector<std::string>{"/apis/example.com/v2: HTTP 503"});
  CHECK(found->resources.size() == 3); // ConfigMaps, nodes, Deployments
  CountingWaiter waiter;
  const auto served = served_kinds(api, {}, waiter, std::chrono::seconds(3), {});
  REQUIRE(served);
  CHECK(served->unanswered == found->unanswered);
  CHECK(waiter.slept == std::chrono::seconds(3));
}

TEST_CASE("what is built in must answer, and is given some time for it") {
  FakeApi api;
  rb::test::serve_discovery(api);
  api.answers["/apis/apps/v1"] = {{503, ""}};
  CHECK(discover(api).error().http_status == 503);
  CountingWaiter waiter;
  CHECK_FALSE(served_kinds(api, {}, waiter, std::chrono::seconds(3), {}));
  api.answers["/apis/apps/v1"] = {{503, ""}, {200, R"({"resources":[]})"}};
  CHECK(served_kinds(api, {}, waiter, std::chrono::seconds(3), {}));
}

TEST_CASE("custom resources that the snapshot has are waited for, and named when they don't come") {
  Contents contents;
  contents.objects = {
      {"apiextensions.k8s.io/customresourcedefinitions/widgets.example.com", {5, "crd"}},
      {"example.com/widgets/default/w", {20, "u-w"}},
      {"apiextensions.k8s.io/customresourcedefinitions/empty.example.com", {5, "crd"}}};
  FakeApi api;
  rb::test::serve_discovery(api, false);
  CountingWaiter waiter;
  const auto without = served_kinds(api, contents, waiter, std::chrono::seconds(3), {});
  REQUIRE(without);
  CHECK(without->missing == std::set<std::string>{"widgets.example.com"});
  CHECK(waiter.slept >= std::chrono::seconds(3));

  FakeApi complete;
  rb::test::serve_discovery(complete);
  CountingWaiter none;
  const auto with = served_kinds(complete, contents, none, std::chrono::seconds(3), {});
  REQUIRE(with);
  CHECK(with->missing.empty());
  CHECK(none.slept == std::chrono::seconds(0));
  const auto has = [&](const char* path, const char* prefix) {
    return std::ranges::any_of(with->resources, [&](const Resource& one) {
      return one.path == path && one.prefix == prefix;
    });
  };
  CHECK(has("/api/v1/nodes", "minions"));
  CHECK(has("/apis/example.com/v2/widgets", "example.com/widgets"));
}
