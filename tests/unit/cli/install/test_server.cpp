#include "cli/install/server.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>

using namespace rb;
using namespace rb::install;

namespace {

HostFacts a_server() {
  HostFacts facts;
  facts.host_name = "Server-1";
  facts.k3s_program = "/usr/local/bin/k3s";
  facts.data_dir = "/var/lib/rancher/k3s";
  facts.has_server = facts.has_agent = true;
  facts.datastore = datastore::Place::embedded_etcd;
  return facts;
}

} // namespace

TEST_CASE("a server is what its settings say, and the usual where they say nothing") {
  HostFacts facts = a_server();
  const auto usual = server_of(facts);
  REQUIRE(usual);
  CHECK(usual->kubeconfig == "/etc/rancher/k3s/k3s.yaml");
  CHECK(usual->node_name == "server-1");
  CHECK(usual->api_port == 6443);
  CHECK(usual->snapshot_dir.empty());
  CHECK(usual->taints.empty());
  CHECK(usual->warnings.empty());
  facts.datastore = datastore::Place::sqlite;
  CHECK(server_of(facts)->warnings.empty());

  facts.settings.settings.add("write-kubeconfig", "/srv/admin.yaml");
  facts.settings.settings.add("node-name", "Node-A");
  facts.settings.settings.add("https-listen-port", "7443");
  facts.settings.settings.add("etcd-snapshot-dir", "/srv/snapshots");
  facts.settings.settings.add("node-taint", "k3s-controlplane=true:NoExecute");
  facts.settings.settings.add("node-taint",
                              "example.org/server:NoSchedule,k3s-controlplane=true:NoSchedule");
  facts.datastore = datastore::Place::external;
  const auto special = server_of(facts);
  REQUIRE(special);
  CHECK(special->kubeconfig == "/srv/admin.yaml");
  CHECK(special->node_name == "node-a");
  CHECK(special->api_port == 7443);
  CHECK(special->snapshot_dir == "/srv/snapshots");
  CHECK(special->taints == std::vector<std::string>{"k3s-controlplane", "example.org/server"});
  REQUIRE(special->warnings.size() == 1);
  CHECK(special->warnings[0].find("datastore-endpoint") != std::string::npos);
}

TEST_CASE(
    "snapshots that lie elsewhere by a link, or by a relative path, are mounted where they are") {
  const test::Scratch scratch;
  const std::string real = std::filesystem::canonical(scratch.path()).string();
  HostFacts facts = a_server();
  facts.data_dir = scratch.path("data");
  scratch.make_directory("data/server/db");
  scratch.make_directory("nas/snapshots");
  std::filesystem::create_directory_symlink("../../../nas/snapshots",
                                            scratch.path("data/server/db/snapshots"));
  CHECK(server_of(facts)->snapshot_dir == real + "/nas/snapshots");
  std::filesystem::remove_all(scratch.path("nas")); // nothing that could be mounted
  CHECK(server_of(facts)->snapshot_dir.empty());
  facts.settings.settings.add("etcd-snapshot-dir", "snapshots");
  CHECK(server_of(facts)->snapshot_dir == scratch.path("data/server/snapshots"));
}

TEST_CASE("with --with-node-id the node's name ends with the id that k3s keeps") {
  const test::Scratch scratch;
  scratch.write("etc/rancher/k3s/config.yaml", "with-node-id: true\n");
  scratch.write("etc/rancher/node/id", "1a2b3c4d\n");
  CHECK(look_at_host(scratch.path(), "/bin/sh").node_id == "1a2b3c4d");
  HostFacts facts = a_server();
  facts.node_id = "1a2b3c4d";
  CHECK(server_of(facts)->node_name == "server-1-1a2b3c4d");
  scratch.write("etc/rancher/k3s/config.yaml", "with-node-id: false\n");
  CHECK(look_at_host(scratch.path(), "/bin/sh").node_id.empty());
}

TEST_CASE("who is no server that runs our pods is refused, each with its kind of error") {
  const auto refused = [](auto change) {
    HostFacts facts = a_server();
    change(facts);
    const auto server = server_of(facts);
    REQUIRE_FALSE(server);
    CHECK_FALSE(server.error().hint.empty());
    return server.error().code;
  };
  CHECK(refused([](HostFacts& facts) { facts.user_id = 1000; }) == ErrorCode::permission_denied);
  CHECK(refused([](HostFacts& facts) { facts.k3s_program = ""; }) == ErrorCode::not_found);
  CHECK(refused([](HostFacts& facts) { facts.has_server = facts.has_agent = false; }) ==
        ErrorCode::not_found);
  CHECK(refused([](HostFacts& facts) { facts.has_server = false; }) == ErrorCode::unsupported);
  CHECK(refused([](HostFacts& facts) { facts.settings.problem = "config.yaml: line 2"; }) ==
        ErrorCode::invalid_argument);
  for (const char* const flag : {"disable-agent", "docker"}) {
    CHECK(refused([&](HostFacts& facts) { facts.settings.settings.add(flag, "true"); }) ==
          ErrorCode::unsupported);
  }
  CHECK(refused([](HostFacts& facts) {
          facts.settings.settings.add("container-runtime-endpoint", "/run/cri-dockerd.sock");
        }) == ErrorCode::unsupported);
}

TEST_CASE("pods with IPv6 addresses are no obstacle, first, second or alone") {
  for (const char* const pods :
       {"10.42.0.0/16,2001:cafe:42::/56", "2001:cafe:42::/56,10.42.0.0/16", "2001:cafe:42::/56"}) {
    CAPTURE(pods);
    HostFacts facts = a_server();
    facts.settings.settings.add("cluster-cidr", pods);
    CHECK(server_of(facts));
  }
}

TEST_CASE("a flag that is turned off is no obstacle, and a port that is none is") {
  HostFacts facts = a_server();
  facts.settings.settings.add("docker", "false");
  CHECK(server_of(facts));
  facts.settings.settings.add("https-listen-port", "64a3");
  CHECK(server_of(facts).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("the host is looked at through k3s's own settings: no directory is taken for granted") {
  const test::Scratch scratch;
  const std::string data = scratch.path("elsewhere");
  scratch.write("etc/rancher/k3s/config.yaml", "data-dir: " + data + "/\n");
  scratch.write("elsewhere/server/db/state.db", "SQLite format 3");
  const HostFacts facts = look_at_host(scratch.path(), "/bin/sh");
  CHECK(facts.data_dir == data);
  CHECK(facts.has_server);
  CHECK(facts.datastore == datastore::Place::sqlite);
  CHECK_FALSE(facts.has_agent);
  CHECK(facts.k3s_program == "/bin/sh");
  CHECK(facts.user_id == ::geteuid());
  CHECK(look_at_host(scratch.path(), scratch.path("no-k3s")).k3s_program.empty());
}

TEST_CASE("the k3s of the service is the one that is meant, wherever its installer put it") {
  const test::Scratch scratch;
  const std::string program = scratch.path("opt/k3s/bin/k3s");
  scratch.write("opt/k3s/bin/k3s", "#!/bin/sh\n");
  scratch.write("etc/systemd/system/k3s.service",
                "[Service]\nExecStart=" + program + " \\\n    server \\\n");
  CHECK(look_at_host(scratch.path(), {}).k3s_program != program); // it cannot be run
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  CHECK(look_at_host(scratch.path(), {}).k3s_program == program);
  CHECK(look_at_host(scratch.path(), "/bin/sh").k3s_program == "/bin/sh");
}

TEST_CASE("with Nix the k3s of the system is named, not that of one release") {
  const test::Scratch scratch;
  scratch.write("store/abc-k3s-1.34.1/bin/k3s", "#!/bin/sh\n");
  scratch.write("store/abc-k3s-1.33.9/bin/k3s", "#!/bin/sh\n");
  const std::string program = scratch.path("store/abc-k3s-1.34.1/bin/k3s");
  const std::string lasting = scratch.path("k3s");
  CHECK(lasting_program(program, lasting) == program); // there is none
  std::filesystem::create_symlink(program, lasting);
  CHECK(lasting_program(program, lasting) == lasting);
  CHECK(lasting_program(scratch.path("store/abc-k3s-1.33.9/bin/k3s"), lasting) ==
        scratch.path("store/abc-k3s-1.33.9/bin/k3s"));
}
