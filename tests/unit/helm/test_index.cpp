#include "terminal/terminal_text.hpp"

#include "base/json_fields.hpp"
#include "helm/index.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <vector>

using namespace rb;
using namespace rb::helm;

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
  const auto index = parse_index(index_with().dump());
  REQUIRE(index);
  REQUIRE(index->undecodable.size() == 1);
  CHECK(index->undecodable[0].storage_object == "x");
  REQUIRE(index->releases.size() == 1);
  CHECK(index->releases[0].target_namespace == "shop");
  CHECK(!index->releases[0].owner);
}

TEST_CASE("an index says where a release runs and who owns it, or what it says lets us know") {
  const auto flux = parse_index(
      index_with({{"recordedAs", {{"namespace", "target"}}},
                  {"owner", {{"kind", "Flux HelmRelease"}, {"namespace", "f"}, {"name", "web"}}}})
          .dump());
  REQUIRE(flux);
  CHECK(flux->releases[0].target_namespace == "target");
  REQUIRE(flux->releases[0].owner);
  CHECK(flux->releases[0].owner->text() == "Flux HelmRelease f/web");
  const auto before =
      parse_index(index_with({{"namespace", "kube-system"}, {"name", "traefik"}}).dump());
  REQUIRE(before);
  REQUIRE(before->releases[0].owner);
  CHECK(before->releases[0].owner->kind == "HelmChart");
}

TEST_CASE("that nobody owns a release is written where its name says otherwise, and only there") {
  Index index;
  IndexedRelease& own = index.releases.emplace_back();
  own.name_space = own.target_namespace = "kube-system";
  own.name = "traefik";
  own.file = "kube-system/traefik.yaml";
  CHECK(json_of(entry_json(own)).at("owner").is_null());
  CHECK(!parse_index(index_json(index, SystemTime{}).text())->releases.at(0).owner);
  own.name = "web";
  CHECK(!json_of(entry_json(own)).contains("owner"));
}

TEST_CASE("an entry that nobody can use is marked, and hides no other") {
  for (const nlohmann::json& change :
       std::vector<nlohmann::json>{{{"name", nullptr}},
                                   {{"name", "--kubeconfig"}},
                                   {{"name", std::string(300, 'n')}},
                                   {{"namespace", "a\nb"}},
                                   {{"namespace", 5}},
                                   {{"file", "../x"}},
                                   {{"file", "/etc/passwd"}},
                                   {{"file", nullptr}},
                                   {{"chart", {{"name", std::string(513, 'c')}}}},
                                   {{"appVersion", std::string(513, 'v')}}}) {
    CAPTURE(change.dump());
    nlohmann::json json = index_with(change);
    json["releases"].push_back(index_with()["releases"][0]);
    json["releases"].push_back(1);
    const auto index = parse_index(json.dump());
    REQUIRE(index);
    REQUIRE(index->releases.size() == 3);
    CHECK_FALSE(index->releases[0].odd.empty());
    CHECK(terminal_text(index->releases[0].odd) == index->releases[0].odd);
    CHECK(index->releases[1].odd.empty());
    CHECK(index->releases[1].name == "web");
    CHECK_FALSE(index->releases[2].odd.empty());
  }
}

TEST_CASE("a release without a usable chart has values all the same") {
  for (const nlohmann::json& chart : std::vector<nlohmann::json>{
           {{"name", "-f"}}, "nginx", nullptr, {{"version", "-x"}}, {{"name", "oci://evil/x"}}}) {
    CAPTURE(chart.dump());
    const auto index = parse_index(index_with({{"chart", chart}}).dump());
    REQUIRE(index);
    CHECK(index->releases[0].odd.empty());
  }
}

TEST_CASE("what is no index at all is refused") {
  for (const std::string text :
       {"x",
        "[]",
        "{}",
        R"({"format": "railiance-backup/helm-values/v1"})",
        R"({"format": "railiance-backup/helm-values/v1", "releases": 1})"}) {
    CAPTURE(text);
    CHECK(!parse_index(text));
  }
  const auto newer =
      parse_index(R"({"format": "railiance-backup/helm-values/v9", "releases": []})");
  CHECK(newer.error().code == ErrorCode::unsupported);
  CHECK(newer.error().hint == "use a newer railiance-restore");
}

TEST_CASE("an index is read as it was written, and only files of odd objects need a new format") {
  Index index;
  IndexedRelease& web = index.releases.emplace_back();
  web.name_space = "ns";
  web.target_namespace = "other";
  web.name = "web";
  web.revision = 7;
  web.status = "deployed";
  web.chart_name = "nginx";
  web.chart_version = "1.2.3";
  web.app_version = "4\x01\"";
  web.last_deployed = "2026-01-01T00:00:00Z";
  web.first_deployed = "2025-01-01T00:00:00Z";
  web.deleted = "2026-02-01T00:00:00Z";
  web.file = "ns/web.yaml";
  web.has_values = true;
  web.storage_object = "secret/sh.helm.release.v1.web.v7";
  web.recorded = ReleaseKey{"other", "web", 6};
  web.owner = api::ReleaseOwner{"Flux HelmRelease", "f", "web"};
  index.undecodable.push_back({{"ns", "secret/x", "bad gzip"}, {}});
  index.unlisted = 3;
  const auto again = [&] {
    const SecretBytes text = index_json(index, SystemTime{});
    return std::pair{json_of(text.text()), parse_index(text.text()).value()};
  };
  const auto [json, read] = again();
  CHECK(json["format"] == "railiance-backup/helm-values/v1");
  CHECK(entry_json(read.releases.at(0)) == entry_json(index.releases[0]));
  CHECK(read.releases[0].target_namespace == "other");
  CHECK(read.releases[0].odd.empty());
  CHECK(entry_json(read.undecodable.at(0)) == entry_json(index.undecodable[0]));
  CHECK(read.unlisted == 3);
  CHECK(read.undecodable_total() == 4);
  index.undecodable[0].file = "raw/ns/x";
  CHECK(again().first["format"] == "railiance-backup/helm-values/v2");
  CHECK(again().second.undecodable.at(0).file == "raw/ns/x");
}
