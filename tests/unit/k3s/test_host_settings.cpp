// Where an operator may have put the settings of a server, and in which order they count.
#include "k3s/host_settings.hpp"
#include "k3s/named_files.hpp"
#include "k3s/token.hpp"
#include "support/map_files.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::k3s;
using test::MapFiles;

using Values = std::vector<std::string>;

namespace {

constexpr const char* k_unit = "/etc/systemd/system/k3s.service";
constexpr const char* k_plain_unit =
    "[Service]\nEnvironmentFile=-/etc/default/%N\n"
    "EnvironmentFile=-/etc/systemd/system/k3s.service.env\nExecStart=/usr/local/bin/k3s \\\n"
    "    server \\\n\n";

std::string config_value(const std::string& text, const std::string& flag) {
  std::vector<Setting> settings;
  REQUIRE(merge_config(settings, text, "c"));
  ServerSettings all;
  for (Setting& setting : settings) {
    all.add(std::move(setting));
  }
  return all.value(flag);
}

} // namespace

TEST_CASE("later files override, key+ appends, the order is that of the names") {
  const MapFiles files{
      {"/etc/rancher/k3s/config.yaml", "node-name: one\netcd-arg: [a=1]\nlog: x\n"},
      {"/etc/rancher/k3s/config.yaml.d/20-b.yml", "node-name: three\n"},
      {"/etc/rancher/k3s/config.yaml.d/10-a.YAML", "node-name: two\netcd-arg+: b=2\n"},
      {"/etc/rancher/k3s/config.yaml.d/30-c.txt", "node-name: never\n"}};
  const HostSettings read = read_host_settings(files);
  CHECK(read.settings.value("node-name") == "three");
  CHECK(read.settings.values("etcd-arg") == Values{"a=1", "b=2"});
  CHECK(read.settings.of("node-name").front().place == "/etc/rancher/k3s/config.yaml.d/20-b.yml");
  CHECK(read.files.size() == 3);
}

TEST_CASE("scalars are read as YAML 1.1 has them, quoted ones are text") {
  for (const char* const on : {"yes", "Yes", "on", "true", "TRUE", "y"}) {
    CHECK(config_value("secrets-encryption: " + std::string(on), "secrets-encryption") == "true");
  }
  for (const char* const off : {"no", "off", "False", "n"}) {
    CHECK(config_value("secrets-encryption: " + std::string(off), "secrets-encryption") == "false");
  }
  CHECK(config_value("a: 'yes'", "a") == "yes");
  CHECK(config_value("write-kubeconfig-mode: 0644", "write-kubeconfig-mode") == "420");
  CHECK(config_value("write-kubeconfig-mode: \"0644\"", "write-kubeconfig-mode") == "0644");
  CHECK(config_value("a: 0x1F", "a") == "31");
  CHECK(config_value("https-listen-port: 6_443", "https-listen-port") == "6443");
  CHECK(config_value("a: ~", "a").empty());
  CHECK(config_value("a: 10.42.0.0/16", "a") == "10.42.0.0/16");
  CHECK(config_value("d: /data", "data-dir") == "/data");
  CHECK(config_value("data-dir: |\n  /data/k3s\nlog: x\n", "data-dir") == "/data/k3s");
  CHECK(config_value("tls-san:\n- >-\n  a\n- ' b '\n", "tls-san") == "b");
}

TEST_CASE("trap: a token of digits that is not quoted is a number, and another one as text") {
  // Each as gopkg.in/yaml.v2 v2.4.0 decodes it and fmt.Sprint writes it.
  for (const auto& [written, meant] : std::vector<std::pair<std::string, std::string>>{
           {"0123456", "42798"},
           {"0123456789", "1.23456789e+08"},
           {"0812345", "812345"},
           {"12345678901234567890123", "1.2345678901234568e+22"},
           {"0x1234567890123456", "1311768467284833366"},
           {"18446744073709551615", "18446744073709551615"},
           {"12e3", "12000"},
           {"12E30", "1.2e+31"},
           {"1.50", "1.5"},
           {".5", "0.5"},
           {"-1_000.25", "-1000.25"},
           {"0.00001", "1e-05"},
           {"00.0", "0"},
           {"1e999", "1e999"},
           {"1.2.3", "1.2.3"},
           {"12e", "12e"},
           {"e12", "e12"},
           {"94e57a", "94e57a"},
           {".", "."},
           {"10.42.0.0/16", "10.42.0.0/16"},
           {"1.5s", "1.5s"}}) {
    CAPTURE(written);
    CHECK(config_value("token: " + written, "token") == meant);
    CHECK(config_value("token: '" + written + "'", "token") == written);
  }
}

TEST_CASE("trap: what a merge key names is no setting of k3s") {
  // Each as gopkg.in/yaml.v2 v2.4.0 decodes it into a MapSlice.
  for (const char* const text : {"x: &x {node-name: merged}\n<<: *x\n",
                                 "<<: {node-name: merged}\n",
                                 "<<: [{node-name: merged}, {node-name: merged}]\n",
                                 "!!merge <<: {node-name: merged}\n",
                                 "\"<<\": {node-name: merged}\n",
                                 "<<: []\n"}) {
    CAPTURE(text);
    CHECK(config_value(text, "node-name").empty());
    CHECK(config_value("node-name: own\n" + std::string(text), "node-name") == "own");
    CHECK(config_value(text + std::string("node-name: own\n"), "node-name") == "own");
  }
  CHECK(config_value("tls-san: &names [a, b]\nnode-name: &n one\nlog: *n\n", "log") == "one");
  for (const char* const text : {"<<: 3\n", "<<:\n", "<<: [3]\n", "x: &x 3\n<<: *x\n"}) {
    CAPTURE(text);
    std::vector<Setting> settings;
    const Status merged = merge_config(settings, text, "c");
    REQUIRE_FALSE(merged);
    CHECK(merged.error().code == ErrorCode::corrupt);
    CHECK(merged.error().message.starts_with("c, line "));
  }
}

TEST_CASE("a configuration that is no mapping is named with its line, never with its content") {
  for (const char* const text : {"- a\n", "a: 1\ntoken: [secret\n", "secret\n"}) {
    std::vector<Setting> settings{{"kept", "1", Origin::config, {}}};
    const Status merged = merge_config(settings, text, "/etc/rancher/k3s/config.yaml");
    REQUIRE_FALSE(merged);
    CHECK(merged.error().code == ErrorCode::corrupt);
    CHECK(merged.error().message.find("config.yaml") != std::string::npos);
    CHECK(merged.error().message.find("secret") == std::string::npos);
    CHECK(settings.size() == 1);
  }
  std::vector<Setting> none;
  CHECK(merge_config(none, "", "empty.yaml"));
  const MapFiles files{{"/etc/rancher/k3s/config.yaml", "- a list\n"}};
  CHECK(read_host_settings(files).problem.find("config.yaml") != std::string::npos);
}

TEST_CASE("the command line goes before the files, a variable counts where neither has the flag") {
  const MapFiles files{
      {k_unit,
       "[Service]\nEnvironment=K3S_NODE_NAME=env K3S_DATA_DIR=/env\n"
       "ExecStart=/usr/local/bin/k3s server --node-ip=10.0.0.5 --etcd-arg b=2\n"},
      {"/etc/rancher/k3s/config.yaml", "node-ip: 10.0.0.4\nnode-name: config\netcd-arg: a=1\n"}};
  const ServerSettings settings = read_host_settings(files).settings;
  CHECK(settings.values("node-ip") == Values{"10.0.0.4", "10.0.0.5"}); // a list: both count
  CHECK(settings.value("node-name") == "config");
  CHECK(settings.value("data-dir") == "/env");
  CHECK(settings.values("etcd-arg") == Values{"a=1", "b=2"});
  CHECK(settings.of("data-dir").front().origin == Origin::environment);
}

TEST_CASE("K3S_CONFIG_FILE goes before --config, which goes before the usual file") {
  const std::string config = "/etc/k3s/server.yaml";
  const MapFiles both{{k_unit, k_plain_unit + std::string(" --config /else.yaml\n")},
                      {"/etc/systemd/system/k3s.service.env", "K3S_CONFIG_FILE=" + config + "\n"},
                      {config, "etcd-snapshot-dir: /mnt/snap\n"},
                      {config + ".d/10.yaml", "token: abc\n"},
                      {"/etc/rancher/k3s/config.yaml", "node-name: never\n"}};
  const HostSettings read = read_host_settings(both);
  CHECK(read.settings.value("etcd-snapshot-dir") == "/mnt/snap");
  CHECK_FALSE(read.settings.has("node-name"));
  CHECK(read.settings.value("token") == k_masked);
  REQUIRE(read.tokens.size() == 1);
  CHECK(read.tokens[0].hash == token_hash("abc"));
  CHECK(read.tokens[0].source == config + ".d/10.yaml: token");
  const MapFiles flag{{k_unit, "[Service]\nExecStart=/k3s server -c /c.yaml --config=/d.yaml\n"},
                      {"/c.yaml", "node-name: c\n"},
                      {"/d.yaml", "node-name: d\n"}};
  CHECK(read_host_settings(flag).settings.value("node-name") == "c");
}

TEST_CASE("of a package's unit that is not to be seen, what /etc says of it counts") {
  const std::string units = "/etc/systemd/system/";
  MapFiles drop_in{
      {units + "k3s.service.d/override.conf",
       "[Service]\nExecStart=\nExecStart=/usr/bin/k3s server --https-listen-port 7443\n"},
      {units + "k3s.service.env", "K3S_DATASTORE_ENDPOINT='mysql://u:p@h/d'\n"}};
  CHECK(read_host_settings(drop_in).settings.all().empty()); // it may be nobody's
  drop_in.hide("/usr");
  const HostSettings read = read_host_settings(drop_in);
  CHECK(read.settings.value("https-listen-port") == "7443");
  CHECK(read.settings.value("datastore-endpoint") == k_masked);
  CHECK(read.systemd_unit.empty()); // nothing that could be started by that name
  CHECK(read.files == Values{units + "k3s.service.d/override.conf", units + "k3s.service.env"});

  MapFiles only_environment{{units + "multi-user.target.wants/k3s.service", ""},
                            {"/etc/sysconfig/k3s", "K3S_CONFIG_FILE=/etc/k3s.yaml\n"},
                            {"/etc/k3s.yaml", "etcd-snapshot-dir: /mnt/snap\n"}};
  only_environment.hide("/usr");
  CHECK(read_host_settings(only_environment).settings.value("etcd-snapshot-dir") == "/mnt/snap");
}

TEST_CASE("a service that is seen goes before one that is assumed") {
  const std::string conf = "/etc/default/k3s";
  for (const char* const unit : {"/etc/systemd/system/k3s.service",
                                 "/etc/systemd/system/cluster.service",
                                 "/etc/systemd/system/k3s-server.service.d/a.conf"}) {
    CAPTURE(unit);
    MapFiles files{{unit, "[Service]\nExecStart=/k3s server --node-name seen\n"},
                   {conf, "K3S_NODE_NAME=assumed\n"}};
    files.hide("/usr");
    CHECK(read_host_settings(files).settings.value("node-name") == "seen");
  }
  MapFiles agent{{"/etc/systemd/system/k3s.service", "[Service]\nExecStart=/k3s agent\n"},
                 {conf, "K3S_NODE_NAME=assumed\n"}};
  agent.hide("/usr");
  CHECK_FALSE(read_host_settings(agent).settings.has("node-name"));
  MapFiles openrc{
      {"/etc/init.d/k3s", "#!/sbin/openrc-run\ncommand=/k3s\ncommand_args='server -d /data'\n"},
      {"/etc/systemd/system/other.service", "[Service]\nExecStart=/other\n"},
      {conf, "K3S_NODE_NAME=assumed\n"}};
  openrc.hide("/usr");
  CHECK(read_host_settings(openrc).settings.value("data-dir") == "/data");
  CHECK_FALSE(read_host_settings(openrc).settings.has("node-name"));
}

TEST_CASE("of several tokens the one counts that k3s takes") {
  const auto token_of = [](const std::string& command, const std::string& config) {
    const MapFiles files{
        {k_unit, "[Service]\nEnvironment=K3S_TOKEN=old\nExecStart=/k3s server" + command + "\n"},
        {"/etc/rancher/k3s/config.yaml", config},
        {"/etc/k3s-token", "filed\n"}};
    const HostSettings read = read_host_settings(files);
    CHECK(read.tokens.size() <= 1);
    return read.tokens.empty() ? std::string("(none)") : read.tokens.front().hash;
  };
  CHECK(token_of("", "") == token_hash("old"));
  CHECK(token_of("", "token: new\n") == token_hash("new")); // as after `k3s token rotate`
  CHECK(token_of(" --token=newest", "token: new\n") == token_hash("newest"));
  CHECK(token_of(" --token=newest", "token-file: /etc/k3s-token\n") == token_hash("filed"));
  CHECK(token_of("", "token-file: /data/server/token\n") == "(none)");
  CHECK(token_of("", "token-file: /nowhere\n").empty());
}

TEST_CASE("a credential without a path is of the store, one that is encrypted stays systemd's") {
  const auto unit = [](const std::string& lines) {
    return "[Service]\n" + lines +
           "\nExecStart=/k3s server --token-file=${CREDENTIALS_DIRECTORY}/k3s-token\n";
  };
  for (const char* const line :
       {"LoadCredential=k3s-token", "LoadCredential=k3s-token:k3s-token"}) {
    const MapFiles files{{k_unit, unit(line)}, {"/etc/credstore/k3s-token", "filed\n"}};
    const HostSettings read = read_host_settings(files);
    CHECK(read.settings.value("token-file") == "/etc/credstore/k3s-token");
    REQUIRE(read.tokens.size() == 1);
    CHECK_FALSE(read.tokens.front().hash.empty());
  }
  for (const char* const line :
       {"LoadCredential=k3s-token",
        "LoadCredentialEncrypted=k3s-token:/usr/lib/credstore.encrypted/k3s-token",
        "SetCredentialEncrypted=k3s-token: k6iUCUh0RJCQyvL8k8q1UyAAAAABAAAADAAAABAAAA",
        "ImportCredential=k3s-*"}) {
    CAPTURE(line);
    const MapFiles files{{k_unit, unit(line)}};
    const HostSettings read = read_host_settings(files);
    CHECK(read.settings.value("token-file") == "/run/credentials/k3s.service/k3s-token");
    REQUIRE(read.tokens.size() == 1);
    CHECK(read.tokens.front().only_for_service());
    CHECK(all_named_files(files, read.settings, "/var/lib/rancher/k3s").empty());
  }
}

TEST_CASE("a file of the token that a set does not have is that of the host it is put on") {
  const MapFiles set{{"/etc/rancher/k3s/config.yaml", "token-file: /run/secrets/k3s-token\n"}};
  std::vector<ConfiguredToken> tokens = read_host_settings(set).tokens;
  REQUIRE(tokens.size() == 1);
  read_missing_tokens(MapFiles{}, tokens);
  CHECK(tokens.front().hash.empty());
  read_missing_tokens(MapFiles{{"/run/secrets/k3s-token", "filed\n"}}, tokens);
  CHECK(tokens.front().hash == token_hash("filed"));
  read_missing_tokens(MapFiles{{"/run/secrets/k3s-token", "another\n"}}, tokens);
  CHECK(tokens.front().hash == token_hash("filed"));
}

TEST_CASE("no secret stays in the settings, wherever it stood") {
  const MapFiles files{
      {k_unit,
       "[Service]\nEnvironment=K3S_TOKEN=one AWS_SECRET_ACCESS_KEY=two\n"
       "ExecStart=/k3s server --agent-token three --datastore-endpoint=mysql://u:four@h/d\n"},
      {"/etc/rancher/k3s/config.yaml", "etcd-s3-access-key: five\nvpn-auth: six\n"}};
  const HostSettings read = read_host_settings(files);
  CHECK(read.settings.all().size() == 6);
  for (const Setting& setting : read.settings.all()) {
    CHECK(setting.value == k_masked);
  }
  CHECK(read.settings.has("datastore-endpoint"));
}

TEST_CASE("an endpoint of SQLite is no secret: its file stays, its options do not") {
  const auto endpoint = [](const std::string& written) {
    const MapFiles files{{"/etc/rancher/k3s/config.yaml", "datastore-endpoint: " + written + "\n"}};
    const NodeArguments node{R"(["server","--datastore-endpoint","********"])", "{}"};
    CHECK(read_host_settings(files).settings.value("datastore-endpoint") ==
          read_host_settings(files, node).settings.value("datastore-endpoint"));
    return read_host_settings(files).settings.value("datastore-endpoint");
  };
  CHECK(endpoint("sqlite:///srv/state.db?_journal=WAL&_auth_pass=pw") == "sqlite:///srv/state.db");
  CHECK(endpoint("\"sqlite://file:/srv/state.db?cache=shared\"") == "sqlite:///srv/state.db");
  CHECK(endpoint("litestream://./db/state.db") == "sqlite://./db/state.db");
  CHECK(endpoint("sqlite://") == "sqlite://");
  CHECK(endpoint("postgres://u:pw@h/sqlite://") == k_masked);
  CHECK(endpoint("u:pw@h") == "sqlite://"); // k3s's own file, and nothing of what was written
  CHECK(endpoint("etcd") == "etcd");
  CHECK(endpoint("https://u:pw@h:2379") == k_masked);
  const MapFiles variable{
      {k_unit, "[Service]\nEnvironmentFile=/e\nExecStart=/k3s server\n"},
      {"/e", "K3S_DATASTORE_ENDPOINT='sqlite:///dev/shm/state.db?_journal=WAL'\n"}};
  CHECK(read_host_settings(variable).settings.value("datastore-endpoint") ==
        "sqlite:///dev/shm/state.db");
}

TEST_CASE("what the Node says goes first; what it masks comes from the files") {
  const MapFiles files{{"/etc/rancher/k3s/config.yaml",
                        "node-name: old\ncluster-init: true\ntoken: abc\nlog: /l\n"}};
  const NodeArguments node{
      R"(["server","--cluster-init","true","--node-name","new","--token","********","-d","/data",)"
      R"("--kube-apiserver-arg","audit-policy-file=/a","--secrets-encryption"])",
      R"({"K3S_CONFIG_FILE":"/c","K3S_TOKEN":"********","K3S_DATA_DIR":"/never"})"};
  const HostSettings read = read_host_settings(files, node);
  CHECK(read.settings.value("node-name") == "new");
  CHECK(read.settings.of("node-name").front().origin == Origin::node);
  CHECK(read.settings.of("cluster-init").front().origin == Origin::node); // it read another file
  const HostSettings same = read_host_settings(files, {node.args, "{}"});
  CHECK(same.settings.of("cluster-init").front().origin == Origin::config);
  CHECK(same.settings.of("token").front().origin == Origin::config);
  CHECK(same.tokens.size() == 1);
  CHECK(same.settings.value("data-dir") == "/data");
  CHECK(same.settings.value("log") == "/l");
  CHECK(same.settings.is_on("secrets-encryption"));
  CHECK(same.settings.values("kube-apiserver-arg") == Values{"audit-policy-file=/a"});
}

TEST_CASE("the directory of its own programs, which k3s has in its environment, is not the data "
          "directory") {
  const std::string hash(64, 'a');
  const NodeArguments node{R"(["server"])",
                           R"({"K3S_DATA_DIR":"/var/lib/rancher/k3s/data/)" + hash + "\"}"};
  CHECK_FALSE(read_host_settings(MapFiles{}, node).settings.has("data-dir"));
}

TEST_CASE("annotations that are no list of a server say nothing") {
  for (const char* const args :
       {"", "{}", "[1,2]", "[\"agent\",\"--node-ip\",\"1\"]", "[\"--x\"", "null"}) {
    CHECK(settings_of_node({args, "[]"}).empty());
  }
}

TEST_CASE("a flag with its value apart, joined, repeated, short, alone") {
  const auto settings = settings_of_arguments({"-d",
                                               "/data",
                                               "--node-ip=1",
                                               "--disable",
                                               "traefik",
                                               "--disable=servicelb",
                                               "--cluster-init",
                                               "--kubelet-arg",
                                               "--v=2",
                                               "--write-kubeconfig",
                                               ""},
                                              Origin::command_line,
                                              "unit");
  ServerSettings all;
  for (const Setting& setting : settings) {
    all.add(setting);
  }
  CHECK(all.value("data-dir") == "/data");
  CHECK(all.values("disable") == Values{"traefik", "servicelb"});
  CHECK(all.is_on("cluster-init"));
  CHECK(all.values("kubelet-arg") == Values{"--v=2"});
  CHECK_FALSE(all.has("v"));
}
