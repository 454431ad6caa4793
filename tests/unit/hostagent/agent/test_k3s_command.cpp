#include "agent/k3s_command.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::agent;

using Arguments = std::vector<std::string>;

TEST_CASE("save: flags after the subcommand, long spellings, nothing inherited") {
  const K3sCommand command{"/usr/local/bin/k3s", "/var/lib/rancher/k3s", "vm", {}, {}, false};
  const auto spec = save_spec(command, "20261122T115200Z", std::chrono::seconds(9));
  CHECK(spec.program == "/usr/local/bin/k3s");
  CHECK(spec.timeout == std::chrono::seconds(9));
  CHECK(spec.arguments == Arguments{"etcd-snapshot",
                                    "save",
                                    "--name=railiance-20261122T115200Z",
                                    "--node-name=vm",
                                    "--data-dir=/var/lib/rancher/k3s",
                                    "--etcd-s3=false",
                                    "--etcd-snapshot-compress=false"});
  for (const auto& [name, value] : spec.environment) {
    CHECK_FALSE(name.starts_with("K3S_"));
  }
}

TEST_CASE("what the server uses of its own is passed on") {
  const K3sCommand command{"/k3s", "/d", "vm", "/snaps", "https://127.0.0.1:9345", true};
  const auto arguments = save_spec(command, "20261122T115200Z", std::chrono::seconds(9)).arguments;
  for (const char* const flag :
       {"--etcd-snapshot-dir=/snaps", "--etcd-server=https://127.0.0.1:9345", "--log="}) {
    CHECK(std::count(arguments.begin(), arguments.end(), flag) == 1);
  }
}

TEST_CASE("delete: all flags stand before the name, for those behind it are not read") {
  const K3sCommand command{"/k3s", "/d", "vm", "/snaps", {}, false};
  CHECK(delete_spec(command, "railiance-x").arguments == Arguments{"etcd-snapshot",
                                                                   "delete",
                                                                   "--data-dir=/d",
                                                                   "--etcd-snapshot-dir=/snaps",
                                                                   "--etcd-s3=false",
                                                                   "railiance-x"});
}
