#include "agent/server_config.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

TEST_CASE("a server without configuration files has the defaults") {
  const test::Scratch scratch;
  const auto config = read_server_config(scratch.path()).value();
  CHECK(config.snapshot_dir.empty());
  CHECK(config.datastore_endpoint.empty());
  CHECK_FALSE(config.logs_to_file);
}

TEST_CASE("later files override earlier ones, in the order of their names") {
  const test::Scratch scratch;
  scratch.write("k3s/config.yaml",
                "etcd-snapshot-dir: /first\nhttps-listen-port: 6444\ntls-san:\n- a\n");
  scratch.write("k3s/config.yaml.d/20-b.yml", "etcd-snapshot-dir: /third\n");
  scratch.write("k3s/config.yaml.d/10-a.yaml", "etcd-snapshot-dir: /second\nlog: /var/log/k3s\n");
  scratch.write("k3s/config.yaml.d/30-c.txt", "etcd-snapshot-dir: /never\n");
  const auto config = read_server_config(scratch.path()).value();
  CHECK(config.snapshot_dir == "/third");
  CHECK(config.https_listen_port == "6444");
  CHECK(config.logs_to_file);
}

TEST_CASE("an external datastore is seen, an empty file is not missed") {
  ServerConfig config;
  REQUIRE(merge_server_config(config, "", "a"));
  REQUIRE(merge_server_config(config, "datastore-endpoint: postgres://u:p@h/d\n", "a"));
  CHECK_FALSE(config.datastore_endpoint.empty());
}

TEST_CASE("a configuration that is no mapping is named, with its line") {
  ServerConfig config;
  CHECK(merge_server_config(config, "- a\n", "/c.yaml").error().message ==
        "/c.yaml: not a YAML mapping");
  const Status broken = merge_server_config(config, "a: 1\nb: [\n", "/c.yaml");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code == ErrorCode::corrupt);
  CHECK(broken.error().message.find("not valid YAML") != std::string::npos);
}

TEST_CASE("the snapshot directory: default, absolute, and relative to the server's directory") {
  CHECK(snapshot_directory("/d", "") == "/d/server/db/snapshots");
  CHECK(snapshot_directory("/d", "/s") == "/s");
  CHECK(snapshot_directory("/d", "s/t") == "/d/server/s/t");
}
