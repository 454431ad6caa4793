#include "set/manifest.hpp"
#include "support/fault_disk.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include "base/json_fields.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

using namespace rb;
using namespace rb::set;

namespace {

const std::string k_run_id = "20261122T020000Z";

/// The manifest of the tests with one change to its JSON.
Result<Manifest> parse_changed(const std::string& pointer, const nlohmann::json& value) {
  auto json = json_of(serialize(test::make_manifest(k_run_id)));
  json[nlohmann::json::json_pointer(pointer)] = value;
  return parse_manifest(json.dump());
}

} // namespace

TEST_CASE("manifest: what is written is read back") {
  for (const bool complete : {true, false}) {
    const Manifest manifest = test::make_manifest(k_run_id, complete);
    const auto again = parse_manifest(serialize(manifest));
    INFO((again ? std::string() : again.error().message));
    REQUIRE(again);
    CHECK(*again == manifest);
  }
}

TEST_CASE("manifest: what a signed one says of the others is read back") {
  Manifest manifest = test::make_manifest(k_run_id);
  manifest.signed_by = "0123456789ABCDEF";
  CHECK(parse_manifest(serialize(manifest)).value() == manifest);
  manifest.previous = ManifestLink{"20261121T020000Z", std::string(64, 'a')};
  manifest.catalogue = {{"20261120T020000Z", std::string(64, 'b')}, *manifest.previous};
  CHECK(parse_manifest(serialize(manifest)).value() == manifest);
  for (const auto& [pointer, value] :
       {std::pair{"/signedBy", nlohmann::json("0123456789abcdef")},
        std::pair{"/signedBy", nlohmann::json(7)},
        std::pair{"/previous/runID", nlohmann::json("../x")},
        std::pair{"/previous/sha256", nlohmann::json("")},
        std::pair{"/previous", nlohmann::json("yesterday")},
        std::pair{"/catalogue/0/sha256", nlohmann::json(std::string(64, 'B'))},
        std::pair{"/catalogue/1", nlohmann::json(1)}}) {
    CAPTURE(pointer);
    auto json = json_of(serialize(manifest));
    json[nlohmann::json::json_pointer(pointer)] = value;
    CHECK(parse_manifest(json.dump()).error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("manifest: the servers of the cluster are read back, and bytes are of the golden file") {
  Manifest manifest = test::make_manifest(k_run_id);
  manifest.servers = {
      {"server-1", "10.0.0.1", "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"},
      {"server-2", "fd00::2", ""},
      {"server-3.example", "", "RWQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}};
  CHECK(parse_manifest(serialize(manifest)).value() == manifest);
  const std::string path =
      std::string(RB_SOURCE_DIR) + "/tests/golden/artifact/manifest-v1-servers.json";
  const std::string text = serialize(manifest);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    test::write_file(path, text);
  }
  CHECK(text == test::read_file(path));
}

TEST_CASE("manifest: odd servers are passed over and counted, and no set is unreadable for them") {
  const nlohmann::json good{{"nodeName", "server-2"}, {"address", "10.0.0.2"}};
  for (const nlohmann::json& odd :
       {nlohmann::json("server-3"),
        nlohmann::json(nullptr),
        nlohmann::json::object(),
        nlohmann::json{{"nodeName", ""}},
        nlohmann::json{{"nodeName", "Server-3"}},
        nlohmann::json{{"nodeName", "server-3\n"}},
        nlohmann::json{{"nodeName", std::string(254, 'a')}},
        nlohmann::json{{"nodeName", "server-2"}, {"address", "10.0.0.66"}},
        nlohmann::json{{"nodeName", "server-3"}, {"address", "https://10.0.0.3"}},
        nlohmann::json{{"nodeName", "server-3"}, {"address", 3}},
        nlohmann::json{{"nodeName", "server-3"}, {"publicKey", "RWQ"}},
        nlohmann::json{{"nodeName", "server-3"}, {"publicKey", std::string(56, 'R')}}}) {
    CAPTURE(odd.dump());
    const auto read = parse_changed("/servers", nlohmann::json{good, odd});
    REQUIRE(read);
    CHECK(read->servers == std::vector<api::ServerEntry>{{"server-2", "10.0.0.2", ""}});
    CHECK(read->odd_servers == 1);
  }
  for (const nlohmann::json& none : {nlohmann::json("all"), nlohmann::json{{"nodeName", "a"}}}) {
    const auto read = parse_changed("/servers", none);
    REQUIRE(read);
    CHECK(read->servers.empty());
    CHECK(read->odd_servers == 1);
  }
}

TEST_CASE("manifest: of more servers than a cluster can have the first ones are taken") {
  nlohmann::json many = nlohmann::json::array();
  for (std::size_t i = 0; i < api::k_servers_limit + 3; ++i) {
    many.push_back({{"nodeName", "server-" + std::to_string(i)}});
  }
  const auto read = parse_changed("/servers", many);
  REQUIRE(read);
  CHECK(read->servers.size() == api::k_servers_limit);
  CHECK(read->servers.front().node_name == "server-0");
  CHECK(read->odd_servers == 3);
}

TEST_CASE("manifest: the bytes are those of the golden file") {
  const std::string path = std::string(RB_SOURCE_DIR) + "/tests/golden/artifact/manifest-v1.json";
  const std::string text = serialize(test::make_manifest(k_run_id, false));
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    test::write_file(path, text);
  }
  CHECK(text == test::read_file(path));
}

TEST_CASE(
    "manifest: what came of a proof is read back, and its bytes are those of the golden file") {
  Manifest manifest = test::make_manifest(k_run_id);
  manifest.proof = ProofRecord{api::Reason::completed, "", 4211, 63, 11'500, 451'000'000};
  const std::string path =
      std::string(RB_SOURCE_DIR) + "/tests/golden/artifact/manifest-v1-proven.json";
  const std::string text = serialize(manifest);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    test::write_file(path, text);
  }
  CHECK(text == test::read_file(path));
  CHECK(parse_manifest(text).value() == manifest);
  CHECK(manifest.is_good());
  for (const api::Reason reason : {api::Reason::proof_failed, api::Reason::proof_unavailable}) {
    manifest.proof = ProofRecord{reason, "it did not come up", 0, 0, 0, 0};
    CHECK(parse_manifest(serialize(manifest)).value() == manifest);
    CHECK_FALSE(manifest.is_good());
  }
}

TEST_CASE("manifest: a proof that cannot be understood is none") {
  const nlohmann::json proof{{"result", "ProvenTwice"},
                             {"message", "m"},
                             {"objects", 1},
                             {"kinds", 1},
                             {"milliseconds", 1},
                             {"peakMemoryBytes", 1}};
  const auto later = parse_changed("/proof", proof);
  REQUIRE(later);
  CHECK_FALSE(later->is_good());
  CHECK(later->proof->message == "ProvenTwice: m");
  for (const char* const field :
       {"/proof/objects", "/proof/milliseconds", "/proof/peakMemoryBytes"}) {
    auto json = json_of(serialize(test::make_manifest(k_run_id)));
    json["proof"] = proof;
    json[nlohmann::json::json_pointer(field)] = -1;
    CHECK(!parse_manifest(json.dump()));
  }
  CHECK(!parse_changed("/proof", "yes"));
}

TEST_CASE("manifest: fields of later releases are skipped") {
  CHECK(parse_changed("/proven", {{"boot", true}}));
  const auto manifest =
      parse_changed("/missing", {{{"type", "Kubeconfig"}, {"reason", "SunSpots"}}});
  REQUIRE(!manifest); // it still calls itself complete
  auto json = json_of(serialize(test::make_manifest(k_run_id, false)));
  json["missing"][0]["reason"] = "SunSpots";
  const auto incomplete = parse_manifest(json.dump());
  REQUIRE(incomplete);
  CHECK(incomplete->missing.at(0).reason_word() == "SunSpots");
  CHECK(incomplete->missing.at(0).message == "the releases could not be listed");
}

TEST_CASE("manifest: another schema is unsupported, not damaged") {
  const auto manifest = parse_changed("/schema", "railiance.io/manifest/v2");
  REQUIRE(!manifest);
  CHECK(manifest.error().code == ErrorCode::unsupported);
  CHECK(manifest.error().hint.find("railiance-restore") != std::string::npos);
}

TEST_CASE("manifest: what breaks its rules is refused") {
  CHECK(!parse_changed("/artifacts/0/fileName", "../../etc/passwd"));
  CHECK(!parse_changed("/artifacts/0/fileName", "etcd-20251122T020000Z.snap.age"));
  CHECK(!parse_changed("/artifacts/0/type", "HelmValues"));
  CHECK(!parse_changed("/artifacts/0/sha256", "abc"));
  CHECK(!parse_changed("/artifacts/0/sha256", std::string(64, 'A')));
  CHECK(!parse_changed("/artifacts/0/sizeBytes", -1.5e300));
  CHECK(!parse_changed("/snapshot/revision", -1));
  CHECK(!parse_changed("/snapshot/hash", std::uint64_t{1} << 40U));
  CHECK(!parse_changed("/snapshot/objects/pods", "many"));
  CHECK(!parse_changed("/helm/releases", 1e300));
  CHECK(!parse_changed("/artifacts", "x"));
  CHECK(!parse_changed("/runID", "../x"));
  CHECK(!parse_changed("/complete", "yes"));
  CHECK(!parse_changed("/startTime", "yesterday"));
  CHECK(!parse_changed("/artifacts", nlohmann::json::array()));
  CHECK(!parse_changed("/snapshot/contentSHA256", ""));
  CHECK(!parse_changed("/requested", "EtcdSnapshot"));
}

TEST_CASE("manifest: artifacts that only a newer release knows are named, and stop nothing") {
  auto json = json_of(serialize(test::make_manifest(k_run_id)));
  json["requested"].push_back("Volumes");
  json["artifacts"].push_back({{"type", "Volumes"}, {"fileName", "volumes.tar.age"}});
  const auto manifest = parse_manifest(json.dump());
  REQUIRE(manifest);
  CHECK(manifest->complete);
  CHECK(manifest->unknown_files == std::vector<std::string>{"volumes.tar.age"});
  CHECK(manifest->requested == test::make_manifest(k_run_id).requested);
}

TEST_CASE("manifest: who asked for the run is kept, and older ones count with the schedule's") {
  Manifest manifest = test::make_manifest(k_run_id);
  CHECK_FALSE(parse_manifest(serialize(manifest)).value().manual);
  manifest.manual = true;
  CHECK(parse_manifest(serialize(manifest)).value().manual);
}

TEST_CASE("manifest: an artifact may not be there twice") {
  auto json = json_of(serialize(test::make_manifest(k_run_id)));
  json["artifacts"].push_back(json["artifacts"][0]);
  const auto manifest = parse_manifest(json.dump());
  REQUIRE(!manifest);
  CHECK(manifest.error().code == ErrorCode::corrupt);
}

TEST_CASE("manifest: every truncation is refused") {
  const std::string text = serialize(test::make_manifest(k_run_id));
  for (std::size_t size = 0; size + 2 < text.size(); size += 7) {
    const auto manifest = parse_manifest(text.substr(0, size));
    REQUIRE(!manifest);
    CHECK(manifest.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("read_manifest refuses the manifest of another run") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  const std::string text = serialize(test::make_manifest(k_run_id));
  disk.put("manifest-20261123T020000Z.json", Bytes(text.begin(), text.end()));
  const auto manifest = read_manifest(directory, "20261123T020000Z");
  REQUIRE(!manifest);
  CHECK(manifest.error().code == ErrorCode::corrupt);
  CHECK(read_manifest(directory, k_run_id).error().code == ErrorCode::not_found);
}

TEST_CASE("read_manifest refuses a manifest that is too large") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  disk.put("manifest-" + k_run_id + ".json", Bytes(k_manifest_limit_bytes + 1, ' '));
  CHECK(read_manifest(directory, k_run_id).error().code == ErrorCode::corrupt);
}

TEST_CASE("manifest: a set of etcd is written in the words that older releases read") {
  const std::string text = serialize(test::make_manifest(k_run_id));
  CHECK(text.find("\"EtcdSnapshot\"") != std::string::npos);
  CHECK(text.find("\"Datastore\"") == std::string::npos);
  CHECK(text.find("\"kind\"") == std::string::npos);
}

TEST_CASE("manifest: a set of SQLite names its kind, and is read back") {
  Manifest manifest = test::make_manifest(k_run_id);
  manifest.snapshot->kind = api::DatastoreKind::sqlite;
  for (api::ArtifactStatus& artifact : manifest.artifacts) {
    artifact.file_name = api::file_name(artifact.type, k_run_id, api::DatastoreKind::sqlite);
  }
  const std::string text = serialize(manifest);
  CHECK(parse_manifest(text).value() == manifest);
  CHECK(text.find("\"sqlite-20261122T020000Z.db.age\"") != std::string::npos);
  CHECK(text.find("\"kind\": \"SQLite\"") != std::string::npos);
  CHECK(text.find("EtcdSnapshot") == std::string::npos);
}

TEST_CASE("manifest: a snapshot of another kind than its file is none") {
  CHECK(parse_changed("/snapshot/kind", "SQLite").error().code == ErrorCode::corrupt);
}
