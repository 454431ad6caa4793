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

TEST_CASE("an index gives its releases and the commands that make them anew") {
  const auto index = parse_helm_index(index_with().dump());
  REQUIRE(index);
  CHECK(index->undecodable == 1);
  REQUIRE(index->releases.size() == 1);
  CHECK(upgrade_command(index->releases[0], "/tmp/v") ==
        "helm upgrade --install web nginx --namespace shop --create-namespace --version 15.1.0 "
        "-f /tmp/v/shop/web.yaml");
  CHECK(upgrade_command(index->releases[0], "-v/").ends_with(" -f ./-v/shop/web.yaml"));
}

TEST_CASE("no word of a command reaches the shell as anything but a word") {
  const auto index = parse_helm_index(
      index_with({{"chart", {{"name", "a; rm -rf $(x)"}, {"version", "1'2"}}}}).dump());
  REQUIRE(index);
  CHECK(upgrade_command(index->releases[0], "/a b") ==
        "helm upgrade --install web 'a; rm -rf $(x)' --namespace shop --create-namespace "
        "--version '1'\\''2' -f '/a b/shop/web.yaml'");
  // Helm reads -f as a list of CSV fields.
  CHECK(upgrade_command(index->releases[0], "/a,b").ends_with(" -f '\"/a,b/shop/web.yaml\"'"));
  CHECK(shell_word("") == "''");
  CHECK(shell_word("~") == "'~'");
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
