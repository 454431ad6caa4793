// Holds: what counts of a snapshot is what is alive at its end, with revision and uid.
#include "objects/contents.hpp"
#include "support/bolt_builder.hpp"

#include <doctest/doctest.h>

namespace {

using namespace rb;
using namespace rb::objects;

std::string field(unsigned number, const std::string& content) {
  REQUIRE(content.size() < 128);
  return std::string{static_cast<char>(number << 3U | 2U), static_cast<char>(content.size())} +
         content;
}

/// As the API server stores a built-in kind.
std::string stored(const std::string& uid, const std::string& more = {}) {
  const std::string metadata = field(1, "name") + field(3, "ns") + field(5, uid) + more;
  const std::string object = field(1, metadata) + field(2, "spec");
  return std::string("k8s\0", 4) + field(1, "type") + field(2, object);
}

TEST_CASE("the uid of built-in kinds and of custom resources is read") {
  CHECK(stored_metadata(as_bytes(stored("u-1"))).uid == "u-1");
  CHECK(stored_metadata(as_bytes(R"({"kind":"Widget","metadata":{"name":"w","uid":"u-2"}})")).uid ==
        "u-2");
}

TEST_CASE("whose an object is, and whether it is going, is read") {
  const auto owner = [](const char* uid) { return field(13, field(1, "Job") + field(4, uid)); };
  const std::string label =
      field(11, field(1, "kube-aggregator.kubernetes.io/automanaged") + field(2, "true"));
  const auto read = [](const std::string& more) {
    return stored_metadata(as_bytes(stored("u", more)));
  };
  CHECK_FALSE(read("").controlled);
  CHECK_FALSE(read("").deleting);
  CHECK(read(owner("o-1")).controlled);
  CHECK(read(owner("o-1")).owner == "o-1");
  CHECK(read(owner("o-1") + owner("o-2")).owner.empty()); // any of them keeps it
  CHECK(read(owner("o-1") + owner("o-2")).controlled);
  CHECK(read(field(9, "time")).deleting);
  CHECK(read(label).controlled);
  CHECK_FALSE(read(field(11, field(1, "app") + field(2, "web"))).controlled);

  const StoredMetadata custom = stored_metadata(
      as_bytes(R"({"metadata":{"uid":"u","deletionTimestamp":"2026-01-01T00:00:00Z",)"
               R"("ownerReferences":[{"uid":"o-3"}]}})"));
  CHECK(custom.owner == "o-3");
  CHECK(custom.deleting);
  CHECK(custom.controlled);
  CHECK_FALSE(stored_metadata(as_bytes(R"({"metadata":{"ownerReferences":7}})")).deleting);
}

TEST_CASE("what tells no uid has none") {
  for (const std::string& value : {std::string("k8s:enc:aescbc:v1:aescbckey:xyz"),
                                   std::string("{\"metadata\":"),
                                   std::string("{\"metadata\":{\"uid\":7}}"),
                                   std::string("k8s\0\xff\xff", 6),
                                   stored("u").substr(0, 12),
                                   std::string()}) {
    CHECK(stored_metadata(as_bytes(value)).uid.empty());
  }
}

TEST_CASE("the last version of a key counts, and a deleted one does not") {
  using rb::test::key_value;
  using rb::test::revision_key;
  const Bytes snapshot = rb::test::with_trailer(rb::test::make_bolt(rb::test::etcd_buckets({
      {revision_key(2, 0), key_value("/registry/pods/ns/kept", stored("u-1"))},
      {revision_key(3, 0), key_value("/registry/pods/ns/gone", stored("u-2"))},
      {revision_key(4, 0), key_value("/registry/pods/ns/kept", stored("u-3"))},
      {revision_key(5, 0, true), key_value("/registry/pods/ns/gone", "")},
      {revision_key(6, 0), key_value("/bootstrap/0123456789ab", "secret")},
  })));
  rb::MemoryReader reader(snapshot);
  const auto contents = read_contents(reader, {});
  REQUIRE(contents.has_value());
  CHECK(contents->revision == 6);
  REQUIRE(contents->objects.size() == 1);
  CHECK(contents->objects.at("pods/ns/kept").revision == 4);
  CHECK(contents->objects.at("pods/ns/kept").metadata.uid == "u-3");
}

TEST_CASE("a file that is no snapshot is refused") {
  const Bytes nothing(8192);
  rb::MemoryReader reader(nothing);
  const auto contents = read_contents(reader, {});
  REQUIRE_FALSE(contents.has_value());
  CHECK(contents.error().code == ErrorCode::corrupt);
}

TEST_CASE("an annotation of a stored object: protobuf, JSON, or nothing") {
  const auto field = [](char number, const std::string& content) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(content.size()) +
           content;
  };
  const std::string entry = field(1, "k3s.io/node-args") + field(2, "[\"server\"]");
  const std::string metadata =
      field(1, "vm") + field(12, field(1, "a") + field(2, "b")) + field(12, entry);
  const std::string stored = std::string("k8s\0", 4) + field(2, field(1, metadata));
  CHECK(stored_annotation(as_bytes(stored), "k3s.io/node-args") == "[\"server\"]");
  CHECK(stored_annotation(as_bytes(stored), "a") == "b");
  CHECK(stored_annotation(as_bytes(stored), "c").empty());
  const std::string json = R"({"metadata":{"annotations":{"a":"b","n":1}}})";
  CHECK(stored_annotation(as_bytes(json), "a") == "b");
  CHECK(stored_annotation(as_bytes(json), "n").empty());
  for (const std::string& odd : {std::string("k8s:enc:aescbc:v1:key1:xyz"),
                                 std::string("k8s\0\x12\x7f", 6),
                                 std::string("{"),
                                 std::string(),
                                 std::string("{\"metadata\":[]}")}) {
    CHECK(stored_annotation(as_bytes(odd), "a").empty());
  }
}

TEST_CASE("the version of a node's kubelet: protobuf, JSON, or nothing") {
  const auto field = [](char number, const std::string& content) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(content.size()) +
           content;
  };
  const std::string info = field(4, "6.1.0") + field(7, "v1.33.1+k3s1") + field(8, "v1.33.1+k3s1");
  const std::string node = field(1, field(1, "vm")) + field(3, field(3, "x") + field(7, info));
  const std::string magic("k8s\0", 4);
  CHECK(stored_kubelet_version(as_bytes(magic + field(2, node))) == "v1.33.1+k3s1");
  const std::string json = R"({"status":{"nodeInfo":{"kubeletVersion":"v1.33.1+k3s1"}}})";
  CHECK(stored_kubelet_version(as_bytes(json)) == "v1.33.1+k3s1");
  for (const std::string& odd : {magic + field(2, field(1, field(1, "vm"))),
                                 magic + std::string("\x12\x7f"),
                                 std::string("k8s:enc:aescbc:v1:key1:xyz"),
                                 std::string(R"({"status":{"nodeInfo":[]}})"),
                                 std::string()}) {
    CHECK(stored_kubelet_version(as_bytes(odd)).empty());
  }
}

} // namespace
