#include "support/helm_records.hpp"

#include "archive/tar_gz.hpp"
#include "base/json_fields.hpp"
#include "helm/artifact.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <map>

using namespace rb;
using namespace rb::helm;
using test::stored;

namespace {

constexpr SystemTime k_time{std::chrono::seconds(1'795'348'336)}; // 2026-11-22T11:52:16Z

Release release(const std::string& name_space,
                const std::string& name,
                const std::string& config = R"({"a":1})",
                StorageKind kind = StorageKind::secret) {
  return decode_release_record(stored(name_space, name, 1, kind),
                               test::record_of(test::record_json(name, name_space, config)))
      .value();
}

template <typename... T> std::vector<Release> list(T... given) {
  std::vector<Release> releases;
  (releases.push_back(std::move(given)), ...);
  return releases;
}

std::map<std::string, std::string> files_of(const Payload& payload) {
  std::map<std::string, std::string> files;
  const auto entries = archive::read_tar_gz(payload.tar_gz.view());
  REQUIRE(entries.has_value());
  for (const auto& entry : *entries) {
    CHECK(entry.mode == 0600);
    CHECK(entry.mtime == k_time);
    files[entry.path] = entry.content.text();
  }
  return files;
}

} // namespace

TEST_CASE("each release has its file, and the index tells how to install it again") {
  const auto payload =
      build_payload({list(release("web", "shop"), release("default", "db", "")), {}}, k_time);
  REQUIRE(payload.has_value());
  CHECK(payload->status.releases == 2);
  CHECK(payload->status.undecodable_total == 0);
  const auto files = files_of(*payload);
  REQUIRE(files.size() == 3);
  CHECK(files.at("web/shop.yaml") == "a: 1\n");
  CHECK(files.at("default/db.yaml") == "null\n");
  CHECK(files.at("index.json") == R"({
  "format": "railiance-backup/helm-values/v1",
  "collectedAt": "2026-11-22T11:52:16Z",
  "releases": [
    {
      "namespace": "default",
      "name": "db",
      "revision": 1,
      "status": "deployed",
      "chart": {
        "name": "web",
        "version": "1.2.3"
      },
      "appVersion": "4.5",
      "updated": "2026-02-03T04:05:06.789+01:00",
      "firstDeployed": "2026-01-02T03:04:05.678Z",
      "file": "default/db.yaml",
      "hasValues": false,
      "storage": "secret/sh.helm.release.v1.db.v1"
    },
    {
      "namespace": "web",
      "name": "shop",
      "revision": 1,
      "status": "deployed",
      "chart": {
        "name": "web",
        "version": "1.2.3"
      },
      "appVersion": "4.5",
      "updated": "2026-02-03T04:05:06.789+01:00",
      "firstDeployed": "2026-01-02T03:04:05.678Z",
      "file": "web/shop.yaml",
      "hasValues": true,
      "storage": "secret/sh.helm.release.v1.shop.v1"
    }
  ],
  "undecodable": []
}
)");
}

TEST_CASE("the order in which releases arrive does not matter: equal input, equal bytes") {
  const auto one = build_payload({list(release("a", "x"), release("b", "y")), {}}, k_time);
  const auto two = build_payload({list(release("b", "y"), release("a", "x")), {}}, k_time);
  CHECK(one->tar_gz.text() == two->tar_gz.text());
}

TEST_CASE("an undecodable release stands in the index and hides no other") {
  std::vector<OddRelease> odd;
  odd.push_back({{"b", "secret/sh.helm.release.v1.y.v1", "bad gzip: …"}, {}});
  const auto payload = build_payload({list(release("a", "x")), std::move(odd)}, k_time);
  REQUIRE(payload.has_value());
  CHECK(payload->status.releases == 1);
  CHECK(payload->status.undecodable_total == 1);
  const auto index = json_of(files_of(*payload).at("index.json"));
  CHECK(index["undecodable"][0]["namespace"] == "b");
  CHECK(index["undecodable"][0]["storage"] == "secret/sh.helm.release.v1.y.v1");
  CHECK(index["undecodable"][0]["message"] == "bad gzip: …");
}

TEST_CASE(
    "a release that would climb out of the archive is left out and reported, the others stay") {
  for (const auto& [name_space, name] : {std::pair{"../..", "etc"},
                                         {"a", "../../etc"},
                                         {"", "x"},
                                         {"a", ""},
                                         {"a", "x\n"},
                                         {"/", "x"},
                                         {"index.json", "x"}}) {
    CAPTURE(name_space);
    CAPTURE(name);
    Release bad = release("a", "x");
    bad.key = {name_space, name, 1};
    const auto payload = build_payload({list(std::move(bad), release("good", "one")), {}}, k_time);
    REQUIRE(payload.has_value());
    CHECK(payload->status.releases == 1);
    REQUIRE(payload->status.undecodable.size() == 1);
    CHECK(payload->status.undecodable[0].message.starts_with("unsafe name: "));
    const auto files = files_of(*payload);
    CHECK(files.size() == 2);
    CHECK(files.contains("good/one.yaml"));
  }
}

TEST_CASE("a release in both storages has two files") {
  const auto payload =
      build_payload({list(release("ns", "x", R"({"from":"configmap"})", StorageKind::config_map),
                          release("ns", "x", R"({"from":"secret"})")),
                     {}},
                    k_time);
  REQUIRE(payload.has_value());
  const auto files = files_of(*payload);
  CHECK(files.at("ns/x.yaml") == "from: secret\n");
  CHECK(files.at("ns/x@configmap.yaml") == "from: configmap\n");

  const auto alone =
      build_payload({list(release("ns", "x", "{}", StorageKind::config_map)), {}}, k_time);
  CHECK(files_of(*alone).contains("ns/x.yaml"));
}

TEST_CASE("one release given twice: one file, one report") {
  const auto payload = build_payload({list(release("ns", "x"), release("ns", "x")), {}}, k_time);
  REQUIRE(payload.has_value());
  CHECK(payload->status.releases == 1);
  CHECK(payload->status.undecodable.at(0).message == "given twice: 'x'");
}

TEST_CASE("the status lists a bounded number of undecodable releases and counts all") {
  std::vector<OddRelease> failed;
  for (int i = 0; i < 70; ++i) {
    failed.push_back({{"ns", "secret/s" + std::to_string(i), "bad json"}, {}});
  }
  const auto payload = build_payload({{}, std::move(failed)}, k_time);
  REQUIRE(payload.has_value());
  CHECK(payload->status.undecodable.size() == api::k_undecodable_limit);
  CHECK(payload->status.undecodable_total == 70);
  CHECK(json_of(files_of(*payload).at("index.json"))["undecodable"].size() == 70);
}

TEST_CASE("a copied record is marked in the index") {
  std::vector<Release> releases;
  releases.push_back(
      decode_release_record(stored("copy", "x", 1),
                            test::record_of(test::record_json("x", "origin", "{}", 4)))
          .value());
  const auto payload = build_payload({std::move(releases), {}}, k_time);
  const auto index = json_of(files_of(*payload).at("index.json"));
  CHECK(index["releases"][0]["recordedAs"] ==
        nlohmann::json{{"namespace", "origin"}, {"name", "x"}, {"revision", 4}});
}
