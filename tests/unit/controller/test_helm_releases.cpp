// Which releases are read, by how many requests, and what happens to those that cannot be.
#include "controller/helm_releases.hpp"
#include "controller/helm_step.hpp"
#include "controller/summary.hpp"
#include "fake_api.hpp"
#include "support/temporary_directory.hpp"

#include "kube/retry.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;

namespace {

void put_release(FakeApi& api,
                 const std::string& name,
                 int revision,
                 const std::string& status,
                 bool secret = true,
                 const std::string& raw = {},
                 const std::string& name_space = "apps") {
  const nlohmann::json record{{"name", name},
                              {"namespace", name_space},
                              {"version", revision},
                              {"info", {{"status", status}}},
                              {"chart", {{"metadata", {{"name", "c"}, {"version", "1"}}}}},
                              {"config", {{"revision", revision}}}};
  std::string data = raw.empty() ? to_base64(as_bytes(record.dump())) : raw;
  if (secret) {
    data = to_base64(as_bytes(data));
  }
  const std::string object = "sh.helm.release.v1." + name + ".v" + std::to_string(revision);
  api.objects["/api/v1/namespaces/" + name_space + (secret ? "/secrets/" : "/configmaps/") +
              object] = {{"type", secret ? "helm.sh/release.v1" : ""},
                         {"metadata",
                          {{"name", object},
                           {"namespace", name_space},
                           {"uid", name_space + object},
                           {"labels",
                            {{"owner", "helm"},
                             {"name", name},
                             {"status", status},
                             {"version", std::to_string(revision)}}}}},
                         {"data", {{"release", data}}}};
}

void annotate(FakeApi& api,
              const std::string& name_space,
              const std::string& name,
              std::size_t bytes) {
  api.objects.at("/api/v1/namespaces/" + name_space + "/secrets/sh.helm.release.v1." + name +
                 ".v1")["metadata"]["annotations"] = {{"note", std::string(bytes, 'x')}};
}

void put_namespaces(FakeApi& api, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    api.objects["/api/v1/namespaces/" + name] = {{"metadata", {{"name", name}}}};
  }
}

HelmInventory read(FakeApi& api, std::size_t body_limit_bytes = std::size_t{24} << 20U) {
  kube::ClientOptions options = one_attempt();
  options.body_limit_bytes = body_limit_bytes;
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

TEST_CASE("a traefik of one's own is not k3s's, where HelmCharts can be asked") {
  FakeApi api;
  put_release(api, "traefik", 1, "deployed", true, {}, "kube-system");
  CHECK(!read(api).releases.at(0).owner);
  int status = 403;
  api.fail = [&](const kube::Request& request) {
    return request.path.ends_with("/helmcharts") ? status : 0;
  };
  REQUIRE(read(api).releases.at(0).owner);
  status = 0;
  api.objects["/apis/helm.cattle.io/v1/namespaces/kube-system/helmcharts/traefik"] = {
      {"metadata", {{"name", "traefik"}, {"namespace", "kube-system"}}}};
  const HelmInventory inventory = read(api);
  REQUIRE(inventory.releases.at(0).owner);
  CHECK(inventory.releases[0].owner->text() == "HelmChart kube-system/traefik");
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

TEST_CASE("a release that is uninstalled between the list and its reading is gone, not odd") {
  FakeApi api;
  put_release(api, "app", 1, "superseded");
  put_release(api, "stays", 1, "deployed");
  api.before_answer = [&](const kube::Request&) {
    api.objects.erase("/api/v1/namespaces/apps/secrets/sh.helm.release.v1.app.v1");
  };
  const HelmInventory inventory = read(api);
  REQUIRE(inventory.releases.size() == 1);
  CHECK(inventory.releases[0].key.name == "stays");
  CHECK(inventory.undecodable.empty());
}

TEST_CASE(
    "of a release whose newest revision is gone when it is read, what is newest now is taken") {
  FakeApi api;
  put_release(api, "rolled-back", 1, "deployed");
  put_release(api, "rolled-back", 2, "superseded");
  put_release(api, "upgraded", 1, "superseded");
  bool changed = false;
  api.fail = [&](const kube::Request& request) {
    if (!changed && request.path.find("/secrets/") != std::string::npos) {
      changed = true;
      api.objects.erase("/api/v1/namespaces/apps/secrets/sh.helm.release.v1.rolled-back.v2");
      api.objects.erase("/api/v1/namespaces/apps/secrets/sh.helm.release.v1.upgraded.v1");
      put_release(api, "upgraded", 2, "deployed");
    }
    return 0;
  };
  const HelmInventory inventory = read(api);
  REQUIRE(inventory.releases.size() == 2);
  CHECK(inventory.releases[0].key.revision == 1);
  CHECK(inventory.releases[1].key.revision == 2);
  CHECK(inventory.undecodable.empty());
}

TEST_CASE("a release that is never there when it is read is said to change, after three rounds") {
  FakeApi api;
  put_release(api, "app", 1, "superseded");
  api.fail = [](const kube::Request& request) {
    return request.path.find("/secrets/") != std::string::npos ? 404 : 0;
  };
  const HelmInventory inventory = read(api);
  REQUIRE(inventory.undecodable.size() == 1);
  CHECK(inventory.undecodable[0].message.starts_with("gone: "));
  CHECK(api.count("GET /api/v1/namespaces/apps/secrets/") == 3);
}

TEST_CASE("an API server that goes away while releases are read ends the step, to be tried again") {
  FakeApi api;
  put_release(api, "app", 1, "superseded");
  api.fail = [](const kube::Request& request) {
    return request.path.find("/secrets/") != std::string::npos ? 503 : 0;
  };
  kube::Client client(api, {}, one_attempt());
  CHECK(read_helm_releases(client, {}).error().code == ErrorCode::unavailable);
}

TEST_CASE("a list that is refused is an error, not an empty artifact") {
  FakeApi api;
  api.fail = [](const kube::Request&) { return 403; };
  kube::Client client(api, {}, one_attempt());
  CHECK(read_helm_releases(client, {}).error().code == ErrorCode::permission_denied);
}

TEST_CASE("an answer that is too large is asked for again in smaller pages, down to one object") {
  FakeApi api;
  for (int i = 0; i < 20; ++i) {
    put_release(api, "app" + std::to_string(i), 1, "deployed");
    annotate(api, "apps", "app" + std::to_string(i), 6000);
  }
  const HelmInventory inventory = read(api, 10000);
  CHECK(inventory.releases.size() == 20);
  CHECK(inventory.undecodable.empty());
}

TEST_CASE(
    "a page that does not come in time is asked for again in smaller ones, and they stay small") {
  FakeApi api;
  for (int i = 0; i < 300; ++i) {
    put_release(api, "app" + std::to_string(i), 1, "deployed");
  }
  int late = 0;
  api.fail = [&](const kube::Request& request) {
    const bool large = std::ranges::any_of(request.query, [](const auto& pair) {
      return pair.first == "limit" && std::stoi(pair.second) > 50;
    });
    late += large ? 1 : 0;
    return large ? 504 : 0;
  };
  const HelmInventory inventory = read(api);
  CHECK(inventory.releases.size() == 300);
  CHECK(inventory.undecodable.empty());
  CHECK(late <= 8); // 500 and 125 of each list, not of each page: each takes half a minute
}

TEST_CASE("a list that starts over because its token expired brings each release once") {
  for (const char* of : {"PartialObjectMetadata", "application/json"}) {
    FakeApi api;
    for (int i = 0; i < 40; ++i) {
      put_release(api, "app" + std::to_string(i), 1, "deployed");
      annotate(api, "apps", "app" + std::to_string(i), 1000);
    }
    int expired = 0;
    api.fail = [&](const kube::Request& request) {
      const bool goes_on = std::ranges::any_of(
          request.query, [](const auto& pair) { return pair.first == "continue"; });
      const bool meant =
          request.accept.starts_with(of) || request.accept.find(of) != std::string::npos;
      return goes_on && meant && ++expired <= 2 ? 410 : 0;
    };
    const HelmInventory inventory = read(api, 20000);
    CHECK(expired > 2);
    CHECK(inventory.releases.size() == 40);
    CHECK(inventory.undecodable.empty());
  }
}

TEST_CASE("an object that cannot be listed at all harms its namespace only") {
  FakeApi api;
  put_namespaces(api, {"apps", "evil", "last"});
  for (const char* name_space : {"apps", "evil", "last"}) {
    put_release(api, "app", 1, "deployed", true, {}, name_space);
    put_release(api, "old", 1, "deployed", false, {}, name_space);
  }
  SUBCASE("it is larger than the largest answer") {
    annotate(api, "evil", "app", 50000);
  }
  SUBCASE("the server cannot decrypt it") {
    api.fail = [](const kube::Request& request) {
      return request.path == "/api/v1/secrets" || request.path == "/api/v1/namespaces/evil/secrets"
                 ? 500
                 : 0;
    };
  }
  const HelmInventory inventory = read(api, 20000);
  CHECK(inventory.releases.size() == 5); // the ConfigMap in evil, too
  REQUIRE(inventory.undecodable.size() == 1);
  CHECK(inventory.undecodable[0].name_space == "evil");
  CHECK(inventory.undecodable[0].storage_object == "secret/*");
  CHECK(inventory.undecodable[0].message.starts_with("not listed: "));
}

TEST_CASE("etcd that changes its leader ends the step, and leaves no namespace or release out") {
  FakeApi api;
  api.words = "etcdserver: leader changed";
  put_namespaces(api, {"apps", "last"});
  for (const char* name_space : {"apps", "last"}) {
    put_release(api, "app", 1, "superseded", true, {}, name_space);
  }
  std::string failing = "/api/v1/secrets";
  SUBCASE("as all are listed") {}
  SUBCASE("as one release is read") {
    failing = "/api/v1/namespaces/last/secrets/sh.helm.release.v1.app.v1";
  }
  api.fail = [&](const kube::Request& request) { return request.path == failing ? 500 : 0; };
  kube::Client client(api, {}, one_attempt());
  const auto inventory = read_helm_releases(client, {});
  REQUIRE_FALSE(inventory);
  CHECK(kube::is_passing(inventory.error().code));
}

TEST_CASE("a namespace that is closed to us while all are asked one by one is listed as odd") {
  FakeApi api;
  put_namespaces(api, {"apps", "closed"});
  put_release(api, "app", 1, "deployed");
  api.fail = [](const kube::Request& request) {
    return request.path == "/api/v1/secrets"                     ? 500
           : request.path == "/api/v1/namespaces/closed/secrets" ? 403
                                                                 : 0;
  };
  const HelmInventory inventory = read(api);
  CHECK(inventory.releases.size() == 1);
  REQUIRE(inventory.undecodable.size() == 1);
  CHECK(inventory.undecodable[0].name_space == "closed");
}

TEST_CASE("a list that fails everywhere is an error, not a list of odd namespaces") {
  FakeApi api;
  put_namespaces(api, {"apps", "web"});
  api.fail = [](const kube::Request& request) {
    return request.path.ends_with("/secrets") ? 500 : 0;
  };
  kube::Client client(api, {}, one_attempt());
  CHECK(read_helm_releases(client, {}).error().http_status == 500);
}

TEST_CASE("a release that is too large to be read by itself harms itself only") {
  FakeApi api;
  put_namespaces(api, {"apps"});
  put_release(api, "app", 1, "deployed");
  put_release(api, "large", 1, "deployed", true, std::string(30000, 'x'));
  const HelmInventory inventory = read(api, 20000);
  CHECK(inventory.releases.size() == 1);
  REQUIRE(inventory.undecodable.size() == 1);
  CHECK(inventory.undecodable[0].storage_object == "secret/sh.helm.release.v1.large.v1");
}

TEST_CASE("of an answer only what is used is kept") {
  FakeApi api;
  put_release(api, "app", 1, "deployed");
  annotate(api, "apps", "app", 100);
  kube::Client client(api);
  const auto page = client.list_page(kube::k_secrets, "", secret_storage().all);
  REQUIRE(page);
  CHECK(page->body_bytes > 100);
  const nlohmann::json& item = page->items.at(0);
  CHECK(item.size() == 2);
  CHECK(item.at("metadata").size() == 3);
  CHECK(item.at("data").contains("release"));
  const auto one =
      client.get({kube::k_secrets, "apps", "sh.helm.release.v1.app.v1", {}}, {}, keeps_key);
  REQUIRE(one);
  CHECK(*one == item);
}

TEST_CASE("more releases than there is room for: the namespace that has most loses some") {
  FakeApi api;
  NewestRevisions newest(helm::StorageKind::secret, 10);
  for (int i = 0; i < 30; ++i) {
    put_release(api, "junk" + std::to_string(i), 1, "deployed", true, {}, "evil");
  }
  put_release(api, "app", 1, "deployed");
  put_release(api, "web", 1, "deployed");
  for (const auto& [path, object] : api.objects) {
    newest.add(nlohmann::json::array({object}));
  }
  CHECK(newest.left_out() == std::set<std::string>{"evil"});
  const auto held = std::move(newest).take();
  CHECK(held.size() == 10);
  CHECK(std::ranges::count(held, "apps", &helm::StoredRelease::name_space) == 2);
}

TEST_CASE("the budget of the inventory is a share of the memory that the process may take") {
  const rb::test::TemporaryDirectory root;
  const auto with = [&](const char* file, const std::string& text) {
    std::filesystem::create_directories(
        (root.path() + file).substr(0, (root.path() + file).rfind('/')));
    std::ofstream(root.path() + file) << text;
    return memory_limit(root.path());
  };
  CHECK_FALSE(memory_limit(root.path()));
  CHECK(with("/memory/memory.limit_in_bytes", "9223372036854771712\n") == std::nullopt);
  CHECK(with("/memory/memory.limit_in_bytes", "134217728\n") == 134217728U);
  CHECK(with("/memory.max", "268435456\n") == 268435456U);
  CHECK(with("/memory.max", "max\n") == 134217728U);
  CHECK(inventory_budget(100U << 20U).bytes == 20U << 20U);
  CHECK(inventory_budget(std::nullopt).bytes == helm::Budget{}.bytes);
  CHECK(inventory_budget(std::size_t{64} << 30U).bytes == helm::Budget{}.bytes);
}

TEST_CASE("the words for undecodable releases name the first three and count all") {
  CHECK(describe_helm({5, {}, 0}) == "5 releases");
  CHECK(describe_helm({0, {}, 0}).find("HELM_DRIVER=sql") != std::string::npos);
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
  REQUIRE(payload_pieces(bytes.size()) == 3);
  Bytes joined;
  for (std::size_t number = 0; number < 3; ++number) {
    const nlohmann::json object = payload_config_map("ours", owner, number, bytes);
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
