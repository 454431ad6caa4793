// Holds: a scratch server reads nothing of this host, writes nothing outside of its directory, and
// starts nothing that is not needed.
#include "restore/proof/prove_set.hpp"
#include "restore/proof/server_args.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <iterator>

namespace {

using namespace rb;
using namespace rb::proof;

ScratchServer scratch() {
  ScratchServer server;
  server.program = "/usr/local/bin/k3s";
  server.directory = "/scratch/d";
  server.snapshot_path = "/scratch/d/snapshot";
  server.token = "secret";
  return server;
}

bool has(const ProcessSpec& spec, const std::string& argument) {
  return std::find(spec.arguments.begin(), spec.arguments.end(), argument) != spec.arguments.end();
}

TEST_CASE("both calls stay in the scratch directory") {
  const auto reset = scratch_reset_spec(scratch());
  const ProcessSpec server = scratch_server_spec(scratch());
  REQUIRE(reset.has_value());
  for (const ProcessSpec& spec : {*reset, server}) {
    CHECK(has(spec, "--config=/scratch/d/config.yaml"));
    CHECK(has(spec, "--data-dir=/scratch/d/data"));
    CHECK(has(spec, "--write-kubeconfig=/scratch/d/kubeconfig"));
    CHECK(has(spec, "--disable-agent"));
    CHECK(spec.environment.at("HOME") == "/scratch/d");
    CHECK(spec.environment.at("K3S_TOKEN") == "secret");
    CHECK_FALSE(has(spec, "--secrets-encryption"));
  }
  CHECK(has(*reset, "--cluster-reset-restore-path=/scratch/d/snapshot"));
  CHECK(has(*reset, "--etcd-s3=false"));
  CHECK(has(server, "--disable-controller-manager"));
  CHECK(has(server, "--etcd-disable-snapshots"));
}

TEST_CASE("the settings that its data depends on are passed on") {
  ScratchServer server = scratch();
  server.settings = {"10.52.0.0/16", "10.53.0.0/16", true, "secretbox"};
  const auto spec = scratch_reset_spec(server);
  REQUIRE(spec.has_value());
  CHECK(has(*spec, "--cluster-cidr=10.52.0.0/16"));
  CHECK(has(*spec, "--service-cidr=10.53.0.0/16"));
  CHECK(has(*spec, "--secrets-encryption"));
  CHECK(has(*spec, "--secrets-encryption-provider=secretbox"));
}

TEST_CASE("settings come from config.yaml and the unit of the backed-up host") {
  set::HostState state;
  const auto add = [&](const std::string& path, const std::string& text) {
    archive::Entry entry;
    entry.path = path;
    entry.content = SecretBytes(as_bytes(text));
    state.files.push_back(std::move(entry));
  };
  add("etc/rancher/k3s/config.yaml", "secrets-encryption: true\nservice-cidr: 10.53.0.0/16\n");
  add("etc/systemd/system/k3s.service",
      "[Service]\nExecStart=/usr/local/bin/k3s \\\n    server \\\n    "
      "'--cluster-cidr=10.52.0.0/16' \\\n");
  const ServerSettings settings = settings_of(state, "/scratch/d");
  CHECK(settings.secrets_encryption);
  CHECK(settings.service_cidr == "10.53.0.0/16");
  CHECK(settings.cluster_cidr == "10.52.0.0/16");
}

set::HostState state_of(const char* config) {
  set::HostState state;
  state.files.push_back({"etc/rancher/k3s/config.yaml", SecretBytes(as_bytes(config)), 0600, {}});
  return state;
}

/// Those of both calls that begin with `flag`.
std::vector<std::string> passed(const set::HostState& state, const std::string& flag) {
  ScratchServer server = scratch();
  server.settings = settings_of(state, "/scratch/d");
  std::vector<std::string> found;
  const auto reset = scratch_reset_spec(server);
  REQUIRE(reset.has_value());
  for (const ProcessSpec& spec : {*reset, scratch_server_spec(server)}) {
    std::ranges::copy_if(spec.arguments, std::back_inserter(found), [&](const std::string& word) {
      return word.starts_with(flag + "=");
    });
  }
  return found;
}

using Words = std::vector<std::string>;
constexpr const char* k_node = "--node-ip=198.18.255.1";

TEST_CASE("ranges of two families, in one value and as a list, IPv6 first or last: that of IPv4 is "
          "taken, and the other one said") {
  for (const char* const text :
       {"cluster-cidr: 10.52.0.0/16,fd00:52::/56\nservice-cidr: 10.53.0.0/16,fd00:53::/112\n",
        "cluster-cidr: fd00:52::/56,10.52.0.0/16\nservice-cidr: fd00:53::/112,10.53.0.0/16\n"
        "node-ip: 2001:db8::1,192.0.2.1\n",
        "cluster-cidr: [10.52.0.0/16, 'fd00:52::/56']\n"
        "service-cidr:\n- 10.53.0.0/16\n- fd00:53::/112\n"}) {
    CAPTURE(text);
    const set::HostState state = state_of(text);
    CHECK(passed(state, "--cluster-cidr") == Words(2, "--cluster-cidr=10.52.0.0/16"));
    CHECK(passed(state, "--service-cidr") == Words(2, "--service-cidr=10.53.0.0/16"));
    CHECK(passed(state, "--node-ip") == Words(2, k_node));
    CHECK(left_out_line(settings_of(state, "/scratch/d")) ==
          "boot: without cluster-cidr fd00:52::/56, service-cidr fd00:53::/112");
  }
}

TEST_CASE("a cluster of IPv6 alone is booted with k3s's own ranges of IPv4") {
  const set::HostState state = state_of("cluster-cidr: fd00:52::/56\nservice-cidr: fd00:53::/112\n"
                                        "node-ip: 2001:db8::1\n");
  CHECK(passed(state, "--cluster-cidr").empty());
  CHECK(passed(state, "--service-cidr").empty());
  CHECK(passed(state, "--node-ip") == Words(2, k_node));
  CHECK(left_out_line(settings_of(state, "/scratch/d")) ==
        "boot: without cluster-cidr fd00:52::/56, service-cidr fd00:53::/112");
  const set::HostState by_address = state_of("node-ip: 2001:db8::1\n");
  CHECK(passed(by_address, "--service-cidr").empty());
  CHECK(passed(by_address, "--node-ip") == Words(2, k_node));
}

TEST_CASE("what decides on the objects goes along, also an encryption provider of the operator's "
          "own; the rest is said") {
  const test::TemporaryDirectory directory;
  set::HostState state;
  const auto add = [&](const std::string& path, const std::string& text) {
    state.files.push_back({path, SecretBytes(as_bytes(text)), 0600, {}});
  };
  add("etc/rancher/k3s/config.yaml",
      "kube-apiserver-arg:\n- audit-policy-file=/a\n- "
      "encryption-provider-config=/etc/k8s/enc.yaml\n"
      "- feature-gates=A=true,B=false\nkubelet-arg: [max-pods=200]\ntls-san: [a, b]\n");
  add("etc/k8s/enc.yaml", "kind: EncryptionConfiguration\n");
  ScratchServer server = scratch();
  server.directory = directory.path();
  server.settings = settings_of(state, server.directory);
  REQUIRE(bring_files(state, server.directory));
  const std::string brought = server.directory + "/encryption-provider.yaml";
  CHECK(read_text_file(brought, 100).value() == "kind: EncryptionConfiguration\n");
  const auto reset = scratch_reset_spec(server);
  REQUIRE(reset.has_value());
  for (const ProcessSpec& spec : {*reset, scratch_server_spec(server)}) {
    CHECK(has(spec, "--kube-apiserver-arg=encryption-provider-config=" + brought));
    CHECK(has(spec, "--kube-apiserver-arg=feature-gates=A=true,B=false"));
    CHECK_FALSE(has(spec, "--kube-apiserver-arg=audit-policy-file=/a"));
  }
  CHECK(left_out_line(server.settings) ==
        "boot: without kube-apiserver-arg audit-policy-file, kubelet-arg max-pods, tls-san");
  CHECK(left_out_line({}).empty());
}

TEST_CASE(
    "etcd's quota goes along: a larger database than its default takes no writes without it") {
  const set::HostState state =
      state_of("etcd-arg:\n- quota-backend-bytes=8589934592\n- snapshot-count=5000\n");
  CHECK(passed(state, "--etcd-arg") == Words(2, "--etcd-arg=quota-backend-bytes=8589934592"));
  CHECK(left_out_line(settings_of(state, "/d")) == "boot: without etcd-arg snapshot-count");
}

TEST_CASE("an encryption provider that the set does not have is said") {
  set::HostState state;
  state.node.args = R"(["server","--kube-apiserver-arg","encryption-provider-config=/enc.yaml"])";
  CHECK(left_out_line(settings_of(state, "/d")) ==
        "boot: without kube-apiserver-arg encryption-provider-config");
  CHECK(bring_files(state, "/nonexistent"));
}

TEST_CASE("a KMS plugin that is not here says nothing of the set: no server is tried") {
  const auto checked = [](const std::string& provider) {
    set::HostState state =
        state_of("kube-apiserver-arg: [encryption-provider-config=/etc/k8s/enc.yaml]\n");
    state.files.push_back({"etc/k8s/enc.yaml", SecretBytes(as_bytes(provider)), 0600, {}});
    return check_kms(state);
  };
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("kms.sock");
  const auto kms = [](const std::string& socket) {
    return "resources:\n- resources: [secrets]\n  providers:\n  - kms:\n      apiVersion: v2\n"
           "      name: vault\n      endpoint: unix://" +
           socket + "\n  - identity: {}\n";
  };
  const Status away = checked(kms(path));
  REQUIRE_FALSE(away);
  CHECK(away.error().reason == api::Reason::proof_unavailable);
  CHECK(away.error().message.find("KMS plugin at unix://" + path + ",") != std::string::npos);
  CHECK_FALSE(checked(kms("/@abstract")));
  CHECK_FALSE(checked(R"({"providers":[{"kms":{"endpoint":"unix:///nowhere/k.sock"}}]})"));

  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof(address.sun_path));
  path.copy(address.sun_path, path.size());
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  CHECK(checked(kms(path)));
  CHECK(checked("providers:\n- aescbc:\n    keys: []\n# endpoint: unix:///nowhere\n"));
  CHECK(check_kms({}));
}

TEST_CASE("k3s is looked for, and its absence says how to name it") {
  const test::TemporaryDirectory directory;
  const std::string program = directory.file("k3s");
  test::write_file(program, "#!/bin/false\n");
  ::chmod(program.c_str(), 0755);
  CHECK(find_k3s(program, "/nowhere/k3s").value_or("") == program);
  CHECK(find_k3s("", program).value_or("") == program);
  const auto missing = find_k3s("/nowhere/k3s", program);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(missing.error().hint.find("--k3s") != std::string::npos);
}

} // namespace
