// What the pre-flight says of addresses and interfaces that are another host's.
#include "facts.hpp"
#include "restore/cluster/checks.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;
using test::find_check;
using test::good_host;
using test::good_set;

namespace {

/// A new machine with one address; nothing of a k3s server is on it.
ObservedHost bare_host() {
  ObservedHost host = good_host();
  host.data = {};
  host.data.free_bytes = std::uint64_t{8} << 30U;
  host.service = k3s::ServiceState::inactive;
  host.servers.clear();
  host.network.interfaces = {{"lo", {"127.0.0.1", "::1"}}, {"eth0", {"198.51.100.7", "fe80::1"}}};
  return host;
}

SetFacts set_with(std::initializer_list<std::pair<const char*, const char*>> settings) {
  SetFacts set = good_set();
  for (const auto& [flag, value] : settings) {
    set.settings.add({flag, value, k3s::Origin::config, "/etc/rancher/k3s/config.yaml"});
  }
  return set;
}

Wishes keeping(ReplacementKind kind, const char* what) {
  Wishes wishes;
  wishes.replacements = {{kind, what, what}};
  return wishes;
}

bool holds(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("u10: the settings of another machine are named, with what rewrites them") {
  const SetFacts set = set_with({{"node-ip", "192.0.2.10"},
                                 {"advertise-address", "192.0.2.10"},
                                 {"flannel-iface", "enp7s0"}});
  const Decision decision = decide(bare_host(), set, {});
  CHECK(decision.refused());
  const Check* const address = find_check(decision, "node-ip");
  REQUIRE(address != nullptr);
  CHECK(address->verdict == Verdict::refuse);
  CHECK(address->message ==
        "node-ip 192.0.2.10 (/etc/rancher/k3s/config.yaml): no interface of this "
        "host has that address: etcd could not listen there");
  CHECK(holds(address->hint, "--set-address 192.0.2.10=198.51.100.7 rewrites it"));
  CHECK(holds(address->hint, "(this host has eth0 198.51.100.7)"));
  CHECK(holds(address->hint, "--keep-config"));
  const Check* const interface = find_check(decision, "flannel-iface");
  REQUIRE(interface != nullptr);
  CHECK(interface->verdict == Verdict::refuse);
  CHECK(holds(interface->hint, "--set-interface enp7s0=eth0 rewrites it"));
  const Check* const advertised = find_check(decision, "advertise-address");
  REQUIRE(advertised != nullptr);
  CHECK(advertised->verdict == Verdict::warn); // a load balancer may have it
}

TEST_CASE(
    "where something listens, the address must be there; where it is told, it may be another's") {
  const std::vector<std::tuple<const char*, const char*, const char*, Verdict>> cases{
      {"bind-address", "192.0.2.10", "bind-address", Verdict::refuse},
      {"node-ip", "198.51.100.7,2001:db8::1", "node-ip", Verdict::refuse},
      {"node-external-ip", "192.0.2.10", "node-external-ip", Verdict::warn},
      {"tls-san", "192.0.2.10", "tls-san", Verdict::warn},
      {"etcd-arg",
       "listen-peer-urls=https://127.0.0.1:2380,https://192.0.2.10:2380",
       "etcd-arg listen-peer-urls",
       Verdict::refuse},
      {"etcd-arg",
       "--listen-metrics-urls=http://[2001:db8::1]:2381",
       "etcd-arg listen-metrics-urls",
       Verdict::refuse},
      {"kubelet-arg", "address=192.0.2.10", "kubelet-arg address", Verdict::refuse},
  };
  for (const auto& [flag, value, name, verdict] : cases) {
    CAPTURE(flag);
    const Decision decision = decide(bare_host(), set_with({{flag, value}}), {});
    const Check* const check = find_check(decision, name);
    REQUIRE(check != nullptr);
    CHECK(check->verdict == verdict);
    CHECK_FALSE(check->hint.empty());
  }
}

TEST_CASE("what every host has, what this one has, and names are fine") {
  const Decision decision = decide(bare_host(),
                                   set_with({{"node-ip", "198.51.100.7"},
                                             {"bind-address", "0.0.0.0"},
                                             {"flannel-iface", "eth0"},
                                             {"tls-san", "api.example.com"},
                                             {"etcd-arg", "listen-metrics-urls=http://127.0.0.1:1"},
                                             {"kube-apiserver-arg", "audit-log-path=/a/b"}}),
                                   {});
  CHECK_FALSE(decision.refused());
  for (const Check& check : decision.checks) {
    CAPTURE(check.message);
    CHECK(check.verdict == Verdict::ok);
  }
}

TEST_CASE("of several addresses of this host the operator chooses") {
  ObservedHost host = bare_host();
  host.network.interfaces.push_back({"eth1", {"203.0.113.9"}});
  const Decision decision = decide(host, set_with({{"node-ip", "192.0.2.10"}}), {});
  const Check* const check = find_check(decision, "node-ip");
  REQUIRE(check != nullptr);
  CHECK(holds(check->hint, "--set-address 192.0.2.10=NEW"));
  CHECK(holds(check->hint, "eth0 198.51.100.7, eth1 203.0.113.9"));
}

TEST_CASE("OLD=OLD is the operator's word that it is right: the address comes later") {
  CHECK_FALSE(decide(bare_host(),
                     set_with({{"node-ip", "192.0.2.10"}}),
                     keeping(ReplacementKind::address, "192.0.2.10"))
                  .refused());
  CHECK_FALSE(decide(bare_host(),
                     set_with({{"flannel-iface", "wg0"}}),
                     keeping(ReplacementKind::interface, "wg0"))
                  .refused());
}

TEST_CASE("a host that keeps its configuration is compared by that one") {
  ObservedHost host = good_host();
  host.network = bare_host().network;
  host.settings.add("tls-san", "192.0.2.10"); // it ran with it
  const SetFacts set = set_with({{"node-ip", "192.0.2.10"}});
  CHECK_FALSE(decide(host, set, {}).refused());
  host.settings.add("node-ip", "192.0.2.10");
  const Decision decision = decide(host, set, {});
  const Check* const check = find_check(decision, "node-ip");
  REQUIRE(check != nullptr);
  CHECK(check->verdict == Verdict::refuse);
  CHECK(holds(check->hint, "change it in the configuration of this host"));
  CHECK(find_check(decision, "tls-san") == nullptr);
}

TEST_CASE("--keep-config: the settings of this host count, also on a bare one") {
  Wishes wishes;
  wishes.keep_config = true;
  ObservedHost host = bare_host();
  host.settings.add("node-ip", "198.51.100.7", k3s::Origin::command_line);
  const Decision decision = decide(host, set_with({{"node-ip", "192.0.2.10"}}), wishes);
  CHECK_FALSE(decision.refused());
  CHECK(decision.plan.bare);
  CHECK(decision.plan.keep_config);
  CHECK(decision.plan.carried == std::vector<std::string>{"--node-ip=198.51.100.7"});
  const auto steps = describe(decision.plan);
  CHECK(std::ranges::any_of(steps, [](const std::string& line) {
    return line.ends_with("; the configuration of this host stays");
  }));
  // Secrets that were encrypted are not readable without that setting.
  SetFacts encrypted = set_with({{"secrets-encryption", "true"}});
  CHECK(find_check(decide(host, encrypted, wishes), "secrets-encryption") != nullptr);
}

TEST_CASE("what was rewritten is said, with file and lines; what was found nowhere is refused") {
  Wishes wishes;
  wishes.replacements = {{ReplacementKind::address, "192.0.2.10", "198.51.100.7"}};
  SetFacts set = set_with({{"node-ip", "198.51.100.7"}});
  set.rewritten = {{0, "/etc/rancher/k3s/config.yaml", {1, 2}}};
  const Decision decision = decide(bare_host(), set, wishes);
  CHECK_FALSE(decision.refused());
  CHECK(std::ranges::any_of(decision.checks, [](const Check& check) {
    return check.message == "192.0.2.10 becomes 198.51.100.7 in what is put back: "
                            "/etc/rancher/k3s/config.yaml lines 1, 2";
  }));
  CHECK(decision.plan.replacements == wishes.replacements);
  set.rewritten.clear();
  CHECK(find_check(decide(bare_host(), set, wishes), "replacement")->verdict == Verdict::refuse);
}

TEST_CASE("an address that only the Node told of is rewritten for the reset, and that is said") {
  Wishes wishes;
  wishes.replacements = {{ReplacementKind::address, "192.0.2.10", "198.51.100.7"}};
  SetFacts set = set_with({});
  set.settings.add("node-ip", "198.51.100.7", k3s::Origin::node);
  set.rewritten = {{0, std::string(k_node_words), {}}};
  const Decision decision = decide(bare_host(), set, wishes);
  CHECK_FALSE(decision.refused());
  CHECK(find_check(decision, "replacement")->verdict == Verdict::warn);
  CHECK(decision.plan.carried == std::vector<std::string>{"--node-ip=198.51.100.7"});
}

TEST_CASE("what only the start of the service finds out is of the set, where it is this host's") {
  // A script with --node-ip="$(tailscale ip -4)" --flannel-iface=$(…)
  ObservedHost host = good_host();
  host.host_name = "One";
  host.settings.add("node-ip", "", k3s::Origin::command_line);
  host.settings.add("flannel-iface", "", k3s::Origin::command_line);
  host.settings.add("secrets-encryption", "", k3s::Origin::command_line);
  SetFacts set = good_set();
  set.settings.add("secrets-encryption", "", k3s::Origin::command_line);
  set.settings.add("node-ip", "100.64.0.9", k3s::Origin::node);
  set.node_name = "one";
  const Decision decision = decide(host, set, {});
  CHECK_FALSE(decision.refused());
  CHECK(decision.plan.carried ==
        std::vector<std::string>{"--node-ip=100.64.0.9", "--secrets-encryption"});
  set.node_name = "another";
  CHECK(decide(host, set, {}).plan.carried == std::vector<std::string>{"--secrets-encryption"});
}

TEST_CASE("nothing can be rewritten where nothing is put back") {
  Wishes wishes;
  wishes.replacements = {{ReplacementKind::address, "192.0.2.10", "198.51.100.7"}};
  const Decision decision = decide(good_host(), good_set(), wishes);
  const Check* const check = find_check(decision, "replacement");
  REQUIRE(check != nullptr);
  CHECK(holds(check->message, "this host keeps its own configuration"));
}

TEST_CASE("interfaces that cannot be read stop nothing") {
  ObservedHost host = bare_host();
  host.network = {{}, "the interfaces of this host: no"};
  const Decision decision = decide(host, set_with({{"node-ip", "192.0.2.10"}}), {});
  CHECK_FALSE(decision.refused());
  CHECK(find_check(decision, "addresses")->verdict == Verdict::warn);
}

TEST_CASE("a server without etcd, or without an API server, is no place for a restore") {
  const Decision without_etcd = decide(bare_host(), set_with({{"disable-etcd", "true"}}), {});
  CHECK(holds(find_check(without_etcd, "roles")->hint, "restore on a server with etcd"));
  const Decision without_api = decide(bare_host(), set_with({{"disable-apiserver", "true"}}), {});
  CHECK(holds(find_check(without_api, "roles")->hint, "--keep-config"));
  Wishes wishes;
  wishes.keep_config = true;
  CHECK_FALSE(decide(bare_host(), set_with({{"disable-apiserver", "true"}}), wishes).refused());
}
