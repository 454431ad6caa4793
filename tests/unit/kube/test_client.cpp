#include "fakes.hpp"

#include "base/json_fields.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const ObjectRef k_map{k_config_maps, "ns", "a", {}};

json named(const std::string& name) {
  return {{"metadata", {{"name", name}}}};
}

Error refused() {
  Error error{ErrorCode::unavailable, "refused", {}};
  error.system_errno = ECONNREFUSED;
  return error;
}

} // namespace

TEST_CASE("each call is the HTTP request that the API wants") {
  World world;
  world.transport.otherwise = [](const Request&) -> Result<Response> {
    return Response{200, 0s, "{}"};
  };
  Client client = world.client();
  REQUIRE(client.get(k_map));
  REQUIRE(client.create(k_config_maps, "ns", named("a")));
  REQUIRE(client.replace(k_map, object("a", "5")));
  REQUIRE(client.patch({k_config_maps, "ns", "a", "status"}, PatchType::merge, json::object()));
  REQUIRE(client.patch(k_map, PatchType::json, json::array()));
  REQUIRE(client.patch(k_map, PatchType::apply, json::object(), {}, "us"));
  REQUIRE(client.remove(k_map, "the-uid"));

  const std::string path = "/api/v1/namespaces/ns/configmaps";
  struct Row {
    Method method;
    std::string path;
    std::string content_type;
  };
  const std::vector<Row> rows{{Method::get, path + "/a", ""},
                              {Method::post, path, "application/json"},
                              {Method::put, path + "/a", "application/json"},
                              {Method::patch, path + "/a/status", "application/merge-patch+json"},
                              {Method::patch, path + "/a", "application/json-patch+json"},
                              {Method::patch, path + "/a", "application/apply-patch+yaml"},
                              {Method::remove, path + "/a", "application/json"}};
  REQUIRE(world.transport.count() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    const Request request = world.transport.request(i);
    CHECK(request.method == rows[i].method);
    CHECK(request.path == rows[i].path);
    CHECK(request.content_type == rows[i].content_type);
    CHECK(request.accept == "application/json");
  }
  CHECK(world.transport.query(5, "fieldManager") == "us");
  CHECK(world.transport.query(5, "force") == "true");
  CHECK(json_of(world.transport.request(6).body)["preconditions"]["uid"] == "the-uid");
}

TEST_CASE("a write that could hit the wrong object is refused before it is sent") {
  World world;
  Client client = world.client();
  CHECK(client.create(k_config_maps, "ns", {{"metadata", {{"generateName", "a-"}}}}).error().code ==
        ErrorCode::invalid_argument);
  CHECK(client.replace(k_map, named("a")).error().code == ErrorCode::invalid_argument);
  CHECK(client.get({k_config_maps, "ns", "../x", {}}).error().code == ErrorCode::invalid_argument);
  CHECK(world.transport.count() == 0);
}

TEST_CASE("a call is repeated after 429, 503 and a refused connection, with growing waits") {
  World world;
  world.transport.answer(429, "");
  world.transport.answer(503, "");
  world.transport.fail(refused());
  world.transport.answer(200, "{}");
  CHECK(world.client().get(k_map));
  CHECK(world.transport.count() == 4);
  CHECK(world.waiter.waits() == std::vector<std::chrono::milliseconds>{187ms, 375ms, 750ms});
  CHECK(world.metrics.counted() ==
        std::vector<std::string>{"GET 429", "GET 503", "GET <error>", "GET 200"});
}

TEST_CASE("Retry-After is honoured") {
  World world;
  world.transport.answer(429, status_body(429, "TooManyRequests", "slow down"), 3s);
  world.transport.answer(200, "{}");
  CHECK(world.client().get(k_map));
  CHECK(world.waiter.waits() == std::vector<std::chrono::milliseconds>{3000ms});
}

TEST_CASE("after the last attempt the failure is told") {
  World world;
  ClientOptions options;
  options.attempts = 2;
  world.transport.answer(503, status_body(503, "ServiceUnavailable", "etcd is away"));
  world.transport.answer(503, status_body(503, "ServiceUnavailable", "etcd is away"));
  const auto failed = world.client(options).get(k_map);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message == "GET /api/v1/namespaces/ns/configmaps/a: etcd is away");
  CHECK(world.transport.count() == 2);
}

TEST_CASE("a POST whose connection was lost is not sent again; a refused one is") {
  World world;
  world.transport.fail({ErrorCode::unavailable, "lost", {}});
  CHECK_FALSE(world.client().create(k_config_maps, "ns", named("a")).has_value());
  CHECK(world.transport.count() == 1);
  world.transport.fail(refused());
  world.transport.answer(201, "{}");
  CHECK(world.client().create(k_config_maps, "ns", named("a")));
}

TEST_CASE("a stop ends the waiting between two attempts") {
  World world;
  std::stop_source stop;
  world.waiter.on_wait = [&] { stop.request_stop(); };
  world.transport.answer(503, "");
  CHECK(world.client().get(k_map, stop.get_token()).error().code == ErrorCode::cancelled);
  CHECK(world.transport.count() == 1);
}

TEST_CASE("pages are asked for with limit and continue, and told in order") {
  World world;
  world.transport.answer(200, list_body("7", json::array({named("a"), named("b")}), "next page"));
  world.transport.answer(200, list_body("7", json::array({named("c")})));
  ListOptions options;
  options.page_size = 2;
  options.label_selector = "a=b";
  options.field_selector = "type=helm.sh/release.v1";
  options.metadata_only = true;
  const json all = world.client().list_all(k_secrets, "", options).value();
  CHECK(all.size() == 3);
  CHECK(world.transport.request(0).path == "/api/v1/secrets");
  CHECK(world.transport.query(0, "limit") == "2");
  CHECK(world.transport.query(0, "labelSelector") == "a=b");
  CHECK(world.transport.query(0, "fieldSelector") == "type=helm.sh/release.v1");
  CHECK(world.transport.query(0, "continue").empty());
  CHECK(world.transport.query(1, "continue") == "next page");
  CHECK(world.transport.request(0).accept ==
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
}

TEST_CASE("a page that is too large is asked for again with fewer objects, from where it was") {
  World world;
  world.transport.answer(200, list_body("7", json::array({named("a")}), "next"));
  world.transport.fail({ErrorCode::unsupported, "the answer is larger than our limit", {}});
  world.transport.answer(200, list_body("7", json::array({named("b")})));
  CHECK(world.client().list_all(k_secrets, "").value().size() == 2);
  CHECK(world.transport.query(1, "limit") == "500");
  CHECK(world.transport.query(2, "limit") == "250");
  CHECK(world.transport.query(2, "continue") == "next");
}

TEST_CASE("a page token that expired starts the list over, and says so") {
  World world;
  world.transport.answer(200, list_body("7", json::array({named("a")}), "next"));
  world.transport.answer(410, status_body(410, "Expired", "too old"));
  world.transport.answer(200, list_body("9", json::array({named("b")}), "next"));
  world.transport.answer(200, list_body("9", json::array({named("c")})));
  std::vector<bool> firsts;
  REQUIRE(world.client().list(k_secrets, "", {}, [&](ListPage, bool first) -> Status {
    firsts.push_back(first);
    return {};
  }));
  CHECK(firsts == std::vector<bool>{true, true, false});
}

TEST_CASE("a list whose tokens always expire ends in an error") {
  World world;
  int n = 0;
  world.transport.otherwise = [&n](const Request&) -> Result<Response> {
    return ++n % 2 == 1 ? Response{200, 0s, list_body("7", json::array(), "next")}
                        : Response{410, 0s, ""};
  };
  CHECK(world.client().list_all(k_secrets, "").error().code == ErrorCode::gone);
  CHECK(world.transport.count() == 8);
}

TEST_CASE("a page handler ends the list with its error") {
  World world;
  world.transport.answer(200, list_body("7", json::array(), "next"));
  const Status ended = world.client().list(k_secrets, "", {}, [](ListPage, bool) -> Status {
    return Error{ErrorCode::no_space, "enough", {}};
  });
  CHECK(ended.error().code == ErrorCode::no_space);
  CHECK(world.transport.count() == 1);
}

TEST_CASE("items: null is an empty list, and no list is corrupt") {
  World world;
  world.transport.answer(200, R"({"metadata":{"resourceVersion":"1"},"items":null})");
  CHECK(world.client().list_all(k_secrets, "").value().empty());
  for (const char* bad : {"",
                          "[]",
                          "{}",
                          R"({"metadata":{"resourceVersion":"1"},"items":5})",
                          R"({"metadata":[],"items":[]})",
                          "\"x\"",
                          "{"}) {
    CAPTURE(bad);
    world.transport.answer(200, bad);
    CHECK(world.client().list_all(k_secrets, "").error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("text that is not UTF-8 does not stop a write") {
  World world;
  world.transport.answer(201, "{}");
  json bad = named("a");
  bad["data"]["x"] = "\xff\xfe";
  CHECK(world.client().create(k_config_maps, "ns", bad));
}
