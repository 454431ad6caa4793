#include "agent/host/host_artifacts.hpp"
#include "k3s/token.hpp"
#include "support/scratch.hpp"

#include "base/json_fields.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

using namespace rb;
using namespace rb::agent;

namespace {

struct Host {
  test::Scratch scratch;
  Settings settings;

  Host() {
    settings.node_name = "vm";
    settings.node_address = "10.0.0.1";
    settings.key_dir = scratch.path("keys");
    settings.data_dir = scratch.path("data");
    settings.config_dir = scratch.path("etc-rancher");
    settings.host_etc_dir = scratch.path("etc");
    scratch.write("data/server/token", "K10aa::server:5ecret\n");
    scratch.write("data/server/cred/passwd", "a,b,c,d\n");
    scratch.write("data/server/cred/encryption-config.json", "{}");
    scratch.write("data/server/cred/admin.kubeconfig", "not this one");
    scratch.write("data/server/tls/server-ca.key", "KEY");
    scratch.write("data/server/manifests/mine.yaml", "kind: A\n");
    scratch.write("data/server/db/state.db", "not this one");
    scratch.write("etc-rancher/k3s/config.yaml", "a: b\n");
    scratch.write("etc-rancher/k3s/registries.yaml", "m: {}\n");
    scratch.write("etc-rancher/node/password", "pw");
    scratch.write("etc/systemd/system/k3s.service", "[Unit]\n");
    scratch.write("etc/systemd/system/k3s.service.d/override.conf", "[Service]\n");
    scratch.write("etc/systemd/system/ssh.service", "not this one");
    scratch.write("etc/default/k3s", "K3S_TOKEN=x\n");
    scratch.write("etc/shadow", "not this one");
  }

  [[nodiscard]] HostFacts facts() const {
    return {"20261122T115200Z", "v1.34.4+k3s1", SystemTime{std::chrono::seconds(1795348320)}};
  }
};

std::vector<archive::Entry> unpacked(const HostState& state) {
  return archive::read_tar_gz(state.tar_gz.view()).value();
}

const archive::Entry* find(const std::vector<archive::Entry>& entries, const std::string& end) {
  const auto it = std::find_if(entries.begin(), entries.end(), [&](const archive::Entry& entry) {
    return entry.path.ends_with(end);
  });
  return it == entries.end() ? nullptr : &*it;
}

} // namespace

TEST_CASE("the disaster kit holds what a bare host needs, and nothing else") {
  const Host host;
  const auto collected = collect_host_state(host.settings, host.facts());
  REQUIRE(collected);
  const auto& state = *collected;
  const auto entries = unpacked(state);
  for (const char* const end : {"data/server/token",
                                "data/server/cred/passwd",
                                "data/server/cred/encryption-config.json",
                                "data/server/tls/server-ca.key",
                                "data/server/manifests/mine.yaml",
                                "etc/rancher/k3s/config.yaml",
                                "etc/rancher/k3s/registries.yaml",
                                "etc/rancher/node/password",
                                "etc/systemd/system/k3s.service",
                                "etc/systemd/system/k3s.service.d/override.conf",
                                "etc/default/k3s",
                                "host.json"}) {
    CAPTURE(end);
    CHECK(find(entries, end) != nullptr);
  }
  CHECK(entries.size() == 12);
  CHECK(state.files == 12);
  CHECK(find(entries, "server/token")->content.text() == "K10aa::server:5ecret\n");
  CHECK(state.token_hash == k3s::token_hash("5ecret"));
}

TEST_CASE("what the node's name ends with goes along") {
  const Host host;
  host.scratch.write("etc-rancher/node/id", "1a2b3c4d\n");
  const auto collected = collect_host_state(host.settings, host.facts());
  REQUIRE(collected);
  const auto entries = unpacked(*collected);
  CHECK(find(entries, "etc/rancher/node/id") != nullptr);
}

TEST_CASE("containerd's drop-ins go along") {
  const Host host;
  host.scratch.write("data/agent/etc/containerd/config.toml", "not this one");
  host.scratch.write("data/agent/etc/containerd/config.toml.d/10-kata.toml", "a = 1\n");
  host.scratch.write("data/agent/etc/containerd/config-v3.toml.d/99-nvidia.toml", "b = 2\n");
  const auto collected = collect_host_state(host.settings, host.facts());
  REQUIRE(collected);
  const auto entries = unpacked(*collected);
  CHECK(find(entries, "containerd/config.toml.d/10-kata.toml") != nullptr);
  CHECK(find(entries, "containerd/config-v3.toml.d/99-nvidia.toml") != nullptr);
  CHECK(find(entries, "containerd/config.toml") == nullptr);
}

TEST_CASE("host.json says where it all comes from, without the token") {
  const Host host;
  const auto collected = collect_host_state(host.settings, host.facts());
  const auto entries = unpacked(*collected);
  const auto text = std::string(find(entries, "host.json")->content.text());
  const auto json = json_of(text);
  CHECK(json["nodeName"] == "vm");
  CHECK(json["nodeAddress"] == "10.0.0.1");
  CHECK(json["k3sVersion"] == "v1.34.4+k3s1");
  CHECK(json["dataDir"] == host.settings.data_dir);
  CHECK(json["tokenHash"] == k3s::token_hash("5ecret"));
  CHECK(json["files"].size() == 11);
  CHECK(text.find("5ecret") == std::string::npos);
}

TEST_CASE("an agent token of its own is kept, a link to the server token is not") {
  const Host host;
  REQUIRE(::symlink("token", host.scratch.path("data/server/agent-token").c_str()) == 0);
  auto collected = collect_host_state(host.settings, host.facts());
  CHECK(find(unpacked(*collected), "agent-token") == nullptr);
  std::filesystem::remove(host.scratch.path("data/server/agent-token"));
  host.scratch.write("data/server/agent-token", "other");
  collected = collect_host_state(host.settings, host.facts());
  CHECK(find(unpacked(*collected), "agent-token") != nullptr);
}

TEST_CASE("without a token there is no host state") {
  const Host host;
  std::filesystem::remove(host.scratch.path("data/server/token"));
  auto collected = collect_host_state(host.settings, host.facts());
  REQUIRE_FALSE(collected);
  CHECK(collected.error().code == ErrorCode::not_found);
  CHECK(collected.error().message ==
        host.scratch.path("data/server/token") + ": there is no server token");
  host.scratch.write("data/server/token", "\n");
  collected = collect_host_state(host.settings, host.facts());
  CHECK(collected.error().message.ends_with("the file is empty"));
}

TEST_CASE("the files that the settings name are kept, and those that they name; what is left out "
          "is said") {
  const Host host;
  host.scratch.write("etc-rancher/k3s/config.yaml",
                     "kube-apiserver-arg:\n- audit-policy-file=audit.yaml\n"
                     "- encryption-provider-config=/etc/k8s/enc.yaml\n"
                     "- admission-control-config-file=/etc/k8s/admission.yaml\n"
                     "- oidc-ca-file=/etc/k8s/not-there.pem\n");
  host.scratch.write("data/server/audit.yaml", "kind: Policy\n");
  host.scratch.write("etc/k8s/enc.yaml", "kind: EncryptionConfiguration\n");
  host.scratch.write("etc/k8s/admission.yaml", "plugins:\n- path: psa.yaml\n");
  host.scratch.write("etc/k8s/psa.yaml", "kind: PodSecurityConfiguration\n");
  host.scratch.write("etc/k8s/nobodys.yaml", "not this one");
  host.scratch.write("data/agent/pod-manifests/mine.yaml", "kind: Pod\n");
  host.scratch.write("data/server/static/charts/mine.tgz", "chart");
  host.scratch.write("data/agent/etc/containerd/config.toml.tmpl", "");
  const auto collected = collect_host_state(host.settings, host.facts());
  const auto& state = collected.value();
  const auto entries = unpacked(state);
  for (const char* const end : {"data/server/audit.yaml",
                                "etc/k8s/enc.yaml",
                                "etc/k8s/admission.yaml",
                                "etc/k8s/psa.yaml",
                                "agent/pod-manifests/mine.yaml",
                                "server/static/charts/mine.tgz",
                                "containerd/config.toml.tmpl"}) {
    CAPTURE(end);
    CHECK(find(entries, end) != nullptr);
  }
  CHECK(find(entries, "nobodys.yaml") == nullptr);
  REQUIRE(state.skipped.size() == 1);
  CHECK(state.skipped[0].path == "etc/k8s/not-there.pem");
  CHECK(state.skipped[0].why.find("named by kube-apiserver-arg oidc-ca-file") != std::string::npos);
}

TEST_CASE("a configuration file that is not to be seen is said, one that is seen is taken once") {
  const Host host;
  const std::string unit = "etc/systemd/system/k3s.service";
  host.scratch.write(unit + ".env", "K3S_CONFIG_FILE=/nonexistent/k3s/config.yaml\n");
  host.scratch.write(unit,
                     "[Service]\nEnvironmentFile=-/etc/systemd/system/k3s.service.env\n"
                     "ExecStart=/usr/local/bin/k3s server\n");
  const auto unseen = collect_host_state(host.settings, host.facts());
  REQUIRE(unseen);
  REQUIRE(unseen->skipped.size() == 1);
  CHECK(unseen->skipped[0].path == "nonexistent/k3s/config.yaml");
  CHECK(unseen->skipped[0].why.find("agent.extraHostPaths") != std::string::npos);
  host.scratch.write(unit + ".env", "K3S_CONFIG_FILE=/etc/rancher/k3s/config.yaml\n");
  const auto usual = collect_host_state(host.settings, host.facts());
  REQUIRE(usual);
  CHECK(usual->skipped.empty());
  CHECK(usual->files == unseen->files);
}

TEST_CASE("of an instance of a template, what it reads goes along, and which one it is") {
  const Host host;
  host.scratch.write("etc/systemd/system/cluster@.service",
                     "[Service]\nEnvironmentFile=-/etc/cluster/%i.env\n"
                     "ExecStart=/k3s server --config /etc/cluster/%i.yaml\n");
  host.scratch.write("etc/cluster/main.env", "K3S_DEBUG=true\n");
  host.scratch.write("etc/cluster/main.yaml", "node-name: one\n");
  host.scratch.write("etc/systemd/system/multi-user.target.wants/.keep", "");
  std::filesystem::create_symlink(
      "../cluster@.service",
      host.scratch.path("etc/systemd/system/multi-user.target.wants/cluster@main.service"));
  const auto entries = unpacked(collect_host_state(host.settings, host.facts()).value());
  for (const char* const end : {"etc/systemd/system/cluster@.service",
                                "etc/cluster/main.env",
                                "etc/cluster/main.yaml",
                                "multi-user.target.wants/cluster@main.service"}) {
    CAPTURE(end);
    CHECK(find(entries, end) != nullptr);
  }
}

TEST_CASE("what the Node says is kept in host.json, and files that it alone names are collected") {
  const Host host;
  host.scratch.write("etc/k8s/audit.yaml", "kind: Policy\n");
  HostFacts facts = host.facts();
  facts.node.args = R"(["server","--kube-apiserver-arg","audit-policy-file=/etc/k8s/audit.yaml"])";
  facts.node.env = R"({"K3S_DATA_DIR":"/data"})";
  const auto entries = unpacked(collect_host_state(host.settings, facts).value());
  CHECK(find(entries, "etc/k8s/audit.yaml") != nullptr);
  const auto json = json_of(find(entries, "host.json")->content.text());
  CHECK(json["nodeArgs"] == facts.node.args);
  CHECK(json["nodeEnv"] == facts.node.env);
}

TEST_CASE("links to directories are followed on the host's own terms, and one that leads nowhere "
          "is said") {
  const Host host;
  host.scratch.write("etc/static/k3s.d/10.yaml", "a: b\n");
  host.scratch.write("elsewhere/registries.d/r.yaml", "c: d\n");
  std::filesystem::create_directory_symlink("/etc/static/k3s.d",
                                            host.scratch.path("etc-rancher/k3s/config.yaml.d"));
  std::filesystem::create_directory_symlink(host.scratch.path("elsewhere/registries.d"),
                                            host.scratch.path("etc-rancher/k3s/more"));
  std::filesystem::create_symlink("/nowhere/x", host.scratch.path("etc-rancher/k3s/lost.yaml"));
  const auto collected = collect_host_state(host.settings, host.facts());
  const auto& state = collected.value();
  const auto entries = unpacked(state);
  CHECK(find(entries, "etc/rancher/k3s/config.yaml.d/10.yaml") != nullptr);
  CHECK(find(entries, "etc/rancher/k3s/more/r.yaml") != nullptr);
  REQUIRE(state.skipped.size() == 1);
  CHECK(state.skipped[0].path == "etc/rancher/k3s/lost.yaml");
}

TEST_CASE("a configuration directory that is a link to what the agent does not see is said") {
  const Host host;
  std::filesystem::remove_all(host.scratch.path("etc-rancher/k3s"));
  std::filesystem::create_directory_symlink("/nowhere/etc/k3s",
                                            host.scratch.path("etc-rancher/k3s"));
  const auto collected = collect_host_state(host.settings, host.facts());
  REQUIRE(collected);
  REQUIRE(collected->skipped.size() == 1);
  CHECK(collected->skipped[0].path == "etc/rancher/k3s");
  CHECK(collected->skipped[0].why.find("agent.extraHostPaths") != std::string::npos);
}

TEST_CASE("what somebody serves as static files takes no room from what a server needs") {
  const Host host;
  host.scratch.write("etc-rancher/k3s/config.yaml",
                     "kube-apiserver-arg:\n- audit-policy-file=/etc/k8s/audit.yaml\n");
  for (const char* const needed : {"data/server/tls/server-ca.key",
                                   "etc/k8s/audit.yaml",
                                   "data/agent/pod-manifests/mine.yaml"}) {
    host.scratch.write(needed, std::string(300, '#')); // more than what others leave
  }
  for (int i = 0; i < 10; ++i) {
    host.scratch.write("data/server/static/charts/" + std::to_string(i) + ".tgz",
                       std::string(400, 'x'));
  }
  CollectLimits limits;
  limits.total_bytes = 3000;
  const auto collected = collect_host_state(host.settings, host.facts(), limits);
  const auto entries = unpacked(collected.value());
  for (const char* const end :
       {"tls/server-ca.key", "etc/k8s/audit.yaml", "pod-manifests/mine.yaml", "charts/0.tgz"}) {
    CAPTURE(end);
    CHECK(find(entries, end) != nullptr);
  }
  CHECK(find(entries, "charts/9.tgz") == nullptr);
}

TEST_CASE("a manifest of a whole product is taken, and a file of no time that a tar knows") {
  const Host host;
  host.scratch.write("data/server/manifests/bundle.yaml", std::string(4'600'000, '#'));
  const timespec far{time_t{1} << 33U, 0}; // 2242
  const std::array<timespec, 2> times{far, far};
  REQUIRE(::utimensat(AT_FDCWD,
                      host.scratch.path("data/server/manifests/mine.yaml").c_str(),
                      times.data(),
                      0) == 0);
  const auto collected = collect_host_state(host.settings, host.facts());
  REQUIRE(collected);
  const auto entries = unpacked(*collected);
  CHECK(find(entries, "manifests/bundle.yaml") != nullptr);
  CHECK(find(entries, "manifests/mine.yaml") != nullptr);
  CHECK(collected->skipped.empty());
}

TEST_CASE("the first kubeconfig that is there is taken") {
  const test::Scratch scratch;
  scratch.write("b", "apiVersion: v1\nclusters: []\n");
  scratch.write("c", "clusters: []\n");
  const auto found = find_kubeconfig({scratch.path("a"), scratch.path("b"), scratch.path("c")});
  REQUIRE(found);
  CHECK(found->path == scratch.path("b"));
  CHECK(found->content.text() == "apiVersion: v1\nclusters: []\n");
}

TEST_CASE("none at all names every place that was looked at") {
  const auto found = find_kubeconfig({"/nonexistent/a", "/nonexistent/b"});
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::not_found);
  CHECK(found.error().message == "no kubeconfig found: looked for /nonexistent/a, /nonexistent/b");
}

TEST_CASE("a kubeconfig that is a link to what is not to be seen is said, with the setting") {
  const test::Scratch scratch;
  const std::string link = scratch.path("k3s.yaml");
  REQUIRE(::symlink("/nonexistent/.kube/config", link.c_str()) == 0);
  const auto found = find_kubeconfig({"/nonexistent/a", link});
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::not_found);
  CHECK(found.error().message == "no kubeconfig found: looked for /nonexistent/a, " + link + "; " +
                                     link +
                                     " is a link to /nonexistent/.kube/config, which is not there, "
                                     "or not to be seen by the agent");
  CHECK(found.error().hint.find("agent.kubeconfigSources={/nonexistent/.kube/config}") !=
        std::string::npos);
}

TEST_CASE("one that is there but useless is not passed over") {
  const test::Scratch scratch;
  scratch.write("empty", "");
  scratch.write("other", "kind: Pod\n");
  scratch.write("good", "clusters: []\n");
  for (const char* const name : {"empty", "other"}) {
    const auto found = find_kubeconfig({scratch.path(name), scratch.path("good")});
    REQUIRE_FALSE(found);
    CHECK(found.error().message.starts_with(scratch.path(name)));
  }
}

TEST_CASE("of very many files that are left out the first are listed, and all are counted") {
  Host host;
  for (int i = 0; i < 300; ++i) {
    host.scratch.write("data/server/static/" + std::to_string(i), "x");
  }
  CollectLimits limits;
  limits.files = 5;
  const auto collected = collect_host_state(host.settings, host.facts(), limits);
  REQUIRE(collected);
  CHECK(collected->skipped_in_all > 300);
  REQUIRE(collected->skipped.size() == 201);
  const std::string more = std::to_string(collected->skipped_in_all - 200) + " more were left out";
  CHECK(collected->skipped.back().why.starts_with(more));
  const auto entries = unpacked(*collected);
  const archive::Entry* const description = find(entries, "host.json");
  REQUIRE(description != nullptr);
  CHECK(description->content.text().find(more) != std::string_view::npos);
}
