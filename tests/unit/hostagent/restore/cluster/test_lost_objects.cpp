// Holds: an object of the operator's that a restored cluster does not have is named; what comes and
// goes by itself is told with the reason, and is no loss.
#include "restore/cluster/lost_objects.hpp"
#include "support/fake_api.hpp"

#include <doctest/doctest.h>

#include <ctime>

using namespace rb;
using namespace rb::cluster;
using objects::Contents;
using rb::test::FakeApi;
using rb::test::metadata_list;

namespace {

struct NoSleep final : Waiter {
  bool wait(std::chrono::milliseconds, const std::stop_token&) override { return true; }
};

const std::vector<objects::Resource> k_served{{"/api/v1/configmaps", "configmaps"},
                                              {"/api/v1/secrets", "secrets"},
                                              {"/api/v1/events", "events"},
                                              {"/api/v1/namespaces", "namespaces"},
                                              {"/api/v1/pods", "pods"},
                                              {"/apis/x.io/v1/things", "x.io/things"}};

Contents snapshot_of(const std::vector<std::string>& keys) {
  Contents contents;
  for (const std::string& key : keys) {
    contents.objects[key] = {10, {"uid of " + key, {}, false, false}};
  }
  return contents;
}

/// Objects as "namespace/name".
void serve(FakeApi& api, const std::string& path, const std::vector<std::string>& names) {
  std::vector<std::array<std::string, 4>> objects;
  for (const std::string& name : names) {
    const std::size_t slash = name.find('/');
    objects.push_back({name.substr(0, slash), name.substr(slash + 1), "u", "10"});
  }
  api.on(path + "?limit=500", metadata_list(objects));
}

ObjectComparison compared(FakeApi& api, const Contents& contents) {
  NoSleep waiter;
  const auto result = compare_objects(api, contents, k_served, waiter);
  REQUIRE(result);
  return *result;
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("a node's password that k3s has deleted after the reset is no loss") {
  FakeApi api;
  serve(api, "/api/v1/secrets", {"shop/registry"});
  const auto result = compared(
      api, snapshot_of({"secrets/shop/registry", "secrets/kube-system/n1.node-password.k3s"}));
  CHECK(result.missing.count == 0);
  CHECK(result.differences.empty());
  REQUIRE(result.passing.count == 1);
  CHECK(result.passing.first[0].starts_with(
      "secrets kube-system/n1.node-password.k3s: k3s deletes it after a reset"));
}

TEST_CASE("what the operator made and is not there is named") {
  FakeApi api;
  serve(api, "/api/v1/configmaps", {"shop/a"});
  serve(api, "/api/v1/secrets", {"shop/added"});
  const auto result = compared(
      api, snapshot_of({"configmaps/shop/a", "configmaps/shop/b", "secrets/shop/registry"}));
  CHECK(result.missing.first == Names{"configmaps shop/b", "secrets shop/registry"});
  CHECK(result.missing.count == 2);
  CHECK(result.passing.count == 0);
  // The numbers of Secrets are equal: one came, one went.
  CHECK(result.differences == Names{"configmaps: 1, the backup has 2"});
  CHECK(result.kinds == 2);
}

TEST_CASE("what has a name that JSON cannot say is counted, and is no loss") {
  FakeApi api;
  const Contents contents =
      snapshot_of({"configmaps/shop/a", "configmaps/t/\xff", "configmaps/t/\xfe\xfe"});
  SUBCASE("both are there") {
    serve(api, "/api/v1/configmaps", {"shop/a", "t/\uFFFD", "t/\uFFFD\uFFFD"});
    const auto result = compared(api, contents);
    CHECK(result.missing.count == 0);
    CHECK(result.differences.empty());
  }
  SUBCASE("beside one that is called as they are told") {
    serve(api, "/api/v1/configmaps", {"shop/a", "t/\uFFFD", "t/\uFFFD"});
    const auto result = compared(
        api, snapshot_of({"configmaps/shop/a", "configmaps/t/\xff", "configmaps/t/\uFFFD"}));
    CHECK(result.missing.count == 0);
    CHECK(result.differences.empty());
  }
  SUBCASE("one is lost") {
    serve(api, "/api/v1/configmaps", {"shop/a", "t/\uFFFD"});
    const auto result = compared(api, contents);
    CHECK(result.missing.count == 1);
    CHECK(result.differences == Names{"configmaps: 2, the backup has 3"});
  }
  SUBCASE("one has come") {
    serve(api, "/api/v1/configmaps", {"shop/a", "t/\uFFFD", "t/\uFFFDx", "t/\uFFFDy"});
    const auto result = compared(api, contents);
    CHECK(result.missing.count == 0);
    CHECK(result.differences == Names{"configmaps: 4, the backup has 3"});
  }
}

TEST_CASE("only the first are named, and all are counted") {
  FakeApi api;
  serve(api, "/api/v1/configmaps", {});
  std::vector<std::string> keys;
  for (int i = 0; i < 50; ++i) {
    keys.push_back("configmaps/shop/" + std::to_string(i));
  }
  const auto result = compared(api, snapshot_of(keys));
  CHECK(result.missing.first.size() == k_objects_named);
  CHECK(result.missing.count == 50);
}

TEST_CASE("kinds that come and go as a whole are counted by one question") {
  FakeApi api;
  api.on("/api/v1/events?limit=1", R"({"metadata":{"remainingItemCount":1},"items":[{}]})");
  const auto result = compared(api, snapshot_of({"events/a/1", "events/a/2", "events/a/3"}));
  CHECK(result.missing.count == 0);
  CHECK(result.passing.first == Names{"events: 2, the backup has 3: Events expire after an hour"});
  CHECK(api.asked.size() == 1);
}

TEST_CASE("a pod of a controller is replaced; one that was made by hand is missing") {
  FakeApi api;
  serve(api, "/api/v1/pods", {"shop/web-2"});
  Contents contents = snapshot_of({"pods/shop/web-1", "pods/shop/by-hand"});
  contents.objects["pods/shop/web-1"].metadata.controlled = true;
  const auto result = compared(api, contents);
  CHECK(result.missing.first == Names{"pods shop/by-hand"});
  CHECK(result.passing.count == 1);
}

TEST_CASE("what was going when the backup was made may be gone") {
  Contents contents = snapshot_of(
      {"namespaces/old", "configmaps/old/a", "configmaps/shop/b", "x.io/things/shop/of-a"});
  CHECK_FALSE(why_gone("configmaps/old/a", contents));
  SUBCASE("itself") {
    contents.objects["configmaps/shop/b"].metadata.deleting = true;
    CHECK(why_gone("configmaps/shop/b", contents));
  }
  SUBCASE("with its namespace") {
    contents.objects["namespaces/old"].metadata.deleting = true;
    CHECK(why_gone("configmaps/old/a", contents));
    CHECK_FALSE(why_gone("configmaps/shop/b", contents));
  }
  SUBCASE("after its owner") {
    auto& metadata = contents.objects["x.io/things/shop/of-a"].metadata;
    metadata.owner = "uid of configmaps/shop/b";
    CHECK_FALSE(why_gone("x.io/things/shop/of-a", contents));
    metadata.owner = "uid of something else";
    CHECK(why_gone("x.io/things/shop/of-a", contents));
    // Its owner may be an object that cannot be read.
    contents.objects["secrets/shop/encrypted"] = {};
    CHECK_FALSE(why_gone("x.io/things/shop/of-a", contents));
  }
}

TEST_CASE("a kind that is refused or not served is said, and does not hide the others") {
  FakeApi api;
  serve(api, "/api/v1/configmaps", {});
  api.on("/apis/x.io/v1/things?limit=500", R"({"message":"no conversion"})", 500);
  const auto result = compared(
      api, snapshot_of({"configmaps/shop/a", "x.io/things/a/one", "gone.io/things/a/one"}));
  CHECK(result.missing.first == Names{"configmaps shop/a"});
  CHECK(result.differences ==
        Names{"configmaps: 0, the backup has 1",
              "x.io/things: not counted, cannot be listed: HTTP 500: no conversion",
              "gone.io/things: not counted, the API has no such list"});
}

TEST_CASE("what is owned by something that comes and goes by itself goes with that") {
  Contents contents = snapshot_of({"pods/shop/web", "deployments/shop/web", "x.io/things/shop/of"});
  auto& owner = contents.objects.at("x.io/things/shop/of").metadata.owner;
  owner = "uid of pods/shop/web";
  CHECK_FALSE(why_gone("x.io/things/shop/of", contents)); // a pod that was made by hand
  contents.objects.at("pods/shop/web").metadata.controlled = true;
  CHECK(why_gone("x.io/things/shop/of", contents));
  owner = "uid of deployments/shop/web";
  CHECK_FALSE(why_gone("x.io/things/shop/of", contents));
  contents.objects.at("deployments/shop/web").metadata.deleting = true;
  CHECK(why_gone("x.io/things/shop/of", contents));
}

TEST_CASE("thousands that went with their owners, of a hundred thousand, are told in no time") {
  Contents contents;
  std::vector<std::string> kept;
  for (int i = 0; i < 100'000; ++i) {
    const std::string name = "shop/r-" + std::to_string(i);
    contents.objects["configmaps/" + name] = {10, {"uid of " + name, {}, false, false}};
    if (i < 5000) {
      contents.objects["x.io/things/" + name] = {10, {"uid of t " + name, "no uid", true, false}};
    } else if (i < 5001) {
      kept.push_back(name);
    }
  }
  contents.objects["x.io/things/" + kept.front()] = {10, {"another uid", {}, false, false}};
  FakeApi api;
  serve(api, "/apis/x.io/v1/things", kept);
  NoSleep waiter;
  const std::clock_t begin = std::clock();
  const auto result = compare_objects(api, contents, {k_served.back()}, waiter);
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 4.0);
  REQUIRE(result);
  CHECK(result->passing.count == 5000);
  CHECK(result->missing.count == 0);
}
