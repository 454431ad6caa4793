#include "datastore/keys/keys.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::datastore;

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

TEST_CASE("what a server cannot tell in JSON as it is, is not UTF-8, or is told of such") {
  for (const char* const text :
       {"", "a", "roles/x/a b\n\x1b", "\u00e4", "\u20ac", "\U0001f600", "\uffff"}) {
    CAPTURE(text);
    CHECK(datastore::is_sayable(text));
  }
  for (const char* const text : {"\xff",
                                 "a\x80",
                                 "\xc3",
                                 "\xc0\xaf",
                                 "\xe2\x82",
                                 "\xe0\x80\x80",
                                 "\xed\xa0\x80",
                                 "\xf4\x90\x80\x80",
                                 "\xf5\x80\x80\x80",
                                 "a\uFFFD"}) {
    CAPTURE(std::string(text).size());
    CHECK_FALSE(datastore::is_sayable(text));
  }
}
