#include "temp_dir.hpp"

#include "kube/client_config.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace rb;
using namespace rb::kube;
using rb::kube::test::TempDir;

namespace {

Environment environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

void write_service_account(const TempDir& dir) {
  dir.write("token", "abc");
  dir.write("ca.crt", "pem");
  dir.write("namespace", "railiance-backup\n");
}

const char* const k_kubeconfig = R"(
apiVersion: v1
kind: Config
current-context: one
contexts:
- name: one
  context: {cluster: c, user: u, namespace: ns}
- name: two
  context: {cluster: c, user: t}
- name: three
  context: {cluster: c, user: e}
- name: four
  context: {cluster: gone, user: e}
- name: five
  context: {cluster: insecure}
- name: six
  context: {cluster: v6}
clusters:
- name: c
  cluster:
    server: https://127.0.0.1:6443
    tls-server-name: kubernetes
    certificate-authority-data: Q0EgUEVN
- name: insecure
  cluster: {server: "https://h", insecure-skip-tls-verify: true}
- name: v6
  cluster: {server: "https://[::1]:6443"}
users:
- name: u
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
- name: t
  user: {tokenFile: token, client-certificate: c.pem, client-key: /abs/k.pem}
- name: e
  user: {exec: {command: aws}}
)";

Error refusal(std::string_view context) {
  return parse_kubeconfig(k_kubeconfig, "/dir", context).error();
}

} // namespace

TEST_CASE("an address that is refused is shown without user, password and query") {
  for (const char* const url : {"https://admin:S3CRET@h:6443",
                                "https://S3CRET@h",
                                "ftp://admin:S3CRET@h",
                                "https://admin:S3C@RET/S3CRET@h:x",
                                "https://h:6443?token=S3CRET"}) {
    CAPTURE(url);
    const auto refused = parse_server_url(url);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("S3C") == std::string::npos);
    CHECK(refused.error().message.find("RET") == std::string::npos);
    CHECK(refused.error().message.find('h') != std::string::npos);
  }
}

TEST_CASE("a server's address is taken apart and put together") {
  const ServerUrl url = parse_server_url("https://10.43.0.1:6443").value();
  CHECK(url.tls);
  CHECK(url.host == "10.43.0.1");
  CHECK(url.port == 6443);
  CHECK(is_ipv4_address(url.host));
  CHECK(url.text() == "https://10.43.0.1:6443");
  CHECK(parse_server_url("https://api.example.org").value().text() ==
        "https://api.example.org:443");
  CHECK(parse_server_url("https://h/k8s/clusters/c-1//").value().text() ==
        "https://h:443/k8s/clusters/c-1");
  CHECK_FALSE(is_ipv4_address(parse_server_url("https://api.example.org").value().host));
}

TEST_CASE("plain http is for this host alone") {
  CHECK(parse_server_url("http://127.0.0.1:8001").has_value());
  CHECK(parse_server_url("http://localhost:8001").has_value());
  CHECK(parse_server_url("http://10.0.0.1:8001").error().code == ErrorCode::unsupported);
  CHECK(parse_server_url("http://127.example.org").error().code == ErrorCode::unsupported);
}

TEST_CASE("an address of IPv6 stands in brackets, and is known without them") {
  const ServerUrl url = parse_server_url("https://[fd00::1]:6443/k8s").value();
  CHECK(url.host == "fd00::1");
  CHECK(url.port == 6443);
  CHECK(url.authority() == "[fd00::1]:6443");
  CHECK(url.text() == "https://[fd00::1]:6443/k8s");
  CHECK(is_ipv6_address(url.host));
  CHECK(parse_server_url("https://[::1]").value().text() == "https://[::1]:443");
  CHECK(parse_server_url("http://[::1]:8001").has_value());
  CHECK(parse_server_url("http://[fd00::1]:8001").error().code == ErrorCode::unsupported);
  CHECK(is_ip_address("::ffff:10.0.0.1"));
  for (const char* no : {"", "kubernetes", "fd00", "fd00::1::2", "[::1]", "fe80::1%eth0"}) {
    CAPTURE(no);
    CHECK_FALSE(is_ip_address(no));
  }
}

TEST_CASE("what is no address of a server is refused") {
  for (const char* bad : {"",
                          "10.0.0.1:6443",
                          "ftp://h",
                          "https://",
                          "https://h:0",
                          "https://h:65536",
                          "https://h:x",
                          "https://h:",
                          "https://user@h",
                          "https://h?x=1",
                          "https://h#x",
                          "https://h h",
                          "https://fd00::1",
                          "https://[::1",
                          "https://[::1]6443",
                          "https://[::1]:",
                          "https://[h]:6443",
                          "https://[]",
                          "https://[fe80::1%25eth0]:6443",
                          "https://h\r\nx: y"}) {
    CAPTURE(bad);
    CHECK(parse_server_url(bad).error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("an IPv4 address is four numbers up to 255") {
  CHECK(is_ipv4_address("0.0.0.0"));
  CHECK(is_ipv4_address("255.255.255.255"));
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1..2.3", "a.b.c.d", "1.2.3.4 "}) {
    CAPTURE(bad);
    CHECK_FALSE(is_ipv4_address(bad));
  }
}

TEST_CASE("in a pod the service account's files and the environment say it all") {
  const TempDir dir;
  write_service_account(dir);
  const auto config = in_cluster_config(
      environment({{"KUBERNETES_SERVICE_HOST", "10.43.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}}),
      dir.path());
  REQUIRE(config);
  CHECK(config->server == "https://10.43.0.1:443");
  CHECK(config->ca.path == dir.path() + "/ca.crt");
  CHECK(config->token.path == dir.path() + "/token");
  CHECK(config->name_space == "railiance-backup");
}

TEST_CASE("a service address of IPv6 is taken as it is: a pod may ask no DNS") {
  const TempDir dir;
  write_service_account(dir);
  const auto config = in_cluster_config(
      environment({{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}}),
      dir.path());
  CHECK(config.value().server == "https://[fd00::1]:443");
}

TEST_CASE("outside a pod, and in one without a token, the error says so") {
  CHECK(in_cluster_config(environment({}), "/nowhere").error().code == ErrorCode::not_found);
  const TempDir dir;
  const auto missing = in_cluster_config(
      environment({{"KUBERNETES_SERVICE_HOST", "h"}, {"KUBERNETES_SERVICE_PORT", "443"}}),
      dir.path());
  CHECK(missing.error().message.find(dir.path() + "/token") != std::string::npos);
}

TEST_CASE("a kubeconfig's current context is read, keys as bytes") {
  const auto config = parse_kubeconfig(k_kubeconfig, "/dir");
  REQUIRE(config);
  CHECK(config->server == "https://127.0.0.1:6443");
  CHECK(config->tls_server_name == "kubernetes");
  CHECK(config->name_space == "ns");
  CHECK(config->ca.bytes.text() == "CA PEM");
  CHECK(config->client_certificate.bytes.text() == "CERT");
  CHECK(config->client_key.bytes.text() == "KEY");
  CHECK_FALSE(config->token.given());
}

TEST_CASE("another context can be named, and relative files start at the kubeconfig") {
  const auto config = parse_kubeconfig(k_kubeconfig, "/dir", "two");
  REQUIRE(config);
  CHECK(config->token.path == "/dir/token");
  CHECK(config->client_certificate.path == "/dir/c.pem");
  CHECK(config->client_key.path == "/abs/k.pem");
}

TEST_CASE("k3s's own kubeconfig of a server with IPv6 first is read") {
  CHECK(parse_kubeconfig(k_kubeconfig, "/dir", "six").value().server == "https://[::1]:6443");
}

TEST_CASE("what a kubeconfig asks for and we do not do is refused by name") {
  CHECK(refusal("three").code == ErrorCode::unsupported);
  CHECK(refusal("three").message == "\"exec\" is not supported");
  CHECK(refusal("five").message == "\"insecure-skip-tls-verify\" is not supported");
  for (const char* user : {"auth-provider: {name: gcp}", "username: a", "as: b"}) {
    const std::string text = std::string("current-context: x\ncontexts: [{name: x, context: "
                                         "{cluster: c, user: u}}]\nclusters: [{name: c, cluster: "
                                         "{server: 'https://h'}}]\nusers: [{name: u, user: {") +
                             user + "}}]\n";
    CAPTURE(user);
    CHECK(parse_kubeconfig(text, "/").error().code == ErrorCode::unsupported);
  }
}

TEST_CASE("a context, a cluster or a user that is not there is named") {
  CHECK(refusal("nine").message == "no entry \"nine\" in \"contexts\"");
  CHECK(refusal("four").message == "no entry \"gone\" in \"clusters\"");
  CHECK(parse_kubeconfig("contexts: []", "/").error().message == "no current-context is set");
}

TEST_CASE("text that is no kubeconfig is refused without quoting it") {
  for (const char* bad : {"", "- a", "hunter2", "a: [", "\t", "{", "current-context: [x]"}) {
    CAPTURE(bad);
    const auto parsed = parse_kubeconfig(bad, "/");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message.find("hunter2") == std::string::npos);
  }
  const std::string bad_data =
      "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, "
      "cluster: {server: 'https://h', certificate-authority-data: '!!'}}]\n";
  CHECK(parse_kubeconfig(bad_data, "/").error().message ==
        "certificate-authority-data is not base64");
}

TEST_CASE("a certificate without its key is refused") {
  const std::string text =
      "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: "
      "[{name: "
      "c, cluster: {server: 'https://h'}}]\nusers: [{name: u, user: {client-certificate: a}}]\n";
  CHECK(parse_kubeconfig(text, "/").error().code == ErrorCode::corrupt);
}

TEST_CASE("an error in a kubeconfig file names the file") {
  const TempDir dir;
  const std::string path = dir.write("config", "contexts: []");
  CHECK(load_kubeconfig(path).error().message == path + ": no current-context is set");
  CHECK(load_kubeconfig(dir.path() + "/none").error().code == ErrorCode::not_found);
}

TEST_CASE("several kubeconfigs make one: the first that has a name says what it means") {
  const TempDir here;
  const TempDir there;
  const std::string first = here.write("config",
                                       "contexts: [{name: home, context: {cluster: c, user: u}}]\n"
                                       "clusters: [{name: c, cluster: {server: 'https://home'}}]\n"
                                       "users: [{name: u, user: {tokenFile: t}}]\n");
  const std::string second =
      there.write("config",
                  "current-context: prod\n"
                  "contexts: [{name: prod, context: {cluster: c, user: p, namespace: n}}]\n"
                  "clusters: [{name: c, cluster: {server: 'https://other'}}]\n"
                  "users: [{name: p, user: {tokenFile: t}}]\n");
  const std::string empty = here.write("empty", "");
  const std::vector<std::string> paths{here.path() + "/none", empty, first, second};

  const auto current = load_kubeconfigs(paths);
  REQUIRE(current);
  CHECK(current->server == "https://home:443");
  CHECK(current->token.path == there.path() + "/t");
  CHECK(current->name_space == "n");
  const auto home = load_kubeconfigs(paths, "home");
  REQUIRE(home);
  CHECK(home->token.path == here.path() + "/t");

  CHECK(load_kubeconfigs(paths, "nine").error().message ==
        empty + ", " + first + ", " + second + ": no entry \"nine\" in \"contexts\"");
  CHECK(load_kubeconfigs({here.path() + "/none"}).error().code == ErrorCode::not_found);
  CHECK(load_kubeconfigs({empty}).error().message == empty + ": not a kubeconfig");
  const std::string bad = here.write("bad", "a: [");
  CHECK(load_kubeconfigs({first, bad}).error().message.starts_with(bad + ": not valid YAML"));
}
