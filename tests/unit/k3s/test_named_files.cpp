// Which files of a host a server's settings name, and which these name in turn.
#include "k3s/named_files.hpp"
#include "support/map_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::k3s;
using test::MapFiles;

using Paths = std::vector<std::string>;

namespace {

constexpr const char* k_data = "/var/lib/rancher/k3s";

Paths paths_of(const std::vector<NamedFile>& files) {
  Paths paths;
  for (const NamedFile& file : files) {
    paths.push_back(file.path);
  }
  std::ranges::sort(paths);
  return paths;
}

Paths named_by(std::initializer_list<std::pair<std::string, std::string>> settings) {
  ServerSettings all;
  for (const auto& [flag, value] : settings) {
    all.add(flag, value);
  }
  return paths_of(named_by_settings(all, k_data));
}

} // namespace

TEST_CASE("arguments of components and flags of k3s name files; relative ones lie in the server's "
          "directory") {
  CHECK(named_by({{"kube-apiserver-arg", "audit-policy-file=/etc/k8s/audit.yaml"},
                  {"kube-apiserver-arg", "--encryption-provider-config=/etc/k8s/enc.yaml"},
                  {"kube-apiserver-arg", "admission-control-config-file=psa.yaml"},
                  {"kube-apiserver-arg", "tls-sni-cert-key=/a.crt,/a.key:example.com"},
                  {"kubelet-arg", "config=/etc/kubelet.yaml"},
                  {"kubelet-arg", "config-dir=/etc/kubelet.d/"},
                  {"private-registry", "/etc/registries/r.yaml"},
                  {"token-file", "/etc/token"},
                  {"datastore-cafile", "ca.pem"}}) ==
        Paths{"/a.crt",
              "/a.key",
              "/etc/k8s/audit.yaml",
              "/etc/k8s/enc.yaml",
              "/etc/kubelet.d",
              "/etc/kubelet.yaml",
              "/etc/registries/r.yaml",
              "/etc/token",
              "/var/lib/rancher/k3s/server/ca.pem",
              "/var/lib/rancher/k3s/server/psa.yaml"});
}

TEST_CASE("what a server writes, makes or is no file is not looked for") {
  CHECK(named_by({{"kube-apiserver-arg", "audit-log-path=/var/log/audit.log"},
                  {"kube-apiserver-arg", "enable-admission-plugins=NodeRestriction,PodSecurity"},
                  {"kube-apiserver-arg", "service-account-issuer=https://example.com/x"},
                  {"data-dir", "/data"},
                  {"write-kubeconfig", "/root/.kube/config"},
                  {"etcd-snapshot-dir", "/mnt/snap"},
                  {"etcd-s3-folder", "/clusters/one"},
                  {"log", "/var/log/k3s.log"},
                  {"config", "https://example.com/k3s.yaml"},
                  {"container-runtime-endpoint", "/run/containerd/containerd.sock"},
                  {"etcd-snapshot-schedule-cron", "*/5 * * * *"},
                  {"token", "/not/shown"},
                  {"cluster-cidr", "10.42.0.0/16"},
                  {"node-label", "a=/b"}})
            .empty());
}

TEST_CASE("the server does not start without what its API server reads at once") {
  ServerSettings settings;
  settings.add("kube-apiserver-arg", "audit-policy-file=/a");
  settings.add("kube-apiserver-arg", "anything-else=/b");
  const auto files = named_by_settings(settings, k_data);
  REQUIRE(files.size() == 2);
  CHECK(files[0].needed);
  CHECK(files[0].by == "kube-apiserver-arg audit-policy-file");
  CHECK_FALSE(files[1].needed);
}

TEST_CASE("each component has a configuration file of its own, and k3s ends without it") {
  ServerSettings settings;
  for (const char* const flag : {"kubelet-arg", "kube-scheduler-arg", "kube-proxy-arg"}) {
    settings.add(flag, "config=/var/lib/config/" + std::string(flag) + ".yaml");
  }
  settings.add("kube-scheduler-arg", "--config=scheduler.yaml");
  const auto files = named_by_settings(settings, k_data);
  CHECK(paths_of(files) == Paths{"/var/lib/config/kube-proxy-arg.yaml",
                                 "/var/lib/config/kube-scheduler-arg.yaml",
                                 "/var/lib/config/kubelet-arg.yaml",
                                 "/var/lib/rancher/k3s/server/scheduler.yaml"});
  CHECK(std::ranges::all_of(files, &NamedFile::needed));
}

TEST_CASE("what k3s makes below server/tls and server/cred is not looked for, whoever names it") {
  const std::string server = std::string(k_data) + "/server/";
  ServerSettings settings;
  settings.add("kube-scheduler-arg", "config=/var/lib/scheduler/config.yaml");
  settings.add("kube-apiserver-arg",
               "kubelet-certificate-authority=" + server + "tls/server-ca.crt");
  settings.add("kube-apiserver-arg", "oidc-ca-file=" + server + "tls/oidc.crt");
  const MapFiles files{
      {"/var/lib/scheduler/config.yaml",
       "clientConnection:\n  kubeconfig: " + server + "cred/scheduler.kubeconfig\n"},
      {server + "cred/scheduler.kubeconfig", "client-key: " + server + "tls/client-scheduler.key"}};
  CHECK(paths_of(all_named_files(files, settings, k_data)) ==
        Paths{server + "tls/oidc.crt", "/var/lib/scheduler/config.yaml"});
}

TEST_CASE("for the file of a token or of a VPN's key the server waits") {
  ServerSettings settings;
  settings.add("agent-token-file", "/run/secrets/agent-token");
  settings.add("vpn-auth-file", "/etc/vpn");
  const auto files = named_by_settings(settings, k_data);
  REQUIRE(files.size() == 2);
  CHECK(files[0].needed);
  CHECK(files[1].needed);
}

TEST_CASE(
    "configuration files name files by their fields, and a secret is never taken for a path") {
  CHECK(paths_of(named_by_file("/etc/k8s/admission.yaml",
                               "plugins:\n- name: A\n  path: a.yaml\n- name: W\n  configuration:\n"
                               "    kubeConfigFile: /etc/k8s/webhook.kubeconfig\n")) ==
        Paths{"/etc/k8s/a.yaml", "/etc/k8s/webhook.kubeconfig"});
  CHECK(paths_of(named_by_file(
            "/k/kubeconfig",
            "users:\n- user: {client-certificate: c.pem, client-key: ../c.key, token: /secret}\n"
            "clusters:\n- cluster: {certificate-authority: /ca.pem, server: 'https://x'}\n")) ==
        Paths{"/c.key", "/ca.pem", "/k/c.pem"});
  CHECK(named_by_file(
            "/enc.yaml",
            "resources:\n- resources: [secrets]\n  providers:\n  - secretbox:\n      keys:\n"
            "      - {name: key1, secret: /abcABC+w==}\n  - kms: {endpoint: "
            "'unix:///run/kms.sock'}\n")
            .empty());
  CHECK(paths_of(
            named_by_file("/r.yaml",
                          "configs:\n  r:\n    tls: {ca_file: /ca.pem, cert_file: /c.pem}\n"
                          "    auth: {password: /p}\nmirrors: {docker.io: {endpoint: [/e]}}\n")) ==
        Paths{"/c.pem", "/ca.pem"});
  CHECK(paths_of(named_by_file(
            "/c/config.toml.tmpl",
            "{{ template \"base\" . }}\n  BinaryName = \"/usr/bin/runtime\"\n"
            "  root = \"/data\"\n  password = \"/p\"\n  config_path = '/etc/certs.d'\n")) ==
        Paths{"/etc/certs.d", "/usr/bin/runtime"});
  for (const char* const odd :
       {"- [", "\x01", "", "a: {b: &x [*x]}", "just text /a/b", "%YAML 9"}) {
    CHECK(named_by_file("/odd.yaml", odd).empty());
  }
}

TEST_CASE("aliases that multiply a file end the search, and not the reader") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) {
      text += ", " + before;
    }
    text += "]\n";
  }
  CHECK(named_by_file("/etc/k8s/bomb.yaml", "path: /etc/first.yaml\n" + text).size() == 1);
}

TEST_CASE("containerd's drop-ins name files as its template does") {
  const std::string place = std::string(k_data) + "/agent/etc/containerd/";
  const MapFiles files{
      {place + "config-v3.toml.tmpl", "BinaryName = \"/usr/bin/one\"\n"},
      {place + "config-v3.toml.d/99-nvidia.toml",
       "  [plugins.'io.containerd.cri.v1.runtime'.x.options]\n    BinaryName = '/usr/bin/two'\n"},
      {place + "config.toml.d/10.toml", "ConfigPath = \"/opt/kata/three.toml\"\n"}};
  CHECK(paths_of(all_named_files(files, {}, k_data)) ==
        Paths{"/opt/kata/three.toml", "/usr/bin/one", "/usr/bin/two"});
}

TEST_CASE("files are followed from one to the next, a circle ends") {
  ServerSettings settings;
  settings.add("kube-apiserver-arg", "admission-control-config-file=/etc/k8s/admission.yaml");
  const MapFiles files{
      {"/etc/k8s/admission.yaml", "plugins:\n- path: more.yaml\n- path: admission.yaml\n"},
      {"/etc/k8s/more.yaml", "kubeConfigFile: /etc/k8s/kubeconfig\n"},
      {"/etc/k8s/kubeconfig", "certificate-authority: ca.pem\n"},
      {"/etc/rancher/k3s/registries.yaml", "ca_file: /etc/ca.pem\n"}};
  CHECK(paths_of(all_named_files(files, settings, k_data)) == Paths{"/etc/ca.pem",
                                                                    "/etc/k8s/admission.yaml",
                                                                    "/etc/k8s/ca.pem",
                                                                    "/etc/k8s/kubeconfig",
                                                                    "/etc/k8s/more.yaml"});
}

TEST_CASE("a configuration file at another place is named, and what stands in it is no field of a "
          "named file") {
  ServerSettings settings;
  settings.add("config", "/root/k3s/config.yaml", Origin::environment);
  const MapFiles files{{"/root/k3s/config.yaml", "default-local-storage-path: /srv/volumes\n"}};
  const auto named = all_named_files(files, settings, k_data);
  REQUIRE(paths_of(named) == Paths{"/root/k3s/config.yaml"});
  CHECK(named.front().by == "config");
  settings.add("config", "https://example.com/k3s.yaml", Origin::command_line);
  CHECK(all_named_files(files, settings, k_data).empty());
}
