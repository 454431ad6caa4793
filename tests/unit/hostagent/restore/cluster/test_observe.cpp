#include "k3s/host_settings.hpp"
#include "k3s/token.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/observe.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::cluster;

TEST_CASE("what is mounted is told from a directory, and a link is none") {
  const test::Scratch scratch;
  scratch.make_directory("etcd");
  std::filesystem::create_directory_symlink("/proc", scratch.path("link"));
  CHECK(is_mount_point("/proc"));
  CHECK_FALSE(is_mount_point("/proc/self"));
  CHECK_FALSE(is_mount_point(scratch.path("etcd")));
  CHECK_FALSE(is_mount_point(scratch.path("link")));
  CHECK_FALSE(is_mount_point(scratch.path("nowhere")));
}

TEST_CASE("settings are read where an operator may have put them; of tokens only the hash stays") {
  const test::Scratch root;
  root.write("etc/systemd/system/k3s.service",
             "[Service]\nEnvironmentFile=-/etc/systemd/system/k3s.service.env\n"
             "ExecStart=/k3s server --node-ip=1\n");
  root.write("etc/systemd/system/k3s-agent.service", "[Service]\nExecStart=/k3s agent\n");
  root.write("etc/systemd/system/k3s.service.env", "K3S_DATA_DIR=/data\nK3S_TOKEN=envtoken\n");
  root.write("etc/rancher/k3s/config.yaml", "token: secret\nnode-name: one\n");
  root.write("etc/rancher/k3s/config.yaml.d/10.yaml", "node-name: two\n");
  root.write("etc/rancher/k3s/config.yaml.d/notes.txt", "node-name: three\n");
  const k3s::HostSettings read = k3s::read_host_settings(k3s::DiskFiles(root.path()));
  CHECK(read.systemd_unit == "k3s");
  CHECK(read.settings.value("node-name") == "two");
  CHECK(read.settings.value("node-ip") == "1");
  CHECK(read.settings.value("data-dir") == "/data");
  CHECK(read.settings.value("token") == k3s::k_masked);
  REQUIRE(read.tokens.size() == 1); // the variable does not count beside the file
  CHECK(read.tokens[0].hash == k3s::token_hash("secret"));
  CHECK(read.problem.empty());
}

TEST_CASE("the same off the files of a host state") {
  set::HostState state;
  state.files.push_back({"etc/systemd/system/k3s.service",
                         SecretBytes(as_bytes("[Service]\nExecStart=/k3s server --node-ip=1\n")),
                         0644,
                         {}});
  state.files.push_back({"etc/rancher/k3s/config.yaml",
                         SecretBytes(as_bytes("secrets-encryption: true\n")),
                         0600,
                         {}});
  const k3s::HostSettings read = k3s::read_host_settings(set::HostStateView(state), state.node);
  CHECK(read.systemd_unit == "k3s");
  CHECK(read.settings.is_on("secrets-encryption"));
}

TEST_CASE("off a host state: which instance of a template it was, and no link is laid down") {
  set::HostState state;
  const std::string link = "etc/systemd/system/multi-user.target.wants/cluster@server.service";
  const auto add = [&](const std::string& path, std::string_view text) {
    state.files.push_back({path, SecretBytes(as_bytes(text)), 0644, {}});
  };
  constexpr std::string_view k_unit = "[Service]\nExecStart=/k3s server --config /etc/k/%i.yaml\n";
  add("etc/systemd/system/cluster@.service", k_unit);
  add("etc/systemd/system/cluster@server.service.d/10.conf", "[Service]\nEnvironment=A=1\n");
  add("etc/k/server.yaml", "node-name: one\n");
  CHECK(k3s::read_host_settings(set::HostStateView(state), state.node).systemd_unit ==
        "cluster@server"); // by its drop-in
  state.files.erase(state.files.begin() + 1);
  CHECK(k3s::read_host_settings(set::HostStateView(state), state.node).unit_template == "cluster@");
  add(link, k_unit);
  const k3s::HostSettings read = k3s::read_host_settings(set::HostStateView(state), state.node);
  CHECK(read.systemd_unit == "cluster@server");
  CHECK(read.settings.value("node-name") == "one");
  const NamedBack named(state, "/var/lib/rancher/k3s", {});
  CHECK(named.target_of("etc/systemd/system/cluster@.service") ==
        "/etc/systemd/system/cluster@.service");
  CHECK(named.target_of("etc/k/server.yaml") == "/etc/k/server.yaml");
  CHECK(named.target_of(link).empty());
}

TEST_CASE("a program that the service of the set starts and this host has not is noticed") {
  set::HostState state;
  const auto put = [&](const std::string& path, const std::string& program) {
    state.files.clear();
    state.files.push_back(
        {path, SecretBytes(as_bytes("[Service]\nExecStart=" + program + " server\n")), 0644, {}});
  };
  const auto absent = [&](const k3s::HostSettings& here) {
    return find_absent_program(state,
                               k3s::read_host_settings(set::HostStateView(state), state.node),
                               here,
                               "/var/lib/rancher/k3s");
  };
  k3s::HostSettings own;
  own.systemd_unit = "k3s";
  put("etc/systemd/system/k3s.service", "/nowhere/bin/k3s");
  CHECK(absent({}) == "/nowhere/bin/k3s");
  CHECK(absent(own) == "/nowhere/bin/k3s"); // that of the set replaces it
  const test::Scratch scratch;
  scratch.write("k3s", "");
  std::filesystem::permissions(scratch.path("k3s"), std::filesystem::perms::owner_all);
  put("etc/systemd/system/k3s.service", scratch.path("k3s"));
  CHECK(absent({}).empty());
  put("usr/lib/systemd/system/k3s.service", "/nowhere/bin/k3s");
  CHECK(absent({}) == "/nowhere/bin/k3s");
  CHECK(absent(own).empty()); // where the host has one of its own, that stays
}

TEST_CASE("a unit of another name than that of the set is noticed") {
  set::HostState state;
  state.files.push_back({"etc/systemd/system/k3s-prod.service",
                         SecretBytes(as_bytes("[Service]\nExecStart=/k3s server\n")),
                         0644,
                         {}});
  const auto other = [&](const std::string& unit) {
    k3s::HostSettings here;
    here.systemd_unit = unit;
    return find_other_unit(k3s::read_host_settings(set::HostStateView(state), state.node), here);
  };
  CHECK(other("k3s") == "k3s");
  CHECK(other("k3s-prod").empty());
  CHECK(other("").empty());
}

TEST_CASE("a configuration that k3s could not read is a problem that is named") {
  const test::Scratch root;
  root.write("etc/rancher/k3s/config.yaml", "- a list\n");
  CHECK(k3s::read_host_settings(k3s::DiskFiles(root.path())).problem.find("config.yaml") !=
        std::string::npos);
}
