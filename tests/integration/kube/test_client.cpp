#include "support.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using nlohmann::json;

TEST_CASE("an object is created, read, replaced under its version, and deleted by its uid") {
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  const ObjectRef ref = space.config_map("one");

  const auto created = client.create(k_config_maps, space.name(), config_map("one", "first"));
  REQUIRE(created);
  CHECK(client.create(k_config_maps, space.name(), config_map("one", "first")).error().code ==
        ErrorCode::already_exists);

  json changed = client.get(ref).value();
  CHECK(changed["data"]["value"] == "first");
  changed["data"]["value"] = "second";
  REQUIRE(client.replace(ref, changed));
  const auto stale = client.replace(ref, changed);
  REQUIRE_FALSE(stale);
  CHECK(stale.error().code == ErrorCode::conflict);
  CHECK(stale.error().http_status == 409);
  CHECK(client.get(ref).value()["data"]["value"] == "second");

  CHECK(client.remove(ref, "00000000-0000-0000-0000-000000000000").error().code ==
        ErrorCode::conflict);
  CHECK(client.remove(ref, (*created)["metadata"]["uid"].get<std::string>()));
  const auto gone = client.get(ref);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ErrorCode::not_found);
  CHECK(gone.error().message ==
        "GET /api/v1/namespaces/" + space.name() + "/configmaps/one: configmaps \"one\" not found");
}

TEST_CASE("merge, json and apply patches change an object, and a merge patch its status") {
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  const ObjectRef ref = space.config_map("patched");
  REQUIRE(client.create(k_config_maps, space.name(), config_map("patched", "a")));

  CHECK(client.patch(ref, PatchType::merge, {{"data", {{"more", "b"}}}}).value()["data"]["more"] ==
        "b");
  const json operations = json::array({{{"op", "test"}, {"path", "/data/value"}, {"value", "a"}},
                                       {{"op", "remove"}, {"path", "/data/more"}}});
  CHECK_FALSE(client.patch(ref, PatchType::json, operations).value()["data"].contains("more"));
  json applied = config_map("patched", "applied");
  CHECK(client.patch(ref, PatchType::apply, applied, {}, "integration-kube")
            .value()["data"]["value"] == "applied");
  const auto stale = client.patch(
      ref, PatchType::merge, {{"metadata", {{"resourceVersion", "1"}}}, {"data", {{"x", "y"}}}});
  REQUIRE_FALSE(stale);
  CHECK(stale.error().code == ErrorCode::conflict);

  const json condition{{"type", "Tested"},
                       {"status", "True"},
                       {"reason", "Test"},
                       {"message", "a test wrote this"},
                       {"lastTransitionTime", "2026-01-01T00:00:00Z"}};
  const ObjectRef status{k_namespaces, {}, space.name(), "status"};
  const auto patched = client.patch(
      status, PatchType::merge, {{"status", {{"conditions", json::array({condition})}}}});
  REQUIRE(patched);
  CHECK((*patched)["status"]["conditions"][0]["type"] == "Tested");
}

TEST_CASE("a list comes in pages, and with metadata alone where that is enough") {
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  for (int i = 0; i < 7; ++i) {
    REQUIRE(
        client.create(k_config_maps, space.name(), config_map("page-" + std::to_string(i), "x")));
  }
  ListOptions options;
  options.label_selector = "made-by=integration-kube";
  options.page_size = 3;
  options.metadata_only = true;
  std::vector<std::size_t> sizes;
  std::set<std::string> names;
  REQUIRE(
      client.list(k_config_maps, space.name(), options, [&](ListPage page, bool first) -> Status {
        CHECK(first == sizes.empty());
        sizes.push_back(page.items.size());
        for (const json& item : page.items) {
          names.insert(item["metadata"]["name"].get<std::string>());
          CHECK_FALSE(item.contains("data"));
        }
        return {};
      }));
  CHECK(sizes == std::vector<std::size_t>{3, 3, 1});
  CHECK(names.size() == 7);

  options.metadata_only = false;
  const json all = client.list_all(k_config_maps, space.name(), options).value();
  CHECK(all.size() == 7);
  CHECK(all[0]["data"]["value"] == "x");
}

TEST_CASE("an object of a megabyte, and a name of 253 characters, go there and back") {
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  const std::string name = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                           std::string(63, 'c') + "." + std::string(61, 'd');
  REQUIRE(name.size() == 253);
  const std::string big(900'000, 'z');
  REQUIRE(client.create(k_config_maps, space.name(), config_map(name, big)));
  CHECK(client.get(space.config_map(name)).value()["data"]["value"] == big);
}

TEST_CASE("what the server refuses is told with its reason") {
  const auto connection = connect();
  Client& client = connection->client();
  json bad = config_map("bad", "x");
  bad["data"] = json::array({1, 2});
  const auto invalid = client.create(k_config_maps, "default", bad);
  REQUIRE_FALSE(invalid);
  CHECK(invalid.error().code == ErrorCode::invalid_argument);

  const auto nowhere = client.create(k_config_maps, "no-such-namespace", config_map("a", "b"));
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == ErrorCode::not_found);
  CHECK(nowhere.error().message.find("no-such-namespace") != std::string::npos);
}

TEST_CASE("a token that the server does not know is unauthenticated") {
  ClientConfig config = config_under_test();
  config.client_certificate = {};
  config.client_key = {};
  config.token.bytes = SecretBytes(as_bytes("not-a-token"));
  const auto connection = Connection::make(std::move(config)).value();
  const auto refused = connection->client().get({k_namespaces, {}, "default", {}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unauthenticated);
  CHECK_FALSE(refused.error().hint.empty());
}

TEST_CASE("another CA than the server's is a TLS error that names it") {
  ClientConfig config = config_under_test();
  config.ca = {};
  const auto connection = Connection::make(std::move(config)).value();
  const auto refused = connection->client().get({k_namespaces, {}, "default", {}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unavailable);
  CHECK(refused.error().message.find("TLS: ") != std::string::npos);
  CHECK(refused.error().hint.find("the CAs of the system") != std::string::npos);
}
