// What starts a server: systemd and OpenRC, as they read their files.
#include "k3s/host_settings.hpp"
#include "k3s/service.hpp"
#include "k3s/systemd.hpp"
#include "support/map_files.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb::k3s;
using rb::test::MapFiles;

using Words = std::vector<std::string>;

namespace {

constexpr const char* k_unit = "/etc/systemd/system/k3s.service";

Words arguments_of(const std::string& exec_start) {
  const auto service = find_systemd_service(MapFiles{
      {k_unit,
       "[Service]\nEnvironment=\"OPTS=--a --b=1\" DIR=/d\nExecStart=" + exec_start + "\n"}});
  return service ? service->arguments : Words{"(none)"};
}

} // namespace

TEST_CASE("the unit as k3s's install script writes it") {
  const MapFiles files{{k_unit,
                        "[Service]\nEnvironmentFile=-/etc/default/%N\n"
                        "ExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--node-ip' \\\n"
                        "\t'10.0.0.5' \\\n\t'-d=/data' \\\n\n[Install]\nExecStart=/never\n"},
                       {"/etc/default/k3s", "K3S_NODE_NAME=one\n"}};
  const auto service = find_systemd_service(files);
  REQUIRE(service);
  CHECK(service->name == "k3s");
  CHECK(service->program == "/usr/local/bin/k3s");
  CHECK(service->arguments == Words{"--node-ip", "10.0.0.5", "-d=/data"});
  CHECK(service->environment == Variables{{"K3S_NODE_NAME", "one"}});
  CHECK(service->files == Words{k_unit, "/etc/default/k3s"});
}

TEST_CASE("an agent, another command and an empty unit start no server") {
  CHECK(arguments_of("/usr/local/bin/k3s agent --node-ip=1") == Words{"(none)"});
  CHECK(arguments_of("/usr/local/bin/k3s kubectl get server") == Words{"(none)"});
  CHECK(arguments_of("/usr/bin/other server") == Words{"(none)"});
  CHECK(arguments_of("") == Words{"(none)"});
}

TEST_CASE("drop-ins: an empty ExecStart= takes back, names order them, /etc hides /usr/lib") {
  const MapFiles files{
      {"/usr/lib/systemd/system/k3s.service", "[Service]\nExecStart=/k3s server --old\n"},
      {"/usr/lib/systemd/system/k3s.service.d/10-a.conf",
       "[Service]\nExecStart=\nExecStart=/k3s server --never\n"},
      {"/etc/systemd/system/k3s.service.d/10-a.conf",
       "[Service]\nExecStart=\nExecStart=/k3s server --new\n"},
      {"/run/systemd/system/k3s.service.d/20-b.conf", "[Service]\nEnvironment=A=1\n"},
      {"/etc/systemd/system/service.d/90-all.conf", "[Service]\nEnvironment=K3S_DEBUG=true A=2\n"},
      {"/etc/systemd/system/k3s.service.d/notes.txt", "[Service]\nEnvironment=A=3\n"}};
  const auto service = find_systemd_service(files);
  REQUIRE(service);
  CHECK(service->arguments == Words{"--new"});
  CHECK(service->place == "/etc/systemd/system/k3s.service.d/10-a.conf");
  CHECK(service->environment == Variables{{"A", "2"}, {"K3S_DEBUG", "true"}});
  CHECK(service->files.size() == 4);
}

TEST_CASE("a unit in /etc hides that in /usr/lib, and one of another name is found") {
  const MapFiles hidden{
      {"/etc/systemd/system/k3s.service", ""}, // masked
      {"/usr/lib/systemd/system/k3s.service", "[Service]\nExecStart=/k3s server\n"}};
  CHECK_FALSE(find_systemd_service(hidden));
  const MapFiles other{
      {"/etc/systemd/system/cluster.service",
       "[Service]\nExecStart=/nix/store/abc-k3s-1.34.1+k3s1/bin/k3s server --x\n"},
      {"/etc/systemd/system/ssh.service", "[Service]\nExecStart=/usr/sbin/sshd -D\n"}};
  const auto service = find_systemd_service(other);
  REQUIRE(service);
  CHECK(service->name == "cluster");
  CHECK(service->program == "/nix/store/abc-k3s-1.34.1+k3s1/bin/k3s");
  CHECK(service->arguments == Words{"--x"});
}

TEST_CASE("a unit that is masked starts nothing, whatever a package has laid down") {
  const rb::test::Scratch root;
  root.write("usr/lib/systemd/system/k3s.service", "[Service]\nExecStart=/k3s server --never\n");
  root.write("etc/systemd/system/cluster.service", "[Service]\nExecStart=/k3s server --a\n");
  std::filesystem::create_symlink("/dev/null", root.path("etc/systemd/system/k3s.service"));
  const auto service = find_systemd_service(DiskFiles(root.path()));
  REQUIRE(service);
  CHECK(service->name == "cluster");
  CHECK(service->arguments == Words{"--a"});
}

TEST_CASE("variables in the command line, prefixes, quotes, comments between its lines") {
  CHECK(arguments_of("/k3s server $OPTS --data-dir=${DIR}/x --keep=$DIR") ==
        Words{"--a", "--b=1", "--data-dir=/d/x", "--keep=$DIR"});
  CHECK(arguments_of("-+/k3s server \"--tls-san=a b\" --c='d\\x'") ==
        Words{"--tls-san=a b", "--c=d\\x"});
  CHECK(arguments_of(":/k3s server $OPTS") == Words{"$OPTS"});
  CHECK(arguments_of("@/k3s k3s server --a") == Words{"--a"});
  CHECK(arguments_of("/k3s server \\\n# a comment\n  --a \\\n; another\n --b") ==
        Words{"--a", "--b"});
  CHECK(arguments_of("/usr/bin/nice -n 5 /usr/local/bin/k3s --debug server --a") ==
        Words{"--debug", "--a"});
}

TEST_CASE("specifiers of the host, and what they leave alone where it is not known") {
  const std::string unit =
      "[Service]\nExecStart=/k3s server --node-name=%H -l=%L/k3s.log --x=%l%%\n";
  const auto named = find_systemd_service(MapFiles{{k_unit, unit}, {"/etc/hostname", "n1.lan\n"}});
  REQUIRE(named);
  CHECK(named->arguments == Words{"--node-name=n1.lan", "-l=/var/log/k3s.log", "--x=n1%"});
  const auto unnamed = find_systemd_service(MapFiles{{k_unit, unit}});
  REQUIRE(unnamed);
  CHECK(unnamed->arguments.front() == "--node-name=%H");
}

TEST_CASE("an instance of a template: its link, its drop-ins, what its name fills in") {
  const std::string link = "/etc/systemd/system/multi-user.target.wants/k3s@server.service";
  const std::string text =
      "[Service]\nEnvironmentFile=-/etc/default/%p-%i\nExecStart=/usr/local/bin/k3s %i "
      "--config /etc/rancher/k3s/%i.yaml\n";
  const MapFiles files{
      {"/etc/systemd/system/k3s@.service", text},
      {"/etc/systemd/system/k3s@.service.d/10.conf", "[Service]\nEnvironment=A=template\n"},
      {"/etc/systemd/system/k3s@server.service.d/20.conf", "[Service]\nEnvironment=A=%i\n"},
      {"/etc/systemd/system/k3s@agent.service.d/20.conf", "[Service]\nEnvironment=A=never\n"},
      {"/etc/systemd/system/multi-user.target.wants/k3s@agent.service", text},
      {link, text},
      {"/etc/default/k3s-server", "K3S_NODE_NAME=one\n"},
      {"/etc/rancher/k3s/server.yaml", "data-dir: /srv/k3s\n"},
      {"/etc/rancher/k3s/config.yaml", "data-dir: /never\n"}};
  const auto service = find_systemd_service(files);
  REQUIRE(service);
  CHECK(service->name == "k3s@server");
  CHECK(service->link == link);
  CHECK(service->arguments == Words{"--config", "/etc/rancher/k3s/server.yaml"});
  CHECK(service->environment == Variables{{"A", "server"}, {"K3S_NODE_NAME", "one"}});
  CHECK(service->files == Words{"/etc/systemd/system/k3s@.service",
                                "/etc/systemd/system/k3s@.service.d/10.conf",
                                "/etc/systemd/system/k3s@server.service.d/20.conf",
                                "/etc/default/k3s-server"});
  const HostSettings read = read_host_settings(files);
  CHECK(read.systemd_unit == "k3s@server");
  CHECK(read.unit_link == link);
  CHECK(read.unit_template.empty());
  CHECK(read.settings.value("data-dir") == "/srv/k3s");
}

TEST_CASE(
    "an instance that only its drop-ins name, one with a file of its own, one that is masked") {
  const std::string unit = "[Service]\nExecStart=/k3s server --log %I --x=%P:%j:%f\n";
  const auto by_drop_in = find_systemd_service(
      MapFiles{{"/etc/systemd/system/k3s-main@.service", unit},
               {"/etc/systemd/system/k3s-main@var-k3s\\x2d1.service.d/a.conf", "[Service]\n"}});
  REQUIRE(by_drop_in);
  CHECK(by_drop_in->name == "k3s-main@var-k3s\\x2d1");
  CHECK(by_drop_in->link.empty());
  CHECK(by_drop_in->arguments == Words{"--log", "var/k3s-1", "--x=k3s/main:main:/var/k3s-1"});
  const auto own = find_systemd_service(MapFiles{
      {"/etc/systemd/system/k3s@.service", "[Service]\nExecStart=/k3s server --never\n"},
      {"/usr/lib/systemd/system/k3s@a.service", "[Service]\nExecStart=/k3s server --a\n"}});
  REQUIRE(own);
  CHECK(own->name == "k3s@a");
  CHECK(own->arguments == Words{"--a"});
  const rb::test::Scratch root;
  root.write("etc/systemd/system/k3s@.service", unit);
  root.write("etc/systemd/system/multi-user.target.wants/.keep", "");
  std::filesystem::create_symlink(
      "/dev/null", root.path("etc/systemd/system/multi-user.target.wants/k3s@a.service"));
  CHECK(find_systemd_service(DiskFiles(root.path()))->name == "k3s@a");
  std::filesystem::create_symlink("/dev/null", root.path("etc/systemd/system/k3s@a.service"));
  CHECK_FALSE(find_systemd_service(DiskFiles(root.path())));
}

TEST_CASE("a template of which no instance is enabled starts nothing, and is named") {
  for (const char* const command : {"/k3s server --config /etc/rancher/k3s/%i.yaml", "/k3s %i"}) {
    const MapFiles files{
        {"/etc/systemd/system/k3s@.service", "[Service]\nExecStart=" + std::string(command) + "\n"},
        {"/etc/rancher/k3s/config.yaml", "node-name: one\n"}};
    CHECK_FALSE(find_systemd_service(files));
    const HostSettings read = read_host_settings(files);
    CHECK(read.systemd_unit.empty());
    CHECK(read.unit_template == "k3s@");
    CHECK(read.program.empty());
    CHECK(read.settings.value("node-name") == "one");
    CHECK(read.files == Words{"/etc/systemd/system/k3s@.service", "/etc/rancher/k3s/config.yaml"});
  }
  const MapFiles agent{{"/etc/systemd/system/k3s@.service", "[Service]\nExecStart=/k3s agent\n"}};
  CHECK(read_host_settings(agent).unit_template.empty());
}

TEST_CASE("a credential is the file that it is made of") {
  for (const char* const place : {"%d", "${CREDENTIALS_DIRECTORY}"}) {
    const auto service = find_systemd_service(
        MapFiles{{k_unit,
                  "[Service]\nLoadCredential=token:/etc/k3s/token\nLoadCredential=other\n"
                  "Environment=K3S_AGENT_TOKEN_FILE=%d/token\nExecStart=/k3s server --token-file=" +
                      std::string(place) + "/token\n"}});
    REQUIRE(service);
    CHECK(service->arguments == Words{"--token-file=/etc/k3s/token"});
    CHECK(service->environment.at("K3S_AGENT_TOKEN_FILE") == "/etc/k3s/token");
  }
}

TEST_CASE("a shell in between: sh -c, exec, env, a script of its own") {
  CHECK(arguments_of("/bin/sh -c 'exec /usr/local/bin/k3s server --a ${OPTS} >>/log 2>&1'") ==
        Words{"--a", "--a", "--b=1"});
  CHECK(arguments_of("/bin/bash -ec 'sleep 1; K3S_NODE_NAME=n k3s server --d=\"$$DIR\" && true'") ==
        Words{"--d=/d"});
  const MapFiles script{
      {k_unit, "[Service]\nExecStart=/opt/start-k3s --b\n"},
      {"/opt/start-k3s",
       "#!/bin/sh\n# starts k3s agent\nset -a\n. /etc/k3s.env\nset +a\nIP=10.0.0.1\n"
       "if [ -n \"$X\" ]; then\n  ARGS=\"--x\"\nfi\nexec /usr/local/bin/k3s server --node-ip=$IP "
       "\"$@\"\n"},
      {"/etc/k3s.env", "K3S_DATA_DIR=/data\n"}};
  const auto service = find_systemd_service(script);
  REQUIRE(service);
  CHECK(service->arguments == Words{"--node-ip=10.0.0.1", "--b"});
  CHECK(service->environment == Variables{{"K3S_DATA_DIR", "/data"}});
  CHECK(service->files == Words{k_unit, "/opt/start-k3s", "/etc/k3s.env"});
  const auto env = find_systemd_service(
      MapFiles{{k_unit, "[Service]\nExecStart=/usr/bin/env K3S_DATA_DIR=/data k3s server\n"}});
  REQUIRE(env);
  CHECK(env->environment.at("K3S_DATA_DIR") == "/data");
}

TEST_CASE("a script of bash that keeps the arguments in a list") {
  const auto arguments = [](const std::string& script) {
    const auto service = find_systemd_service(
        MapFiles{{k_unit, "[Service]\nExecStart=/opt/start-k3s --b\n"},
                 {"/opt/start-k3s", "#!/bin/bash\nset -euo pipefail\n" + script + "\n"}});
    return service ? service->arguments : Words{"(none)"};
  };
  CHECK(arguments("args=(\n  server  # no agent\n  --data-dir \"/srv/my k3s\"\n)\n"
                  "args+=(--tls-san=a)\nexec k3s \"${args[@]}\" \"$@\"") ==
        Words{"--data-dir", "/srv/my k3s", "--tls-san=a", "--b"});
  CHECK(arguments("local -a args=(--x --y)\nk3s server ${args[@]}") == Words{"--x", "--y"});
  CHECK(arguments("a=(--x)\na=(\"${a[@]}\" --y)\nk3s server \"${a[@]}\"") == Words{"--x", "--y"});
  std::string growing = "A=(aaaaaaaa)\n";
  for (int i = 0; i < 100; ++i) {
    growing += "A+=(\"${A[@]}\" \"${A[@]}${A[@]}\")\n";
  }
  Shell shell;
  static_cast<void>(read_shell(growing + "k3s \"${A[@]}\"", shell));
  CHECK(shell.lists.at("A").size() < (std::size_t{1} << 18U));
}

TEST_CASE("what starts k3s may be given its name, and options between it and its command") {
  const Words a{"--a"};
  CHECK(arguments_of("/usr/bin/systemd-cat -t k3s /usr/local/bin/k3s server --a") == a);
  CHECK(arguments_of("/usr/bin/flock -n /run/lock/k3s /usr/local/bin/k3s server --a") == a);
  CHECK(arguments_of("/usr/sbin/ip netns exec k3s /usr/local/bin/k3s server --a") == a);
  CHECK(arguments_of("/opt/bin/k3s-arm64 server --a") == a);
  CHECK(arguments_of("/usr/bin/ionice -c 2 -n 0 /bin/sh -c 'k3s server --a'") == a);
  CHECK(arguments_of("/usr/local/bin/k3s kubectl exec pod -- server --a") == Words{"(none)"});
  CHECK(arguments_of("/usr/local/bin/k3s kubectl uncordon k3s-server") == Words{"(none)"});
  const auto script = [](const std::string& start) {
    return find_openrc_service(
        MapFiles{{"/etc/init.d/k3s", "#!/bin/sh\nK3S=/usr/local/bin/k3s\n" + start + "\n"}});
  };
  for (const char* const start :
       {"start-stop-daemon -S --name k3s --pidfile /run/k3s.pid --exec $K3S -- server --a",
        "start-stop-daemon -S --exec $K3S --chdir /srv/k3s --pidfile /run/k3s.pid -- server --a",
        "supervise-daemon k3s --start --stdout /var/log/k3s.log $K3S -- server --a"}) {
    const auto service = script(start);
    REQUIRE(service);
    CHECK(service->program == "/usr/local/bin/k3s");
    CHECK(service->arguments == a);
  }
  CHECK_FALSE(script("start-stop-daemon -S --name k3s --exec $K3S -- agent --a"));
}

TEST_CASE("the k3s that is started, where the service names it by its path") {
  CHECK(server_program({"/usr/bin/nice", "/opt/k3s-v1.34.4/k3s", "server"}) ==
        "/opt/k3s-v1.34.4/k3s");
  CHECK(server_program({"k3s", "server"}).empty());
  CHECK(server_program({"/data/0a1b/bin/k3s-server"}).empty());
  CHECK(server_program({}).empty());
  const MapFiles files{{k_unit, "[Service]\nExecStart=/bin/sh -c 'exec /opt/bin/k3s server'\n"}};
  CHECK(read_host_settings(files).program == "/opt/bin/k3s");
}

TEST_CASE("an environment file: quotes, comments, continued lines, blanks") {
  const Variables read =
      environment_of_file("# K3S_A=1\n;K3S_B=2\n\nK3S_C='a b'  \nK3S_D=\"x\\\"y\"\n"
                          " K3S_E = one \\\n two\nK3S_F=a#b\nno line\n"
                          "export K3S_G=g\r\nK3S_H=\"two\nlines\"\nK3S_I=\n"
                          "declare -x K3S_J=\"j\"\nK3S_K=k\r\n");
  CHECK(read == Variables{{"K3S_C", "a b"},
                          {"K3S_D", "x\"y"},
                          {"K3S_E", "one  two"},
                          {"K3S_F", "a#b"},
                          {"K3S_H", "two\nlines"},
                          {"K3S_I", ""},
                          {"K3S_K", "k"}});
}

TEST_CASE("an environment file: a quote within a value is a character of it") {
  const Variables read = environment_of_file("K3S_TOKEN=it's\nK3S_DATA_DIR=/d\n"
                                             "ARGS=--node-label=\"a=b\" --x='c d'\n"
                                             "BOTH=  'a '\"b\"  c\r\n");
  CHECK(read == Variables{{"K3S_TOKEN", "it's"},
                          {"K3S_DATA_DIR", "/d"},
                          {"ARGS", "--node-label=\"a=b\" --x='c d'"},
                          {"BOTH", "a bc"}});
  const auto service = find_systemd_service(
      MapFiles{{k_unit, "[Service]\nEnvironmentFile=/e\nExecStart=/k3s server $ARGS\n"},
               {"/e", "ARGS=--node-label=\"a=b\" --x='c d'\n"}});
  REQUIRE(service);
  CHECK(service->arguments == Words{"--node-label=a=b", "--x=c d"});
}

TEST_CASE("files of the environment go before Environment=, and a pattern names several") {
  const auto service = find_systemd_service(
      MapFiles{{k_unit,
                "[Service]\nEnvironmentFile=/etc/k3s.d/*.env\nEnvironment=A=unit B=unit C=unit\n"
                "UnsetEnvironment=C\nExecStart=/k3s server\n"},
               {"/etc/k3s.d/10.env", "A=10\n"},
               {"/etc/k3s.d/20.env", "A=20\n"},
               {"/etc/k3s.d/30.txt", "A=30\n"}});
  REQUIRE(service);
  CHECK(service->environment == Variables{{"A", "20"}, {"B", "unit"}});
  CHECK(service->variable_places.at("A") == "/etc/k3s.d/20.env");
}

TEST_CASE("OpenRC: k3s's own script with its environment file") {
  const MapFiles files{{"/etc/init.d/k3s",
                        "#!/sbin/openrc-run\ndepend() {\n    after network-online\n}\n"
                        "command=\"/usr/local/bin/k3s\"\ncommand_args=\"server \\\n"
                        "    '--node-name' 'one two' \\\n    >>/var/log/k3s.log 2>&1\"\n"
                        "set -o allexport\nif [ -f /etc/rancher/k3s/k3s.env ]; then sourcex "
                        "/etc/rancher/k3s/k3s.env; fi\nset +o allexport\n"},
                       {"/etc/rancher/k3s/k3s.env", "K3S_DATA_DIR=/d\n"}};
  const auto service = find_openrc_service(files);
  REQUIRE(service);
  CHECK(service->arguments == Words{"--node-name", "one two"});
  CHECK(service->environment == Variables{{"K3S_DATA_DIR", "/d"}});
}

TEST_CASE("OpenRC: the arguments stand in conf.d, over several lines and with defaults") {
  const MapFiles files{
      {"/etc/init.d/k3s",
       "#!/sbin/openrc-run\nsupervisor=supervise-daemon\nname=\"k3s\"\n"
       "command=\"${K3S_BIN:-/usr/bin/k3s}\"\ncommand_args=\"${K3S_EXEC:-server} $K3S_OPTS\"\n"
       "supervise_daemon_args=\"--env K3S_DEBUG=true\"\n"},
      {"/etc/conf.d/k3s",
       "# K3S_OPTS=\"--never\"\nK3S_OPTS=\"--cluster-init \\\n --node-ip 1\n--tls-san=a\"\n"
       "K3S_OPTS=\"$K3S_OPTS --b\"\nexport K3S_NODE_NAME=n\nK3S_X=y\n"}};
  const auto service = find_openrc_service(files);
  REQUIRE(service);
  CHECK(service->program == "/usr/bin/k3s");
  CHECK(service->arguments == Words{"--cluster-init", "--node-ip", "1", "--tls-san=a", "--b"});
  CHECK(service->environment == Variables{{"K3S_DEBUG", "true"}, {"K3S_NODE_NAME", "n"}});
  CHECK(service->files == Words{"/etc/init.d/k3s", "/etc/conf.d/k3s"});
}

TEST_CASE("OpenRC: a start function of its own, and a script that starts an agent") {
  const MapFiles own{{"/etc/init.d/k3s-main",
                      "#!/sbin/openrc-run\nstart() {\n  start-stop-daemon --start --exec "
                      "/usr/bin/k3s -- server --a\n}\n"}};
  const auto service = find_openrc_service(own);
  REQUIRE(service);
  CHECK(service->name == "k3s-main");
  CHECK(service->arguments == Words{"--a"});
  CHECK_FALSE(find_openrc_service(MapFiles{
      {"/etc/init.d/k3s", "#!/sbin/openrc-run\ncommand=/usr/bin/k3s\ncommand_args=\"agent\"\n"}}));
}

TEST_CASE("runit: the run script, with what it sources from its own directory") {
  const std::string own = "/etc/sv/k3s/";
  const MapFiles files{{own + "run",
                        "#!/bin/sh\nexec 2>&1\n[ -r ./conf ] && . ./conf\necho 'k3s starting.'\n"
                        "LANG=C LC_ALL=C \\\nexec /usr/bin/k3s server $OPTS 2>&1\n"},
                       {own + "conf", "OPTS='--flannel-iface=edgevpn0 --node-name v1'\n"},
                       {"/etc/sv/agetty/run", "#!/bin/sh\nexec agetty tty1\n"}};
  const auto service = find_runit_service(files);
  REQUIRE(service);
  CHECK(service->name == "k3s");
  CHECK(service->program == "/usr/bin/k3s");
  CHECK(service->arguments == Words{"--flannel-iface=edgevpn0", "--node-name", "v1"});
  CHECK(service->files == Words{own + "run", own + "conf"});
  const HostSettings read = read_host_settings(files);
  CHECK(read.settings.value("flannel-iface") == "edgevpn0");
  CHECK(read.program == "/usr/bin/k3s");
  CHECK(read.files == service->files);
  const MapFiles agent{{"/etc/runit/sv/k3s/run", "#!/bin/sh\nexec k3s agent\n"}};
  CHECK_FALSE(find_runit_service(agent));
}

TEST_CASE("a script that grows without end is cut off") {
  std::string script = "#!/bin/sh\nA=aaaaaaaaaaaaaaaa\n";
  for (int i = 0; i < 1000; ++i) {
    script += "A=\"$A$A\"\nB=$A$A$A\necho $A\n";
  }
  Shell shell;
  static_cast<void>(read_shell(script, shell));
  CHECK(shell.variables.at("A").size() <= (std::size_t{64} << 10U));
  Shell circle;
  int sourced = 0;
  circle.source = [&](const std::string& path) {
    ++sourced;
    return std::optional("A=1\n. " + path + "\n. " + path + "\n. " + path + "\n. " + path + "\n");
  };
  static_cast<void>(read_shell(". a\n. b\n. c\n. d\n", circle));
  CHECK(sourced < 40000);
  for (const char* const odd :
       {"${", "$", "${A", "\"", "'", "\\", "$(", "`", "A=${A:-${A:-${A:-", ">", "2>"}) {
    static_cast<void>(read_shell(odd, shell));
  }
}
