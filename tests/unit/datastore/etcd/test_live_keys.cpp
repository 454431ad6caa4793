#include "datastore/etcd/key_names.hpp"
#include "datastore/etcd/live_keys.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::etcd;

TEST_CASE("object_kind takes one segment, or two for groups and services") {
  CHECK(object_kind("/registry/pods/default/a") == "pods");
  CHECK(object_kind("/registry/namespaces/default") == "namespaces");
  CHECK(object_kind("/registry/health") == "health");
  CHECK(object_kind("/registry/services/specs/default/kubernetes") == "services/specs");
  CHECK(object_kind("/registry/services/endpoints/default/kubernetes") == "services/endpoints");
  CHECK(object_kind("/registry/helm.cattle.io/helmcharts/kube-system/traefik") ==
        "helm.cattle.io/helmcharts");
  CHECK(object_kind("/registry/apiextensions.k8s.io/customresourcedefinitions/x") ==
        "apiextensions.k8s.io/customresourcedefinitions");
}

TEST_CASE("object_kind: keys outside of the registry have none") {
  CHECK(!object_kind("/bootstrap/0123456789ab"));
  CHECK(!object_kind("k3s/apiaddresses"));
  CHECK(!object_kind(""));
}

TEST_CASE("object_kind never returns what is not fit to print") {
  CHECK(object_kind("/registry/") == "(other)");
  CHECK(object_kind("/registry//x") == "(other)");
  CHECK(object_kind("/registry/a\nb/x") == "(other)");
  CHECK(object_kind("/registry/" + std::string(400, 'x')) == "(other)");
}

TEST_CASE("bootstrap_hash takes lower-case hex only") {
  CHECK(bootstrap_hash("/bootstrap/0123456789ab") == "0123456789ab");
  CHECK(!bootstrap_hash("/bootstrap/"));
  CHECK(!bootstrap_hash("/bootstrap/XYZ"));
  CHECK(!bootstrap_hash("/registry/pods/default/a"));
}

TEST_CASE("LiveKeys counts what is alive at the end") {
  LiveKeys live(SipKey::random(), 100);
  live.put(as_bytes("/registry/pods/default/a"));
  live.put(as_bytes("/registry/pods/default/a"));
  live.put(as_bytes("/registry/pods/default/b"));
  live.put(as_bytes("/bootstrap/aaaaaaaaaaaa"));
  live.put(as_bytes("/bootstrap/bbbbbbbbbbbb"));
  live.remove(as_bytes("/registry/pods/default/b"));
  live.remove(as_bytes("/registry/pods/default/never"));
  live.remove(as_bytes("/bootstrap/aaaaaaaaaaaa"));
  SnapshotInfo info;
  live.add_to(info);
  CHECK(info.total_keys == 2);
  CHECK(info.objects == std::map<std::string, std::uint64_t>{{"pods", 1}});
  CHECK(info.bootstrap_hashes == std::vector<std::string>{"bbbbbbbbbbbb"});
}

TEST_CASE("LiveKeys bounds the number of kinds") {
  LiveKeys live(SipKey::random(), 10'000);
  for (int i = 0; i < 6000; ++i) {
    live.put(as_bytes("/registry/kind" + std::to_string(i) + "/x"));
  }
  SnapshotInfo info;
  live.add_to(info);
  CHECK(info.total_keys == 6000);
  CHECK(info.objects.size() == k_kind_limit + 1);
  CHECK(info.objects.at("(other)") == 6000 - k_kind_limit);
}
