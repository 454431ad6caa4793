// Holds: a kind of which the restored cluster has fewer than the snapshot is named, and is missing
// unless the server itself makes and removes its objects.
#include "recover/object_counts.hpp"
#include "support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::recover;
using rb::test::FakeApi;
using rb::test::metadata_list;

namespace {

struct NoSleep final : Sleeper {
  void sleep(std::chrono::milliseconds) override {}
};

const std::vector<objects::Resource> k_served{{"/api/v1/configmaps", "configmaps"},
                                              {"/api/v1/services", "services/specs"},
                                              {"/apis/x.io/v1/things", "x.io/things"}};

} // namespace

TEST_CASE("a snapshot's objects are counted by kind, without those that go by themselves") {
  objects::Contents contents;
  for (const char* const key : {"configmaps/a/one",
                                "configmaps/railiance-backup/railiance-backup-payload-u-0",
                                "services/specs/a/web",
                                "services/endpoints/a/web",
                                "x.io/things/a/one",
                                "x.io/things/a/two"}) {
    contents.objects[key] = {};
  }
  CHECK(stored_counts(contents) == ObjectCounts{{"configmaps", 1},
                                                {"services/specs", 1},
                                                {"services/endpoints", 1},
                                                {"x.io/things", 2}});
}

TEST_CASE("what is served is counted by one question a kind, and by name where names matter") {
  FakeApi api;
  api.on("/api/v1/configmaps?limit=500",
         metadata_list({{"a", "one", "u", "1"},
                        {"railiance-backup", "railiance-backup-payload-u-0", "u", "1"}},
                       "more"));
  api.on("/api/v1/configmaps?limit=500&continue=more", metadata_list({{"a", "two", "u", "1"}}));
  api.on("/api/v1/services?limit=1", R"({"metadata":{"remainingItemCount":41},"items":[{}]})");
  NoSleep sleeper;
  const ObjectCounts wanted{{"configmaps", 2}, {"services/specs", 42}};
  const auto found = served_counts(api, k_served, wanted, sleeper);
  REQUIRE(found);
  CHECK(found->counts == wanted);
  CHECK(api.asked.size() == 3);
  CHECK(compare_counts(wanted, *found).differences.empty());
}

TEST_CASE("a kind that is refused is said, and does not hide the others") {
  FakeApi api;
  api.on("/api/v1/services?limit=1", R"({"metadata":{},"items":[]})");
  api.on("/apis/x.io/v1/things?limit=1", R"({"message":"no conversion"})", 500);
  NoSleep sleeper;
  const ObjectCounts wanted{{"services/specs", 0}, {"x.io/things", 3}};
  const auto found = served_counts(api, k_served, wanted, sleeper);
  REQUIRE(found);
  CHECK(found->counts == ObjectCounts{{"services/specs", 0}});
  const CountComparison comparison = compare_counts(wanted, *found);
  REQUIRE(comparison.differences.size() == 1);
  CHECK(comparison.differences[0] ==
        "x.io/things: not counted, cannot be listed: HTTP 500: no conversion");
  CHECK(comparison.missing_kinds.empty());
}

TEST_CASE("what the server changes itself may differ; what people make may not be missing") {
  const ObjectCounts expected{
      {"secrets", 5}, {"configmaps", 3}, {"events", 100}, {"pods", 4}, {"x.io/things", 1}};
  const ServedCounts found{{{"secrets", 4}, {"configmaps", 4}, {"events", 2}, {"pods", 1}}, {}};
  const CountComparison comparison = compare_counts(expected, found);
  CHECK(comparison.missing_kinds == std::vector<std::string>{"secrets"});
  CHECK(comparison.differences.size() == 5); // each kind is named
  CHECK(compare_counts(expected, {expected, {}}).differences.empty());
}
