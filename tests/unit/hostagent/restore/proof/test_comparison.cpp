// Holds: every object of the snapshot must be served with its revision and uid, and nothing else.
#include "fakes.hpp"
#include "restore/proof/boot.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

using namespace rb;
using namespace rb::proof;
using namespace rb::objects;
using rb::test::FakeApi;
using rb::test::FakeTime;
using rb::test::metadata_list;

const std::string k_exact = "?limit=500&resourceVersion=90&resourceVersionMatch=Exact";

Contents small_cluster() {
  Contents contents;
  contents.revision = 90;
  contents.objects = {
      {"apiextensions.k8s.io/customresourcedefinitions/widgets.example.com", {5, "crd"}},
      {"configmaps/default/a", {10, "u-a"}},
      {"configmaps/default/b", {11, "u-b"}},
      {"example.com/widgets/default/w", {20, "u-w"}},
      {"minions/node", {12, "u-n"}},
      {"ranges/serviceips", {1, ""}},
  };
  return contents;
}

/// Serves all of small_cluster().
void serve(FakeApi& api) {
  rb::test::serve_discovery(api);
  api.on("/api/v1/configmaps" + k_exact, metadata_list({{"default", "a", "u-a", "10"}}, "a/b="));
  api.on("/api/v1/configmaps?limit=500&continue=a%2Fb%3D",
         metadata_list({{"default", "b", "u-b", "11"}}));
  api.on("/api/v1/nodes" + k_exact, metadata_list({{"", "node", "u-n", "12"}}));
  api.on("/apis/apps/v1/deployments" + k_exact, metadata_list({}));
  api.on("/apis/example.com/v2/widgets" + k_exact, metadata_list({{"default", "w", "u-w", "20"}}));
}

Comparison compared(FakeApi& api, const Contents& contents) {
  FakeTime time;
  auto result = compare(api, contents, time, std::chrono::seconds(3), {});
  REQUIRE(result.has_value());
  return *result;
}

/// Custom resource definitions are served by apiextensions.k8s.io, which the small cluster does not
/// list: their objects are counted as not served.
constexpr std::uint64_t k_definitions = 1;

TEST_CASE("a server that serves what the snapshot holds has no differences") {
  FakeApi api;
  serve(api);
  const Comparison result = compared(api, small_cluster());
  CHECK(result.difference_count == 0);
  CHECK(result.objects == 4);
  CHECK(result.kinds.at("configmaps") == 2);
  CHECK(result.kinds.at("minions") == 1);
  CHECK(result.kinds.at("example.com/widgets") == 1);
  CHECK(result.unserved.size() == k_definitions); // and not the API server's own ranges
}

TEST_CASE("only metadata is asked for, at the snapshot's revision") {
  FakeApi api;
  serve(api);
  compared(api, small_cluster());
  for (std::size_t i = 0; i < api.asked.size(); ++i) {
    if (api.asked[i].find("?limit") != std::string::npos) {
      CHECK(api.accepts[i].find("as=PartialObjectMetadataList") != std::string::npos);
    }
    CHECK(api.asked[i].find("metrics") == std::string::npos);
    CHECK(api.asked[i].find("componentstatuses") == std::string::npos);
  }
}

TEST_CASE("what is missing, added, changed or replaced is named") {
  FakeApi api;
  serve(api);
  Contents contents = small_cluster();
  SUBCASE("missing") {
    contents.objects["configmaps/default/c"] = {13, ""};
    CHECK(compared(api, contents).differences ==
          std::vector<std::string>{"configmaps/default/c: missing"});
  }
  SUBCASE("added") {
    contents.objects.erase("minions/node");
    CHECK(compared(api, contents).differences ==
          std::vector<std::string>{"minions/node: not in the snapshot"});
  }
  SUBCASE("changed") {
    contents.objects["configmaps/default/a"].revision = 9;
    CHECK(
        compared(api, contents).differences ==
        std::vector<std::string>{"configmaps/default/a: is of revision 10, in the snapshot of 9"});
  }
  SUBCASE("replaced") {
    contents.objects["configmaps/default/a"].metadata.uid = "other";
    CHECK(compared(api, contents).differences ==
          std::vector<std::string>{"configmaps/default/a: another uid than in the snapshot"});
  }
  SUBCASE("a uid that is encrypted is not compared") {
    contents.objects["configmaps/default/a"].metadata.uid.clear();
    const Comparison result = compared(api, contents);
    CHECK(result.difference_count == 0);
    CHECK(result.objects == 4);
  }
}

TEST_CASE("names that JSON cannot say are compared by their number") {
  Contents contents = small_cluster();
  contents.objects["configmaps/tenant/\xff"] = {30, "u-1"};
  contents.objects["configmaps/tenant/\xfe\xfe"] = {31, "u-2"};
  std::vector<std::array<std::string, 4>> more{{"tenant", "\uFFFD", "u-1", "30"}};
  std::vector<std::string> differences;
  SUBCASE("both are there") {
    more.push_back({"tenant", "\uFFFD\uFFFD", "u-2", "31"});
  }
  SUBCASE("beside one that is called as they are told") {
    contents.objects.erase("configmaps/tenant/\xfe\xfe");
    contents.objects["configmaps/tenant/\uFFFD"] = {31, "u-2"};
    more.push_back({"tenant", "\uFFFD", "u-2", "31"});
  }
  SUBCASE("one is missing") {
    differences = {"configmaps/tenant/\xff: missing"};
  }
  SUBCASE("one is new") {
    more.push_back({"tenant", "\uFFFDa", "u-2", "31"});
    more.push_back({"tenant", "\uFFFDb", "u-3", "32"});
    differences = {"configmaps: 1 with a name that is not UTF-8: not in the snapshot"};
  }
  FakeApi api;
  serve(api);
  more.push_back({"default", "b", "u-b", "11"});
  api.answers["/api/v1/configmaps?limit=500&continue=a%2Fb%3D"] = {{200, metadata_list(more)}};
  const Comparison result = compared(api, contents);
  CHECK(result.differences == differences);
  CHECK(result.kinds.at("configmaps") ==
        (differences == std::vector<std::string>{"configmaps/tenant/\xff: missing"} ? 3U : 4U));
}

TEST_CASE("only the first differences are kept, and all are counted") {
  FakeApi api;
  serve(api);
  Contents contents = small_cluster();
  for (int i = 0; i < 50; ++i) {
    contents.objects["configmaps/lost/" + std::to_string(i)] = {30, ""};
  }
  const Comparison result = compared(api, contents);
  CHECK(result.difference_count == 50);
  CHECK(result.differences.size() == k_differences_shown);
}

TEST_CASE("a kind that can't be listed is a difference, with the server's words") {
  FakeApi api;
  serve(api);
  api.answers["/api/v1/nodes" + k_exact] = {
      {500, R"({"message":"unable to transform key: no matching prefix found"})"}};
  const Comparison result = compared(api, small_cluster());
  REQUIRE(result.difference_count == 2);
  CHECK(result.differences[0] ==
        "minions: cannot be listed: HTTP 500: unable to transform key: no matching prefix found");
  CHECK(result.differences[1] == "minions/node: missing");
}

TEST_CASE("what only a webhook could convert is counted, and asked for once: no pods run here") {
  FakeApi api;
  serve(api);
  const std::string path = "/apis/example.com/v2/widgets" + k_exact;
  api.answers[path] = {
      {500,
       R"({"message":"conversion webhook for example.com/v1, Kind=Widget failed: no endpoints"})"}};
  const Comparison result = compared(api, small_cluster());
  CHECK(result.difference_count == 0);
  CHECK(result.unconverted == std::map<std::string, std::uint64_t>{{"example.com/widgets", 1}});
  CHECK(result.objects == 3);
  CHECK(std::count(api.asked.begin(), api.asked.end(), path) == 1);
}

TEST_CASE("what passes is tried again") {
  FakeApi api;
  serve(api);
  auto& nodes = api.answers["/api/v1/nodes" + k_exact];
  nodes.insert(nodes.begin(), {429, R"({"message":"storage is (re)initializing"})"});
  CHECK(compared(api, small_cluster()).difference_count == 0);
}

TEST_CASE("definitions may take a while to be served") {
  FakeApi api;
  serve(api);
  FakeApi early;
  rb::test::serve_discovery(early, false);
  auto& groups = api.answers["/apis"];
  groups.insert(groups.begin(), early.answers["/apis"].front());
  CHECK(compared(api, small_cluster()).difference_count == 0);
}

TEST_CASE("a definition with objects that is never served is a difference") {
  FakeApi api;
  serve(api);
  FakeApi without;
  rb::test::serve_discovery(without, false);
  api.answers["/apis"] = without.answers["/apis"];
  const Comparison result = compared(api, small_cluster());
  REQUIRE(result.difference_count == 1);
  CHECK(result.differences[0] == "widgets.example.com: its definition is there, but not served");
  CHECK(result.unserved.at("example.com/widgets") == 1);
}

TEST_CASE("it can be told to stop") {
  FakeApi api;
  serve(api);
  FakeTime time;
  std::stop_source stop;
  stop.request_stop();
  const auto result =
      compare(api, small_cluster(), time, std::chrono::seconds(3), stop.get_token());
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::cancelled);
}

} // namespace
