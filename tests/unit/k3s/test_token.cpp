#include "k3s/token.hpp"

#include <doctest/doctest.h>

using namespace rb::k3s;

TEST_CASE("the hash is that of the password part, as k3s names its bootstrap key") {
  // printf %s 5ecret | sha256sum | cut -c1-12
  const std::string hash = token_hash("5ecret");
  CHECK(hash == "f65da3a06da0");
  CHECK(token_hash("K10aa::server:5ecret\n") == hash);
  CHECK(token_hash(" 5ecret \n") == hash);
  CHECK(token_hash("K10aa::5ecret") == hash);
  CHECK(token_hash("K10aa::server:a:b") == token_hash("a:b"));
}

TEST_CASE("no token, no hash") {
  CHECK(token_hash("").empty());
  CHECK(token_hash("\n").empty());
  CHECK(token_hash("K10aa::server:").empty());
}

TEST_CASE("a full token names the digest of the server's CA") {
  const std::string ca = cluster_ca_of_file("-----BEGIN CERTIFICATE-----\n");
  CHECK(ca.size() == 64);
  CHECK(cluster_ca_of_token("K10" + ca + "::server:secret") == ca);
  CHECK(cluster_ca_of_token("K10" + ca + "::node:secret\n") == ca);
  CHECK(cluster_ca_of_token("secret").empty());
  CHECK(cluster_ca_of_token("K10" + ca).empty());
  CHECK(cluster_ca_of_token("K10abc::server:x").empty());
  CHECK(cluster_ca_of_token("K10" + std::string(64, 'Z') + "::server:x").empty());
  CHECK(cluster_ca_of_file("").empty());
}

TEST_CASE("the same cluster is one whose authority both know") {
  CHECK(is_same_cluster({"a", "b"}, {"b"}));
  CHECK(!is_same_cluster({"a"}, {"b"}));
  CHECK(!is_same_cluster({}, {"b"}));
  CHECK(!is_same_cluster({""}, {""}));
}
