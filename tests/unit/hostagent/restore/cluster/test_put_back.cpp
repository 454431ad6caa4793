// Files that are put back by their place, and those that the settings of a set name: put back where
// nothing is, and looked for beforehand.
#include "facts.hpp"
#include "fake_host.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/put_back.hpp"
#include "support/immutable.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

using namespace rb;
using namespace rb::cluster;
using test::FakeHost;

namespace {

constexpr const char* k_data = "/var/lib/rancher/k3s";

const std::string k_config = "kube-apiserver-arg:\n"
                             "- audit-policy-file=audit.yaml\n"
                             "- encryption-provider-config=/etc/k8s/enc.yaml\n"
                             "- admission-control-config-file=/etc/k8s/admission.yaml\n"
                             "- oidc-ca-file=/usr/share/ca.pem\n";

set::HostState state_with(const std::vector<std::pair<std::string, std::string>>& files) {
  set::HostState state;
  state.data_dir = k_data;
  for (const auto& [path, text] : files) {
    state.files.push_back({path, SecretBytes(as_bytes(text)), 0600, {}});
  }
  return state;
}

} // namespace

TEST_CASE("which files are put back, and where") {
  const std::string theirs = "/var/lib/rancher/k3s";
  CHECK(put_back_path("var/lib/rancher/k3s/server/token", theirs, "/d") == "/d/server/token");
  CHECK(put_back_path("var/lib/rancher/k3s/server/manifests/a/b.yaml", theirs, "/d") ==
        "/d/server/manifests/a/b.yaml");
  CHECK(put_back_path("etc/rancher/k3s/config.yaml.d/x.yaml", theirs, "/d") ==
        "/etc/rancher/k3s/config.yaml.d/x.yaml");
  for (const char* const other : {"var/lib/rancher/k3s/server/tls/ca.key",
                                  "var/lib/rancher/k3s/server/cred/passwd",
                                  "etc/passwd",
                                  "etc/systemd/system/other.service",
                                  "etc/systemd/system/multi-user.target.wants/k3s@a.service",
                                  "etc/systemd/system/k3s.target.wants/k3s@a.service",
                                  "../etc/rancher/x",
                                  "etc/rancher/../passwd",
                                  "/etc/rancher/x",
                                  "root/.ssh/authorized_keys"}) {
    CAPTURE(other);
    CHECK(put_back_path(other, theirs, "/d").empty());
  }
}

TEST_CASE("--keep-config: token, manifests and what the node is known by, not its configuration") {
  const std::string theirs = "/var/lib/rancher/k3s";
  for (const char* const state : {"var/lib/rancher/k3s/server/token",
                                  "var/lib/rancher/k3s/server/manifests/a.yaml",
                                  "etc/rancher/node/password",
                                  "etc/rancher/node/id",
                                  "var/lib/railiance-backup/signing.key"}) {
    CAPTURE(state);
    CHECK_FALSE(put_back_path(state, theirs, "/d", true).empty());
  }
  for (const char* const configuration : {"etc/rancher/k3s/config.yaml",
                                          "etc/rancher/k3s/registries.yaml",
                                          "etc/systemd/system/k3s.service",
                                          "etc/default/k3s",
                                          "etc/init.d/k3s"}) {
    CAPTURE(configuration);
    CHECK_FALSE(put_back_path(configuration, theirs, "/d").empty());
    CHECK(put_back_path(configuration, theirs, "/d", true).empty());
  }
}

TEST_CASE("what the settings name goes back to its place, what belongs to the system does not") {
  const set::HostState state =
      state_with({{"etc/rancher/k3s/config.yaml", k_config},
                  {"etc/k8s/admission.yaml", "plugins:\n- path: psa.yaml\n"},
                  {"etc/systemd/system/k3s.service",
                   "[Service]\nEnvironmentFile=/etc/k3s/vars\nExecStart=/k3s server\n"},
                  {"etc/k3s/vars", "A=1\n"}});
  const test::Scratch root;
  const NamedBack named(state, "/data", root.path());
  CHECK(named.target_of("var/lib/rancher/k3s/server/audit.yaml") == "/data/server/audit.yaml");
  CHECK(named.target_of("etc/k8s/enc.yaml") == "/etc/k8s/enc.yaml");
  CHECK(named.target_of("etc/k8s/psa.yaml") == "/etc/k8s/psa.yaml");
  CHECK(named.target_of("etc/k3s/vars") == "/etc/k3s/vars");
  for (const char* const other : {"etc/passwd",
                                  "etc/k8s/enc.yaml.old",
                                  "usr/share/ca.pem",
                                  "var/lib/rancher/k3s/server/tls/server-ca.key",
                                  "../etc/k8s/enc.yaml"}) {
    CAPTURE(other);
    CHECK(named.target_of(other).empty());
  }
  root.write("etc/k8s/enc.yaml", "its own");
  CHECK(named.missing_target_of("etc/k8s/enc.yaml").empty());
  CHECK(named.missing_target_of("etc/k8s/psa.yaml") == "/etc/k8s/psa.yaml");
}

TEST_CASE("a file of the operator in server/tls goes back, what k3s makes there does not") {
  const set::HostState state = state_with(
      {{"etc/rancher/k3s/config.yaml",
        "kube-apiserver-arg:\n- oidc-ca-file=tls/oidc.pem\n- etcd-cafile=tls/etcd/server-ca.crt\n"},
       {"var/lib/rancher/k3s/server/tls/oidc.pem", "of the operator"},
       {"var/lib/rancher/k3s/server/tls/etcd/server-ca.crt", "of k3s"}});
  const test::Scratch scratch;
  const std::string data = scratch.path("data");
  const NamedBack named(state, data, scratch.path("root"));
  CHECK(named.target_of("var/lib/rancher/k3s/server/tls/oidc.pem") ==
        data + "/server/tls/oidc.pem");
  CHECK(named.target_of("var/lib/rancher/k3s/server/tls/etcd/server-ca.crt").empty());
  CHECK(*put_from_set(state, data + "/server/tls/oidc.pem", data));
  CHECK(scratch.read("data/server/tls/oidc.pem") == "of the operator");
  CHECK_FALSE(*put_from_set(state, data + "/server/tls/oidc", data));
}

TEST_CASE("the plan knows which files of the operator go with server/tls") {
  ObservedHost host = test::good_host();
  host.settings.add("kube-apiserver-arg", "oidc-ca-file=tls/oidc.pem");
  host.named_here = {{"/var/lib/rancher/k3s/server/tls/oidc.pem", "oidc-ca-file", true},
                     {"/var/lib/rancher/k3s/server/tls/server-ca.crt", "tls", false},
                     {"/etc/audit.yaml", "audit-policy-file", true}};
  const Decision decision = decide(host, test::good_set(), {});
  CHECK(decision.plan.credentials ==
        std::vector<std::string>{"/var/lib/rancher/k3s/server/tls/oidc.pem"});
}

TEST_CASE("a unit that came with a package goes to /etc, but where the host has it") {
  const set::HostState state =
      state_with({{"usr/lib/systemd/system/k3s.service", "[Service]\nExecStart=/k3s server\n"}});
  const test::Scratch root;
  const NamedBack named(state, k_data, root.path());
  CHECK(named.missing_target_of("usr/lib/systemd/system/k3s.service") ==
        "/etc/systemd/system/k3s.service");
  root.write("usr/lib/systemd/system/k3s.service", "");
  CHECK(named.missing_target_of("usr/lib/systemd/system/k3s.service").empty());
}

TEST_CASE("the pre-flight names each file that would not be there, those first that k3s needs") {
  const set::HostState state =
      state_with({{"etc/rancher/k3s/config.yaml",
                   k_config + "kubelet-arg: image-credential-provider-config=/etc/kubelet.yaml\n"},
                  {"var/lib/rancher/k3s/server/audit.yaml", "kind: Policy\n"}});
  const test::Scratch root;
  root.write("etc/k8s/enc.yaml", "");
  root.write("usr/share/ca.pem", "");
  const auto facts = NamedBack(state, k_data, root.path()).facts();
  CHECK(facts.size() == 5);
  Check check = check_named_files(facts);
  CHECK(check.verdict == Verdict::refuse);
  CHECK(check.message ==
        "neither in the set nor on this host: /etc/k8s/admission.yaml (kube-apiserver-arg "
        "admission-control-config-file), /etc/kubelet.yaml (kubelet-arg "
        "image-credential-provider-config): k3s would not "
        "start");
  root.write("etc/k8s/admission.yaml", "");
  check = check_named_files(NamedBack(state, k_data, root.path()).facts());
  CHECK(check.verdict == Verdict::warn);
  root.write("etc/kubelet.yaml", "");
  check = check_named_files(NamedBack(state, k_data, root.path()).facts());
  CHECK(check.verdict == Verdict::ok);
  CHECK(check_named_files({}).verdict == Verdict::ok);
}

TEST_CASE("what a host keeps read-only stops nothing where it is as it should be") {
  for (const bool same : {true, false}) {
    CAPTURE(same);
    FakeHost host(true);
    const std::string text = same ? "[Service]" : "[Service]\n# of this host\n";
    host.scratch.write("root/etc/systemd/system/k3s.service", text);
    const std::string directory = host.scratch.path("root/etc/systemd/system");
    CHECK(::chmod(directory.c_str(), 0555) == 0);
    if (const test::Immutable immutable(directory); ::geteuid() == 0 && !immutable.holds()) {
      MESSAGE("NOT RUN: this file system has no immutable directories");
    } else {
      const Outcome outcome = host.execute();
      CHECK(outcome.code == (same ? ExitCode::done : ExitCode::failed));
      CHECK(outcome.rolled_back == !same);
      CHECK((outcome.hint.find("--keep-config") != std::string::npos) == !same);
      CHECK((!same || host.roll_back().code == ExitCode::done));
      CHECK(host.scratch.read("root/etc/systemd/system/k3s.service") == text);
    }
    CHECK(::chmod(directory.c_str(), 0755) == 0);
  }
}

TEST_CASE("a file that k3s starts without and that cannot be put back is said, and stops nothing") {
  for (const bool needed : {false, true}) {
    CAPTURE(needed);
    FakeHost host(true);
    const std::string argument = needed ? "kube-apiserver-arg: audit-policy-file="
                                        : "kubelet-arg: image-credential-provider-config=";
    host.more_files = {{"etc/rancher/k3s/config.yaml", argument + "/opt/tools/k8s/a.yaml\n"},
                       {"opt/tools/k8s/a.yaml", "of the backup"}};
    host.scratch.write("root/opt/tools", "a file, where the other host had a directory");
    const Outcome outcome = host.execute();
    CHECK(outcome.code == (needed ? ExitCode::failed : ExitCode::done));
    CHECK(outcome.rolled_back == needed);
    const std::size_t at = host.lines.find("warning: 1 of the files");
    CHECK((at == std::string::npos) == needed);
    CHECK((needed || host.lines.find("warning: 1 of the files", at + 1) == std::string::npos));
    CHECK((needed || host.roll_back().code == ExitCode::done));
  }
}

TEST_CASE("a bare host gets them, keeps its own, and is as it was after the way back") {
  FakeHost host(true);
  host.more_files = {{"etc/rancher/k3s/config.yaml",
                      "kube-apiserver-arg:\n- audit-policy-file=/etc/k8s/own.yaml\n"
                      "- encryption-provider-config=/etc/k8s/enc.yaml\n"
                      "- admission-control-config-file=psa.yaml\n"},
                     {"etc/k8s/own.yaml", "of the backup"},
                     {"etc/k8s/enc.yaml", "kind: EncryptionConfiguration"},
                     {"var/lib/rancher/k3s/server/psa.yaml", "plugins: []"}};
  host.scratch.write("root/etc/k8s/own.yaml", "its own");
  REQUIRE(host.execute().code == ExitCode::done);
  CHECK(host.scratch.read("root/etc/k8s/enc.yaml") == "kind: EncryptionConfiguration");
  CHECK(host.scratch.read("data/server/psa.yaml") == "plugins: []");
  CHECK(host.scratch.read("root/etc/k8s/own.yaml") == "its own");
  CHECK(host.roll_back().code == ExitCode::done);
  CHECK_FALSE(host.scratch.exists("root/etc/k8s/enc.yaml"));
  CHECK_FALSE(host.scratch.exists("data/server/psa.yaml"));
  CHECK(host.scratch.read("root/etc/k8s/own.yaml") == "its own");
}
