#include "k3s/host_settings.hpp"
#include "restore/cluster/machine.hpp"
#include "restore/cluster/replacements.hpp"
#include "set/host_state.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;

namespace {

Replacement address(const char* text) {
  return parse_replacement(ReplacementKind::address, text).value();
}

Replacement interface(const char* text) {
  return parse_replacement(ReplacementKind::interface, text).value();
}

void put(set::HostState& state, const char* path, std::string_view content) {
  archive::Entry entry;
  entry.path = path;
  entry.content = SecretBytes(as_bytes(content));
  state.files.push_back(std::move(entry));
}

/// `text` as a configuration file, rewritten.
std::string rewritten(std::string_view text, std::vector<Replacement> replacements) {
  set::HostState state;
  put(state, "etc/rancher/k3s/config.yaml", text);
  static_cast<void>(rewrite(state, {"/etc/rancher/k3s/config.yaml"}, replacements));
  return std::string(state.files.front().content.text());
}

std::string with_new_address(std::string_view text) {
  return rewritten(text, {address("192.0.2.10=198.51.100.7")});
}

} // namespace

TEST_CASE("an address is rewritten wherever it stands as a whole word") {
  for (const char* const frame :
       {"node-ip: @\n",
        "node-ip: \"@\"\n",
        "node-ip: @,2001:db8::1\n",
        "tls-san: [api.example,@]\n",
        "tls-san:\n- @\n",
        "etcd-arg:\n- listen-peer-urls=https://@:2380,https://127.0.0.1:2380\n",
        "ExecStart=/k3s server '--node-ip' '@' --bind-address=@\n",
        "K3S_URL=https://@:6443/x\n",
        "datastore-endpoint: postgres://u:p@@/db\n",
        "# it was @.\n",
        "@"}) {
    CAPTURE(frame);
    const auto with = [&](const std::string& word) {
      std::string text;
      for (std::string_view rest = frame; !rest.empty(); rest.remove_prefix(1)) {
        const bool here = rest.front() == '@' && !rest.starts_with("@@");
        text += here ? word : std::string(1, rest.front());
      }
      return text;
    };
    CHECK(with_new_address(with("192.0.2.10")) == with("198.51.100.7"));
  }
}

TEST_CASE("a longer word that holds the address is another one") {
  for (const char* const other : {"192.0.2.100",
                                  "1192.0.2.10",
                                  "192.0.2.10.example.com",
                                  "v192.0.2.10",
                                  "1.192.0.2.10",
                                  "node-192.0.2.10",
                                  "192.0.2.10-eth"}) {
    CAPTURE(other);
    CHECK(with_new_address(other) == other);
  }
}

TEST_CASE("an address of IPv6 is found in each of its spellings, and not within another") {
  const Replacement one = address("2001:db8::1=2001:db8::2");
  CHECK(rewritten("node-ip: 2001:DB8:0:0::1,192.0.2.10\n", {one}) ==
        "node-ip: 2001:db8::2,192.0.2.10\n");
  CHECK(rewritten("https://[2001:db8::1]:2380", {one}) == "https://[2001:db8::2]:2380");
  CHECK(rewritten("2001:db8::11 2001:db8::1:1 12001:db8::1", {one}) ==
        "2001:db8::11 2001:db8::1:1 12001:db8::1");
}

TEST_CASE("two addresses can change places") {
  CHECK(rewritten("192.0.2.1 192.0.2.2",
                  {address("192.0.2.1=192.0.2.2"), address("192.0.2.2=192.0.2.1")}) ==
        "192.0.2.2 192.0.2.1");
}

TEST_CASE("an interface is rewritten where a setting names it, nowhere else") {
  const Replacement one = interface("lan=eth0");
  CHECK(rewritten("flannel-iface: lan\nnode-label: zone=lan\n", {one}) ==
        "flannel-iface: eth0\nnode-label: zone=lan\n");
  CHECK(rewritten("ExecStart=/k3s server \\\n\t'--flannel-iface' \\\n\t'lan' \\\n", {one}) ==
        "ExecStart=/k3s server \\\n\t'--flannel-iface' \\\n\t'eth0' \\\n");
  CHECK(rewritten("--flannel-iface=lan.100 --flannel-iface=lan", {one}) ==
        "--flannel-iface=lan.100 --flannel-iface=eth0");
}

TEST_CASE("only the files that the settings were read from are rewritten, and each is told") {
  set::HostState state;
  put(state,
      "etc/rancher/k3s/config.yaml",
      "token: 192.0.2.10x\nnode-ip: 192.0.2.10\n\n# 192.0.2.10\n");
  put(state, "etc/rancher/k3s/config.yaml.d/a.yaml", "advertise-address: 192.0.2.10\n");
  put(state, "etc/systemd/system/k3s.service", "[Service]\nExecStart=/k3s server -i 192.0.2.10\n");
  put(state, "var/lib/rancher/k3s/server/manifests/pool.yaml", "addresses: [192.0.2.10]\n");
  const std::vector<Replacement> wishes{address("192.0.2.10=198.51.100.7")};
  const auto told =
      rewrite(state, k3s::read_host_settings(set::HostStateView(state), state.node).files, wishes);
  REQUIRE(told.size() == 3);
  CHECK(told[0].path == "/etc/rancher/k3s/config.yaml");
  CHECK(told[0].lines == std::vector<std::size_t>{2, 4});
  const k3s::HostSettings read = k3s::read_host_settings(set::HostStateView(state), state.node);
  CHECK(read.settings.value("node-ip") == "198.51.100.7");
  CHECK(read.settings.value("advertise-address") == "198.51.100.7");
  CHECK(state.files[2].content.text() == "[Service]\nExecStart=/k3s server -i 198.51.100.7\n");
  CHECK(state.files[3].content.text() == "addresses: [192.0.2.10]\n");
}

TEST_CASE("what the Node said is rewritten, too: it goes before the files") {
  set::HostState state;
  state.node.args = R"(["server","--node-ip","192.0.2.10","--tls-san","192.0.2.100"])";
  state.node.env = R"({"K3S_NODE_IP":"192.0.2.10"})";
  put(state, "etc/rancher/k3s/config.yaml", "node-ip: 192.0.2.10\n");
  const std::vector<Replacement> wishes{address("192.0.2.10=198.51.100.7")};
  CHECK(rewrite(state, k3s::read_host_settings(set::HostStateView(state), state.node).files, wishes)
            .size() == 1);
  CHECK(state.node.args == R"(["server","--node-ip","198.51.100.7","--tls-san","192.0.2.100"])");
  CHECK(k3s::read_host_settings(set::HostStateView(state), state.node).settings.values("node-ip") ==
        std::vector<std::string>{"198.51.100.7"});
  set::HostState without;
  CHECK(rewrite(without, {}, wishes).empty());
}

TEST_CASE("what a script finds out stands in no file: the Node's word is told alone") {
  set::HostState state;
  state.node.args = R"(["server","--node-ip","100.64.0.9","--flannel-iface","tailscale0"])";
  put(state,
      "etc/systemd/system/k3s.service",
      "[Service]\nExecStart=/bin/sh -c 'exec k3s server --node-ip=$(tailscale ip -4) "
      "--flannel-iface=tailscale0'\n");
  const std::vector<Replacement> wishes{
      address("100.64.0.9=100.64.0.77"),
      parse_replacement(ReplacementKind::interface, "tailscale0=ts1").value()};
  const auto files = k3s::read_host_settings(set::HostStateView(state), state.node).files;
  const auto told = rewrite(state, files, wishes);
  REQUIRE(told.size() == 2);
  CHECK(told[0].path == "/etc/systemd/system/k3s.service");
  CHECK(told[0].by == 1);
  CHECK(told[1].path == k_node_words);
  CHECK(told[1].by == 0);
}

TEST_CASE("what is no pair of addresses of one family, or of names, is refused") {
  for (const char* const wrong : {"",
                                  "=",
                                  "192.0.2.10",
                                  "192.0.2.10=",
                                  "192.0.2.10=host",
                                  "a=b",
                                  "192.0.2.10=2001:db8::1",
                                  "192.0.2=192.0.2.1"}) {
    CAPTURE(wrong);
    CHECK(parse_replacement(ReplacementKind::address, wrong).error().code ==
          ErrorCode::invalid_argument);
  }
  CHECK_FALSE(parse_replacement(ReplacementKind::interface, "eth0"));
  CHECK_FALSE(parse_replacement(ReplacementKind::interface, "eth0=a b"));
  CHECK(address("[2001:DB8::1]=2001:db8::2").from == "2001:db8::1");
}

TEST_CASE("this host has a loopback interface with its address") {
  const HostNetwork network = look_at_network();
  CHECK(network.problem.empty());
  CHECK(network.has_interface("lo"));
  CHECK(network.has_address("127.0.0.1"));
}
