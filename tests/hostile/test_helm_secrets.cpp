// A tenant with one Secret of Helm's type in a namespace of his own. Whatever is in it, the set can
// be verified, drilled and restored, the other releases are in it, and his is kept as it was
// stored.
#include "support/helm_secrets.hpp"

using namespace rb;
using test::api_data_of;
using test::record_json;
using test::stored;

namespace {

struct Tenant : test::SetOfSecrets {
  helm::Collector collector;

  Tenant() { add("shop", "good", record_json("good", "shop", R"({"replicas":3})")); }

  void add(const std::string& name_space, const std::string& name, const std::string& json) {
    collector.add(stored(name_space, name, 1), api_data_of(json));
  }

  /// `odd`: how many are no releases for us.
  helm::Payload check(std::int64_t releases, std::int64_t odd) {
    helm::Payload payload = put(std::move(collector));
    CHECK(payload.status.releases == releases);
    CHECK(payload.status.undecodable_total == odd);
    check_usable();
    CHECK(test::read_file(values() + "/shop/good.yaml") == "replicas: 3\n");
    return payload;
  }

  [[nodiscard]] std::string raw(const std::string& name) const {
    return test::read_file(values() + "/raw/tenant/sh.helm.release.v1." + name + ".v1");
  }
};

std::string with_chart(const std::string& metadata) {
  return R"({"name":"odd","namespace":"tenant","version":1,"info":{"status":"deployed"},)"
         R"("chart":{"metadata":)" +
         metadata + R"(},"config":{"a":1}})";
}

} // namespace

TEST_CASE_FIXTURE(Tenant,
                  "a release without a chart, or with an odd one, is a release with values") {
  for (const char* chart : {"null",
                            "{}",
                            R"({"name":"-odd","version":"1"})",
                            R"({"name":"a b","version":"-x"})",
                            R"({"name":"c\u0000\u001b[2J","version":"\u0085\u202e"})",
                            R"({"name":"oci://evil.example/x","version":"1.0.0\n"})"}) {
    CAPTURE(chart);
    Tenant tenant;
    tenant.add("tenant", "odd", with_chart(chart));
    tenant.check(2, 0);
    CHECK(test::read_file(tenant.values() + "/tenant/odd.yaml") == "a: 1\n");
  }
}

TEST_CASE_FIXTURE(Tenant, "a text about a release without an end is kept as it was stored") {
  const std::string json = with_chart(R"({"name":"web","version":"1","appVersion":")" +
                                      std::string(2'000'000, 'v') + "\"}");
  add("tenant", "odd", json);
  const helm::Payload payload = check(1, 1);
  CHECK(payload.status.undecodable.at(0).message ==
        "too large: chart.metadata.appVersion has more than 512 bytes");
  CHECK(raw("odd") == test::record_of(json));
}

TEST_CASE_FIXTURE(Tenant, "values deeper than a reader goes are kept as they were stored") {
  const std::string json = record_json("odd", "tenant", test::nested(600));
  add("tenant", "odd", json);
  add("tenant", "just-so", record_json("just-so", "tenant", test::nested(400)));
  check(2, 1);
  CHECK(raw("odd") == test::record_of(json));
  const auto verified = run({"verify", "-i", keys()});
  CHECK(verified.out.find("odd: ") == std::string::npos); // yaml-cpp takes the one at the limit
}

TEST_CASE_FIXTURE(Tenant, "releases that compress too well together are in the artifact") {
  for (const char* name : {"a", "b", "c"}) {
    add("tenant",
        name,
        record_json(name, "tenant", R"({"v":")" + std::string(7'000'000, 'x') + "\"}"));
  }
  check(4, 0);
}

TEST_CASE_FIXTURE(Tenant,
                  "ten kilobytes that indentation makes a gigabyte of are kept as they are") {
  std::string lines;
  for (int i = 0; i < 2'000'000; ++i) {
    lines += R"(a\n)";
  }
  const std::string json = record_json("odd", "tenant", test::nested(38, "\"" + lines + "\""));
  add("tenant", "odd", json);
  const helm::Payload payload = check(1, 1);
  CHECK(payload.status.undecodable.at(0).message ==
        "too large: the values have more than 8388608 bytes");
  CHECK(raw("odd") == test::record_of(json));
}

TEST_CASE_FIXTURE(Tenant, "junk is kept byte for byte, and the run has all that was asked for") {
  const std::string junk("garbage\0\xff", 9);
  collector.add(stored("tenant", "junk", 1), to_base64(as_bytes(junk)));
  helm::StoredRelease unnamed = stored("tenant", "x", 1);
  unnamed.object_name = "anything";
  unnamed.labels.clear();
  collector.add(unnamed, to_base64(as_bytes(junk)));
  collector.add(stored("tenant", "empty", 1), "");
  check(1, 3);
  CHECK(raw("junk") == junk);
  CHECK(test::read_file(values() + "/raw/tenant/anything") == junk);
  const auto shown =
      run({"restore", "--artifact", "helm-values", "--to", values(), "--force", "-i", keys()});
  CHECK(shown.err.find("3 stored objects could not be decoded as a release") != std::string::npos);
  const auto verified = run({"verify", "-i", keys()});
  CHECK(verified.out.find("3 undecodable ones as stored") != std::string::npos);
}

TEST_CASE_FIXTURE(Tenant,
                  "who stores more than there is room for loses his own, and nobody else's") {
  collector = helm::Collector(helm::Budget{20'000'000});
  add("shop", "good", record_json("good", "shop", R"({"replicas":3})"));
  for (int i = 0; i < 5; ++i) {
    const std::string name = "big" + std::to_string(i);
    add("tenant",
        name,
        record_json(name, "tenant", R"({"v":")" + std::string(7'000'000, 'x') + "\"}"));
    CHECK(collector.used_bytes() <= 20'000'000);
  }
  add("web", "late", record_json("late", "web", "{}"));
  const helm::Payload payload = check(4, 3);
  CHECK(payload.status.undecodable.at(0).message ==
        "too large: its namespace has more than there is room for");
  CHECK(test::read_file(values() + "/web/late.yaml") == "{}\n");
}

TEST_CASE_FIXTURE(Tenant, "a flood of junk is counted where it cannot even be listed") {
  collector = helm::Collector(helm::Budget{100'000});
  add("shop", "good", record_json("good", "shop", R"({"replicas":3})"));
  for (int i = 0; i < 2000; ++i) {
    collector.add(stored("tenant", "junk" + std::to_string(i), 1), "Z2FyYmFnZQ==");
  }
  CHECK(collector.used_bytes() <= 100'000);
  check(1, 2000);
}

TEST_CASE_FIXTURE(Tenant, "a set of before, with all that its writer let through, is usable") {
  const std::string index =
      R"({"format": "railiance-backup/helm-values/v1", "releases": [
        {"namespace": "shop", "name": "good", "chart": {"name": "c", "version": "1"},
         "file": "shop/good.yaml"},
        {"namespace": "tenant", "name": "deep", "chart": {"name": "", "version": ""},
         "file": "tenant/deep.yaml"},
        {"namespace": "tenant", "name": "odd", "chart": {"name": "-x", "version": "1\n"},
         "appVersion": ")" +
      std::string(100'000, 'v') + R"(", "file": "tenant/odd.yaml"}, 7,
        {"namespace": "tenant", "name": "gone", "file": "tenant/gone.yaml"}],
        "undecodable": [{"namespace": "tenant", "storage": "secret/x", "message": "bad gzip"}]})";
  replace_content(api::ArtifactType::helm_values,
                  run_id,
                  test::tar_gz({{"index.json", index},
                                {"shop/good.yaml", "replicas: 3\n"},
                                {"tenant/deep.yaml", test::nested(600) + "\n"},
                                {"tenant/odd.yaml", std::string(18'000'000, ' ') + "\n"},
                                {"stray", "x"}}));
  check_usable();
  CHECK(test::read_file(values() + "/shop/good.yaml") == "replicas: 3\n");
  const auto verified = run({"verify", "-i", keys()});
  INFO(verified.out);
  for (const char* odd : {"tenant/odd: too large: its appVersion has more than 512 bytes",
                          "tenant/gone: its values are not in the archive",
                          "stray: index.json does not name it",
                          "tenant/deep.yaml is not a YAML mapping"}) {
    CHECK(verified.out.find(odd) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Tenant, "whatever the kubeconfig holds, the set is usable") {
  for (const std::string& content :
       {std::string(),
        std::string("hello"),
        std::string("a: &a [*a, *a]\n"),
        std::string(100'000, '['),
        std::string("\0\x1b]0;x\a", 7),
        std::string("clusters: [{cluster: {server: x, "
                    "certificate-authority-data: '%'}}]\nusers: 1\n")}) {
    CAPTURE(content.substr(0, 40));
    replace_content(api::ArtifactType::kubeconfig, run_id, content);
    check_usable();
    CHECK(run({"restore", "--artifact", "kubeconfig", "--to", file("k"), "--force", "-i", keys()})
              .code == 0);
    CHECK(test::read_file(file("k") + "/kubeconfig.yaml") == content);
  }
}
