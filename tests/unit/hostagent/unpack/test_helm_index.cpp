#include "unpack/helm_index.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <array>

using namespace rb;
using namespace rb::unpack;

namespace {

nlohmann::json index_with(const nlohmann::json& change = nlohmann::json::object()) {
  nlohmann::json release{{"namespace", "shop"},
                         {"name", "web"},
                         {"chart", {{"name", "nginx"}, {"version", "15.1.0"}}},
                         {"status", "deployed"},
                         {"file", "shop/web.yaml"}};
  release.merge_patch(change);
  return {{"format", "railiance-backup/helm-values/v1"},
          {"releases", {release}},
          {"undecodable", {{{"storage", "x"}}}}};
}

} // namespace

TEST_CASE("an index gives its releases") {
  const auto index = parse_helm_index(index_with().dump());
  REQUIRE(index);
  CHECK(index->undecodable == 1);
  REQUIRE(index->releases.size() == 1);
  CHECK(index->releases[0].target_namespace == "shop");
  CHECK(!index->releases[0].owner);
}

TEST_CASE("an index says where a release runs and who owns it, or what it says lets us know") {
  const auto flux = parse_helm_index(
      index_with({{"recordedAs", {{"namespace", "target"}}},
                  {"owner", {{"kind", "Flux HelmRelease"}, {"namespace", "f"}, {"name", "web"}}}})
          .dump());
  REQUIRE(flux);
  CHECK(flux->releases[0].target_namespace == "target");
  REQUIRE(flux->releases[0].owner);
  CHECK(flux->releases[0].owner->text() == "Flux HelmRelease f/web");
  const auto before =
      parse_helm_index(index_with({{"namespace", "kube-system"}, {"name", "traefik"}}).dump());
  REQUIRE(before);
  REQUIRE(before->releases[0].owner);
  CHECK(before->releases[0].owner->kind == "HelmChart");
}

TEST_CASE("an index that is none, or whose names are options, paths or control characters") {
  for (const std::string& text : {std::string("x"),
                                  std::string("[]"),
                                  std::string("{}"),
                                  index_with({{"name", nullptr}}).dump(),
                                  index_with({{"name", "--kubeconfig"}}).dump(),
                                  index_with({{"chart", {{"name", "-f"}}}}).dump(),
                                  index_with({{"chart", "nginx"}}).dump(),
                                  index_with({{"chart", {{"version", "-x"}}}}).dump(),
                                  index_with({{"namespace", "a\nb"}}).dump(),
                                  index_with({{"file", "../x"}}).dump(),
                                  index_with({{"file", "/etc/passwd"}}).dump(),
                                  std::string(R"({"format": "railiance-backup/helm-values/v1"})"),
                                  std::string(R"({"format": "railiance-backup/helm-values/v1",
                                                  "releases": [1]})")}) {
    CAPTURE(text);
    CHECK(!parse_helm_index(text));
  }
}
