// Holds: the commands of the guide are whole, and speak of the other servers.
#include "restore/cluster/plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb::cluster;

namespace {

GuideInput input_for(bool bare) {
  GuideInput input;
  input.run_id = "20260101T000000Z";
  input.backup_dir = "/opt/backup";
  input.identity_file = "/root/my keys.txt";
  input.stop_command = "systemctl stop k3s";
  input.start_command = "systemctl start k3s";
  input.plan.data_dir = "/data/k3s";
  input.plan.k3s_program = "/usr/local/bin/k3s";
  input.plan.bare = bare;
  return input;
}

std::size_t line_of(const std::vector<std::string>& lines, const std::string& words) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.find(words) != std::string::npos;
  });
  return static_cast<std::size_t>(found - lines.begin());
}

} // namespace

TEST_CASE("by hand: what other servers need stands before the server is stopped") {
  for (const bool bare : {false, true}) {
    const auto lines = commands_by_hand(input_for(bare));
    const std::size_t others = line_of(lines, "more than one server");
    REQUIRE(others < lines.size());
    CHECK(lines[others].starts_with('#'));
    CHECK(lines[others].find("/data/k3s/server/db/etcd aside") != std::string::npos);
    CHECK(others < line_of(lines, "systemctl stop k3s"));
    CHECK(line_of(lines, "systemctl stop k3s") < line_of(lines, "--cluster-reset-restore-path="));
  }
}

TEST_CASE("by hand: kubectl uses the programs that k3s has unpacked already") {
  GuideInput input = input_for(false);
  const auto lines = commands_by_hand(input);
  CHECK(line_of(lines, "K3S_DATA_DIR=/data/k3s /usr/local/bin/k3s kubectl get nodes") <
        lines.size());
  input.plan.data_dir = rb::k3s::k_usual_data_dir;
  CHECK(line_of(commands_by_hand(input), "K3S_DATA_DIR") == commands_by_hand(input).size());
}

TEST_CASE("by hand: only a bare host needs the token, which is passed in the environment") {
  const auto bare = commands_by_hand(input_for(true));
  CHECK(bare[line_of(bare, "--cluster-reset-restore-path=")].starts_with(
      "K3S_TOKEN=\"$(cat /data/k3s"));
  CHECK(line_of(commands_by_hand(input_for(false)), "K3S_TOKEN") ==
        commands_by_hand(input_for(false)).size());
}

TEST_CASE("by hand: what is made is as k3s makes it, and nobody reads what is decrypted") {
  const auto bare = commands_by_hand(input_for(true));
  CHECK(bare[0] == "(umask 022; mkdir -p /data/k3s) && umask 077 && mkdir -p "
                   "/data/k3s/railiance-restore /data/k3s/server");
  CHECK(bare[line_of(bare, "tar xzp")].find("| (umask 022; tar xzp -C / ") != std::string::npos);
  CHECK(bare[line_of(bare, "tar xzp")].ends_with(")"));
  CHECK(line_of(bare, "age -d -i '/root/my keys.txt' -o ") < line_of(bare, "--cluster-reset"));
  std::size_t own = 0; // back to the usual one before k3s unpacks its programs
  while (own < bare.size() && bare[own] != "umask 022") {
    ++own;
  }
  CHECK(own < line_of(bare, "--cluster-reset-restore-path="));
  CHECK(commands_by_hand(input_for(false))[0].ends_with("mkdir -p /data/k3s/railiance-restore"));
}

TEST_CASE(
    "by hand: a unit that was put back is the one that is started, and at the next boot, too") {
  const auto bare = commands_by_hand(input_for(true));
  CHECK(line_of(bare, "systemctl daemon-reload && systemctl enable k3s") + 1 ==
        line_of(bare, "systemctl start k3s"));
  const auto in_place = commands_by_hand(input_for(false));
  CHECK(line_of(in_place, "daemon-reload") == in_place.size());
  GuideInput openrc = input_for(true);
  openrc.start_command = "rc-service k3s start";
  CHECK(line_of(commands_by_hand(openrc), "systemctl enable") == commands_by_hand(openrc).size());
}

TEST_CASE("by hand on a bare host: what it has of its own stays, as with our command") {
  ObservedHost host;
  host.data_dir = "/data/k3s";
  host.named = {{"/etc/resolv.conf", "resolv-conf", false, true, true},
                {"/etc/k3s audit.yaml", "audit-policy-file", true, true, true},
                {"/etc/only-in-the-set", "oidc-ca-file", true, false, true},
                {"/usr/share/x", "config", false, false, false},
                {"/etc/rancher/k3s/registries.yaml", "private-registry", false, true, true},
                {"/data/k3s/server/manifests/x.yaml", "x", false, true, true}};
  GuideInput input = input_for(true);
  input.stays = stays_by_hand(host);
  CHECK(input.stays ==
        std::vector<std::string>{"/etc/resolv.conf", "/etc/k3s audit.yaml", "/usr/share/x"});
  const auto lines = commands_by_hand(input);
  CHECK(lines[line_of(lines, "tar xzp -C / ")].find(
            " --exclude=etc/resolv.conf --exclude='etc/k3s audit.yaml' --exclude=usr/share/x)") !=
        std::string::npos);
}

TEST_CASE("words with spaces are quoted") {
  CHECK(our_commands(input_for(false))[1].find("-i '/root/my keys.txt'") != std::string::npos);
}
