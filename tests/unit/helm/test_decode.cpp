#include "support/helm_records.hpp"

#include "helm/release.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::helm;
using test::api_data_of;
using test::record_json;
using test::record_of;
using test::stored;

namespace {

Error error_of(std::string_view record, const Limits& limits = {}) {
  const auto release = decode_release_record(stored("ns", "app", 1), record, limits);
  REQUIRE_FALSE(release.has_value());
  return release.error();
}

Error error_of_json(std::string_view json) {
  return error_of(record_of(json));
}

} // namespace

TEST_CASE("a record of Helm 3 gives what helm list and helm get values show") {
  const auto release = decode_release(
      stored("ns", "app", 7), api_data_of(record_json("app", "ns", R"({"a":{"b":"yes"}})", 7)));
  REQUIRE(release.has_value());
  CHECK(release->key.name == "app");
  CHECK(release->key.name_space == "ns");
  CHECK(release->key.revision == 7);
  CHECK(release->recorded.revision == 7);
  CHECK(release->status == "deployed");
  CHECK(release->first_deployed == "2026-01-02T03:04:05.678Z");
  CHECK(release->last_deployed == "2026-02-03T04:05:06.789+01:00");
  CHECK(release->deleted.empty());
  CHECK(release->chart_name == "web");
  CHECK(release->chart_version == "1.2.3");
  CHECK(release->app_version == "4.5");
  CHECK(release->storage_object == "secret/sh.helm.release.v1.app.v7");
  CHECK(release->has_values);
  CHECK(release->values_yaml.text() == "a:\n  b: \"yes\"\n");
}

TEST_CASE("a record of Helm 4 has fields that we pass over, and lacks empty times") {
  const std::string json =
      R"({"name":"app","info":{"last_deployed":"2026-02-03T04:05:06Z","status":"uninstalled",)"
      R"("deleted":"2026-02-04T00:00:00Z","rollback_revision":3},"chart":{"metadata":{"name":"web",)"
      R"("version":"2","apiVersion":"v3"}},"config":{"x":1},"version":2,"namespace":"ns",)"
      R"("apply_method":"ssa"})";
  const auto release = decode_release_record(stored("ns", "app", 2), record_of(json));
  REQUIRE(release.has_value());
  CHECK(release->first_deployed.empty());
  CHECK(release->status == "uninstalled");
  CHECK(release->deleted == "2026-02-04T00:00:00Z");
  CHECK(release->app_version.empty());
  CHECK(release->values_yaml.text() == "x: 1\n");
}

TEST_CASE("a ConfigMap holds the record without the API's base64") {
  const StoredRelease object = stored("ns", "app", 1, StorageKind::config_map);
  const auto release = decode_release(object, record_of(record_json("app", "ns", R"({"a":1})")));
  REQUIRE(release.has_value());
  CHECK(release->storage_object == "configmap/sh.helm.release.v1.app.v1");
  CHECK(release->values_yaml.text() == "a: 1\n");
}

TEST_CASE("an old record that is not gzipped is read as it is") {
  const std::string record = to_base64(as_bytes(record_json("app", "ns", R"({"a":1})")));
  const auto release = decode_release_record(stored("ns", "app", 1), record);
  REQUIRE(release.has_value());
  CHECK(release->values_yaml.text() == "a: 1\n");
}

TEST_CASE("line breaks in the base64 are passed over, as Go does") {
  std::string record = record_of(record_json("app", "ns", R"({"a":1})"));
  for (std::size_t at = 76; at < record.size(); at += 78) {
    record.insert(at, "\r\n");
  }
  CHECK(decode_release_record(stored("ns", "app", 1), record).has_value());
}

TEST_CASE("a release without values says so, and has a file all the same") {
  for (const auto& [config, yaml] : {std::pair{"", "null\n"}, {"null", "null\n"}, {"{}", "{}\n"}}) {
    CAPTURE(config);
    const auto release =
        decode_release_record(stored("ns", "app", 1), record_of(record_json("app", "ns", config)));
    REQUIRE(release.has_value());
    CHECK_FALSE(release->has_values);
    CHECK(release->values_yaml.text() == yaml);
  }
}

TEST_CASE("bad base64 is told from the rest") {
  for (const char* record : {"%%%%", "abc", "H4sI\xff\xff\xff\xff", "H4sIAAA=AAAA", "=", "===="}) {
    CAPTURE(record);
    const Error error = error_of(record);
    CHECK(error.code == ErrorCode::corrupt);
    CHECK(error.message == "bad base64: not base64, or cut off");
  }
  CHECK(decode_release(stored("ns", "app", 1), "%%").error().message.starts_with("bad base64"));
}

TEST_CASE("bad gzip is told from the rest") {
  const auto packed = archive::gzip(as_bytes(record_json("app", "ns", "")));
  Bytes damaged(packed->view().begin(), packed->view().end());
  damaged[damaged.size() - 6] ^= 1; // its CRC
  CHECK(error_of(to_base64(damaged)).message == "bad gzip: gzip: incorrect data check");
  CHECK(error_of(to_base64(damaged)).code == ErrorCode::corrupt);
  damaged.resize(damaged.size() / 2);
  CHECK(error_of(to_base64(damaged)).message == "bad gzip: gzip: it ends early");
}

TEST_CASE("a gzip bomb is stopped") {
  const Error error = error_of(record_of(std::string(40'000'000, ' ')));
  CHECK(error.code == ErrorCode::unsupported);
  CHECK(error.message == "too large: gzip: expands to more than 16777216 bytes");
}

TEST_CASE("values made to exhaust us are stopped") {
  std::string many = R"({"a":[0)";
  for (int i = 0; i < 200'000; ++i) {
    many += ",0";
  }
  const Error error = error_of_json(record_json("app", "ns", many + "]}"));
  CHECK(error.code == ErrorCode::unsupported);
  CHECK(error.message == "too large: values more than 200000 values");
  const std::string deep = R"({"a":)" + std::string(1000, '[') + std::string(1000, ']') + "}";
  CHECK(error_of_json(record_json("app", "ns", deep)).message ==
        "too large: values nested deeper than 400");
  CHECK(error_of(std::string(100, 'A'), {.max_stored_bytes = 99}).message ==
        "too large: the record has more than 99 bytes");
}

TEST_CASE("bad JSON is told from the rest, and its text is not in the message") {
  const std::string good = record_json("app", "ns", R"({"a":"hush"})");
  for (const std::string& json : {std::string(),
                                  std::string("null"),
                                  std::string("[]"),
                                  good + "x",
                                  good.substr(0, good.size() - 1),
                                  std::string(R"({"name":"app",})"),
                                  std::string(R"({"a":{]}})"),
                                  std::string(R"({"a" 1})"),
                                  std::string(200'000, '[')}) {
    const Error error = error_of_json(json);
    CHECK(error.code == ErrorCode::corrupt);
    CHECK(error.message.starts_with("bad json: "));
    CHECK(error.message.find("hush") == std::string::npos);
  }
}

TEST_CASE("values that are not JSON's, or not an object, are bad JSON") {
  for (const char* config : {"[]",
                             "1",
                             "\"text\"",
                             "true",
                             "{\"a\":01}",
                             "{\"a\":1e400}",
                             "{\"a\":\"\\x\"}",
                             "{\"a\":\"\x01\"}",
                             "{\"a\":nul}",
                             "{\"a\":+1}"}) {
    CAPTURE(config);
    const Error error = error_of_json(record_json("app", "ns", config));
    CHECK(error.code == ErrorCode::corrupt);
    CHECK(error.message.starts_with("bad json: "));
  }
}

TEST_CASE("a field of another type is bad JSON") {
  for (const char* json : {R"({"name":1,"version":1})",
                           R"({"name":"app","version":"1"})",
                           R"({"name":"app","version":1.5})",
                           R"({"name":"app","version":-1})",
                           R"({"name":"app","version":99999999999999999999})",
                           R"({"name":"app","version":1,"info":[]})",
                           R"({"name":"app","version":1,"chart":{"metadata":{"version":1.0}}})"}) {
    CAPTURE(json);
    CHECK(error_of_json(json).message.starts_with("bad json: "));
  }
}

TEST_CASE("an object without data is told from one with bad data") {
  CHECK(error_of("").message == "missing field: the object has no data 'release'");
  CHECK(decode_release(stored("ns", "app", 1), "").error().code == ErrorCode::incomplete);
}

TEST_CASE("a missing field is named") {
  CHECK(error_of_json("{}").message == "missing field: name");
  CHECK(error_of_json("{}").code == ErrorCode::incomplete);
  CHECK(error_of_json(R"({"name":null,"version":1})").message == "missing field: name");
  CHECK(error_of_json(R"({"name":"app"})").message == "missing field: version");
  CHECK(decode_release_record(stored("ns", "app", 1),
                              record_of(R"({"name":"app","version":1,"info":null,"chart":null})"))
            .has_value());
}

TEST_CASE("a name that climbs is refused, wherever it stands") {
  for (const char* name :
       {"../../etc", "/etc", "..", "a/b", "a\\nb", "", "-x", "a b", "$(id)", "\\u001b[2J"}) {
    CAPTURE(name);
    if (*name != '\0') {
      const Error in_name = error_of_json(record_json(name, "ns", ""));
      CHECK(in_name.code == ErrorCode::invalid_argument);
      CHECK(in_name.message.starts_with("unsafe name: the record says"));
      CHECK(error_of_json(record_json("app", name, "")).code == ErrorCode::invalid_argument);
    }
    const auto by_namespace =
        decode_release_record(stored(name, "app", 1), record_of(record_json("app", "ns", "")));
    CHECK(by_namespace.error().message.starts_with("unsafe name: stored as"));
  }
  CHECK(error_of_json(record_json("../../etc", "ns", "")).message ==
        "unsafe name: the record says namespace 'ns', release '../../etc'");
  const auto by_label =
      decode_release_record(stored("ns", "../up", 1), record_of(record_json("app", "ns", "")));
  CHECK(by_label.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a copied record keeps the place where it lies, and tells where it came from") {
  const auto release = decode_release_record(
      stored("copy", "app", 1), record_of(record_json("app", "origin", R"({"a":1})", 4)));
  REQUIRE(release.has_value());
  CHECK(release->key.name_space == "copy");
  CHECK(release->key.revision == 1);
  CHECK(release->recorded.name_space == "origin");
  CHECK(release->recorded.revision == 4);
}

TEST_CASE("an undecodable release is reported by its object and its error") {
  const StoredRelease object = stored("ns", "app", 3);
  const auto report = undecodable(object, decode_release(object, "%%").error());
  CHECK(report.name_space == "ns");
  CHECK(report.storage_object == "secret/sh.helm.release.v1.app.v3");
  CHECK(report.message == "bad base64: not base64, or cut off");
}
