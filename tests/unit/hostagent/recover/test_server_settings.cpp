#include "recover/server_settings.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::recover;

using Values = std::vector<std::string>;

TEST_CASE("later files override, key+ appends") {
  Flags flags;
  REQUIRE(merge_config(flags, "node-name: one\netcd-arg: [a=1]\n", "config.yaml"));
  REQUIRE(merge_config(flags, "node-name: two\netcd-arg+: [b=2]\n", "10.yaml"));
  CHECK(flags["node-name"] == Values{"two"});
  CHECK(flags["etcd-arg"] == Values{"a=1", "b=2"});
}

TEST_CASE("a file that is not a mapping is said by its name, without its content") {
  Flags flags;
  for (const char* const text : {"- a\n", "token: [secret\n", "secret\n"}) {
    const Status merged = merge_config(flags, text, "/etc/rancher/k3s/config.yaml");
    REQUIRE_FALSE(merged);
    CHECK(merged.error().code == ErrorCode::corrupt);
    CHECK(merged.error().message.find("config.yaml") != std::string::npos);
    CHECK(merged.error().message.find("secret") == std::string::npos);
  }
  CHECK(merge_config(flags, "", "empty.yaml"));
}

TEST_CASE("the unit as k3s's install script writes it") {
  const std::string unit = "[Service]\nEnvironmentFile=-/etc/default/%N\n"
                           "ExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--node-ip' \\\n"
                           "\t'10.0.0.5' \\\n\t'--secrets-encryption' \\\n\t'-d=/data' \\\n"
                           "\t'--etcd-arg=a=1' \\\n\t'--etcd-arg=b=2'\n[Install]\n";
  CHECK(starts_server(unit));
  const Flags flags = flags_of_unit(unit);
  CHECK(flags == Flags{{"node-ip", {"10.0.0.5"}},
                       {"secrets-encryption", {""}},
                       {"data-dir", {"/data"}},
                       {"etcd-arg", {"a=1", "b=2"}}});
  CHECK_FALSE(starts_server("[Service]\nExecStart=/usr/local/bin/k3s agent\n"));
  CHECK(flags_of_unit("[Service]\nExecStart=/usr/local/bin/k3s agent --node-ip=1\n").empty());
  CHECK(flags_of_unit("").empty());
}

TEST_CASE("the script of OpenRC") {
  const std::string script = "#!/sbin/openrc-run\ncommand=\"/usr/local/bin/k3s\"\n"
                             "command_args=\"server \\\n    '--node-name' 'one' \\\n"
                             "    >>/var/log/k3s.log 2>&1\"\n";
  CHECK(starts_server(script));
  CHECK(flags_of_unit(script) == Flags{{"node-name", {"one"}}});
}

TEST_CASE("variables of the environment file stand for flags, behind those of the unit") {
  Flags flags{{"node-name", {"unit"}}};
  add_environment(flags, "A=1\nK3S_URL='https://x:6443'\nK3S_NODE_NAME=env\nK3S_DATA_DIR=/d\n");
  CHECK(flags ==
        Flags{{"node-name", {"unit"}}, {"server", {"https://x:6443"}}, {"data-dir", {"/d"}}});
}

TEST_CASE("the unit's value goes before that of the configuration; false is off") {
  ServerSettings settings;
  settings.config = {{"node-name", {"config"}}, {"secrets-encryption", {"false"}}};
  settings.unit = {{"node-name", {"unit"}}};
  CHECK(settings.value("node-name") == "unit");
  CHECK_FALSE(settings.is_on("secrets-encryption"));
  settings.unit["secrets-encryption"] = {""};
  CHECK(settings.is_on("secrets-encryption"));
  CHECK_FALSE(settings.is_on("etcd-s3"));
}
