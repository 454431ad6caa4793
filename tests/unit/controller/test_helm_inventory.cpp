// Which releases are read, by how many requests, and what happens to those that cannot be.
#include "controller/helm_inventory.hpp"
#include "controller/helm_step.hpp"
#include "controller/payload_store.hpp"
#include "controller/summary.hpp"
#include "fake_api.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;

namespace {

void put_release(FakeApi& api,
                 const std::string& name,
                 int revision,
                 const std::string& status,
                 bool secret = true,
                 const std::string& raw = {}) {
  const nlohmann::json record{{"name", name},
                              {"namespace", "apps"},
                              {"version", revision},
                              {"info", {{"status", status}}},
                              {"chart", {{"metadata", {{"name", "c"}, {"version", "1"}}}}},
                              {"config", {{"revision", revision}}}};
  std::string data = raw.empty() ? to_base64(as_bytes(record.dump())) : raw;
  if (secret) {
    data = to_base64(as_bytes(data));
  }
  const std::string object = "sh.helm.release.v1." + name + ".v" + std::to_string(revision);
  api.objects[std::string("/api/v1/namespaces/apps/") + (secret ? "secrets/" : "configmaps/") +
              object] = {{"type", secret ? "helm.sh/release.v1" : ""},
                         {"metadata",
                          {{"name", object},
                           {"namespace", "apps"},
                           {"uid", object},
                           {"labels",
                            {{"owner", "helm"},
                             {"name", name},
                             {"status", status},
                             {"version", std::to_string(revision)}}}}},
                         {"data", {{"release", data}}}};
}

HelmInventory read(FakeApi& api) {
  kube::ClientOptions options;
  options.attempts = 1;
  kube::Client client(api, {}, options);
  auto inventory = read_helm_releases(client, {});
  REQUIRE(inventory);
  std::ranges::sort(inventory->releases, {}, [](const auto& release) { return release.key.name; });
  return *std::move(inventory);
}

} // namespace

TEST_CASE("no releases: two questions, no answer is fine") {
  FakeApi api;
  CHECK(read(api).releases.empty());
  CHECK(api.calls.size() == 2);
}

TEST_CASE("the newest revision of each release is read, from Secrets and ConfigMaps") {
  FakeApi api;
  put_release(api, "app", 1, "superseded");
  put_release(api, "app", 2, "deployed");
  put_release(api, "failed", 1, "deployed");
  put_release(api, "failed", 2, "failed");
  put_release(api, "old-driver", 1, "deployed", false);
  const HelmInventory inventory = read(api);
  REQUIRE(inventory.releases.size() == 3);
  CHECK(inventory.releases[0].key.revision == 2);
  CHECK(inventory.releases[1].key.revision == 2);
  CHECK(inventory.releases[2].kind == helm::StorageKind::config_map);
  CHECK(inventory.undecodable.empty());
}

TEST_CASE("a newest revision that is superseded is fetched by itself") {
  FakeApi api;
  put_release(api, "app", 1, "deployed");
  put_release(api, "app", 2, "superseded");
  const HelmInventory inventory = read(api);
  REQUIRE(inventory.releases.size() == 1);
  CHECK(inventory.releases[0].key.revision == 2);
  CHECK(api.count("GET /api/v1/namespaces/apps/secrets/") == 1);
}

TEST_CASE("a thousand releases cost pages, not a request each") {
  FakeApi api;
  for (int i = 0; i < 1000; ++i) {
    put_release(api, "app" + std::to_string(i), 1, "deployed");
  }
  CHECK(read(api).releases.size() == 1000);
  CHECK(api.calls.size() < 12);
}

TEST_CASE("undecodable releases are reported and hide no other") {
  FakeApi api;
  put_release(api, "good", 1, "deployed");
  put_release(api, "bad-base64", 1, "deployed", true, "%%%");
  put_release(api, "bad-json", 1, "deployed", true, to_base64(as_bytes("{")));
  put_release(api, "bad-gzip", 1, "deployed", true, to_base64(as_bytes("\x1f\x8b\x08garbage")));
  put_release(api, "no-data", 1, "deployed");
  api.objects["/api/v1/namespaces/apps/secrets/sh.helm.release.v1.no-data.v1"].erase("data");
  const HelmInventory inventory = read(api);
  CHECK(inventory.releases.size() == 1);
  CHECK(inventory.undecodable.size() == 4);
}

TEST_CASE("a release that vanishes between the list and its reading is reported") {
  FakeApi api;
  put_release(api, "app", 1, "superseded");
  api.fail = [](const kube::Request& request) {
    return request.path.find("/secrets/") != std::string::npos ? 404 : 0;
  };
  CHECK(read(api).undecodable.size() == 1);
}

TEST_CASE("a list that is refused is an error, not an empty artifact") {
  FakeApi api;
  api.fail = [](const kube::Request&) { return 403; };
  kube::ClientOptions options;
  options.attempts = 1;
  kube::Client client(api, {}, options);
  CHECK(read_helm_releases(client, {}).error().code == ErrorCode::permission_denied);
}

TEST_CASE("an answer that is too large is asked for again in smaller pages") {
  FakeApi api;
  for (int i = 0; i < 20; ++i) {
    put_release(api, "app" + std::to_string(i), 1, "deployed", true, std::string(3000, 'x'));
  }
  kube::ClientOptions options;
  options.attempts = 1;
  options.body_limit_bytes = 20000;
  kube::Client client(api, {}, options);
  CHECK(read_helm_releases(client, {}).has_value());
}

TEST_CASE("the words for undecodable releases name the first three and count all") {
  CHECK(describe_helm({5, {}, 0}) == "5 releases");
  api::HelmStatus status{5, {}, 60};
  for (int i = 0; i < 50; ++i) {
    status.undecodable.push_back({"apps", "secret/s" + std::to_string(i), "bad gzip"});
  }
  CHECK(describe_helm(status) == "5 releases, 60 kept as stored: apps/secret/s0 (bad gzip), "
                                 "apps/secret/s1 (bad gzip), apps/secret/s2 (bad gzip), …");
}

TEST_CASE("a payload is cut into pieces that join to the same bytes") {
  const Bytes bytes(k_payload_piece_bytes * 2 + 5, 0x41);
  const api::OwnerReference owner{"v", "ClusterBackup", std::string(253, 'n'), "the-uid"};
  const auto objects = payload_config_maps("ours", owner, bytes);
  REQUIRE(objects.size() == 3);
  Bytes joined;
  for (const auto& object : objects) {
    const auto piece = from_base64(object["binaryData"]["payload"].get<std::string>()).value();
    joined.insert(joined.end(), piece.begin(), piece.end());
    CHECK(object["metadata"]["labels"]["backup.railiance.io/run-uid"] == "the-uid");
    CHECK(object["metadata"]["name"].get<std::string>().find("railiance-backup-payload-the-uid-") ==
          0);
    CHECK(object.dump().size() < 1100000);
  }
  CHECK(joined == bytes);
}

TEST_CASE(
    "a payload replaces what an earlier controller left of the same run, and goes as a whole") {
  FakeApi api;
  kube::Client client(api);
  PayloadStore store(client, "ours");
  const api::OwnerReference owner{"v", "ClusterBackup", "b", "the-uid"};
  REQUIRE(store.write(owner, Bytes(k_payload_piece_bytes + 1, 1), {}));
  REQUIRE(store.write(owner, Bytes(10, 2), {}));
  CHECK(api.objects.size() == 1);
  CHECK(store.list_runs({}).value() == std::set<std::string>{"the-uid"});
  REQUIRE(store.remove("the-uid", {}));
  CHECK(api.objects.empty());
  CHECK(store.remove("the-uid", {}));
}
