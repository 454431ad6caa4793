// Holds: kinds are found where etcd has them, lists are read to their end, and what passes is tried
// again.
#include "objects/object_list.hpp"
#include "objects/served_kinds.hpp"
#include "support/fake_api.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

using namespace rb;
using namespace rb::objects;
using rb::test::FakeApi;
using rb::test::metadata_list;

struct CountingSleeper final : Sleeper {
  void sleep(std::chrono::milliseconds time) override { slept += time; }
  std::chrono::milliseconds slept{0};
};

TEST_CASE("a list with limit=1 tells how many there are") {
  FakeApi api;
  api.on("/a?limit=1", R"({"metadata":{"remainingItemCount":41},"items":[{}]})");
  api.on("/b?limit=1", R"({"metadata":{},"items":[]})");
  api.on("/c?limit=1", R"({"metadata":{"remainingItemCount":-1},"items":[{}]})");
  CountingSleeper sleeper;
  CHECK(*count_objects(api, "/a", sleeper, {}) == 42);
  CHECK(*count_objects(api, "/b", sleeper, {}) == 0);
  CHECK(*count_objects(api, "/c", sleeper, {}) == 1);
  for (const char* const text : {"", "{}", "[]", R"({"metadata":{},"items":1})", "not found"}) {
    FakeApi broken;
    broken.on("/a?limit=1", text);
    const auto count = count_objects(broken, "/a", sleeper, {});
    REQUIRE_FALSE(count);
    CHECK(count.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("what passes is tried again; what does not is an error with its status") {
  FakeApi api;
  api.on("/a?limit=1", "", 429);
  api.on("/a?limit=1", R"({"metadata":{},"items":[{}]})");
  CountingSleeper sleeper;
  CHECK(*count_objects(api, "/a", sleeper, {}) == 1);
  CHECK(sleeper.slept == std::chrono::seconds(1));
  const auto refused = count_objects(api, "/unknown", sleeper, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().http_status == 404);
}

TEST_CASE("without a revision a list is of what is there now") {
  FakeApi api;
  api.on("/a?limit=500", metadata_list({{"ns", "one", "u", "1"}}, "more"));
  api.on("/a?limit=500&continue=more", metadata_list({{"ns", "two", "u", "2"}}));
  CountingSleeper sleeper;
  std::vector<std::string> names;
  REQUIRE(list_objects(
      api, {"/a", 0}, sleeper, [&](const auto& one) { names.push_back(one.name); }, {}));
  CHECK(names == std::vector<std::string>{"one", "two"});
}

TEST_CASE("custom resources that the snapshot has are waited for, and named when they don't come") {
  Contents contents;
  contents.objects = {
      {"apiextensions.k8s.io/customresourcedefinitions/widgets.example.com", {5, "crd"}},
      {"example.com/widgets/default/w", {20, "u-w"}},
      {"apiextensions.k8s.io/customresourcedefinitions/empty.example.com", {5, "crd"}}};
  FakeApi api;
  rb::test::serve_discovery(api, false);
  CountingSleeper sleeper;
  const auto without = served_kinds(api, contents, sleeper, std::chrono::seconds(3), {});
  REQUIRE(without);
  CHECK(without->missing == std::set<std::string>{"widgets.example.com"});
  CHECK(sleeper.slept >= std::chrono::seconds(3));

  FakeApi complete;
  rb::test::serve_discovery(complete);
  CountingSleeper none;
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

} // namespace
