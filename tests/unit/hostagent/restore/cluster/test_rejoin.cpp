// Holds: which server is joined, what keeps a host from it, and what would be done.
#include "rejoin_facts.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;
using test::answering;
using test::find_check;
using test::good_facts;
using test::member;
using test::silent;

namespace {

RejoinFacts with_members(std::vector<EtcdMember> members) {
  RejoinFacts facts = good_facts();
  facts.servers.front().members = std::move(members);
  return facts;
}

/// What is wrong in one way, and the check that says so.
struct Wrong {
  const char* check;
  void (*make)(RejoinFacts& facts);
};

/// The one refusal, by its name.
const Check& refusal(const RejoinDecision& decision) {
  const auto found = std::ranges::find(decision.decision.checks, Verdict::refuse, &Check::verdict);
  REQUIRE(found != decision.decision.checks.end());
  return *found;
}

bool plans(const RejoinDecision& decision, Step step) {
  return std::ranges::find(decision.decision.plan.steps, step) !=
         decision.decision.plan.steps.end();
}

} // namespace

TEST_CASE("a host rejoins the one server of the set that answers") {
  const RejoinDecision decision = decide_rejoin(good_facts(), {});
  REQUIRE_FALSE(decision.decision.refused());
  CHECK(decision.member.empty());
  const Plan& plan = decision.decision.plan;
  REQUIRE(plan.joining);
  CHECK(plan.joining->server == "one (https://192.0.2.11:6443)");
  CHECK(plan.joining->supervisor_url == "https://192.0.2.11:6443");
  CHECK(plan.joining->servers == 3);
  CHECK(plan.joining->drop_in == "/etc/rancher/k3s/config.yaml.d/zz-railiance-rejoin.yaml");
  CHECK(plan.joining->drop_in_text.ends_with("\nserver: https://192.0.2.11:6443\n"
                                             "token-file: /var/lib/rancher/k3s/server/token\n"));
  CHECK_FALSE(plans(decision, Step::put_token));
  for (const char* const name : {"cred/passwd", "tls/server-ca.crt", "tls/service.key"}) {
    CHECK(std::ranges::find(plan.joining->shared, name) != plan.joining->shared.end());
  }
  CHECK(plan.steps == std::vector<Step>{Step::stop,
                                        Step::save_state,
                                        Step::set_aside,
                                        Step::name_server,
                                        Step::start,
                                        Step::ready,
                                        Step::join,
                                        Step::agree});
  CHECK_FALSE(plan.was_active);
  CHECK_FALSE(plan.bare);
}

TEST_CASE("this host and loopback are not asked, and a server that is named is asked first") {
  RejoinFacts facts = good_facts();
  facts.set.servers.push_back({"odd", "127.0.0.1", {}});
  facts.set.servers.push_back({"nameless", {}, {}});
  const auto asked = servers_to_ask(facts.host, facts.set, {});
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].text() == "one (https://192.0.2.11:6443)");
  CHECK(asked[1].text() == "three (https://192.0.2.13:6443)");
  facts.set.peers = {{"one-11111111", "https://10.0.0.11:2380"}, // behind a VPN of k3s
                     {"two-0a1b2c3d", "https://192.0.2.12:2380"},
                     {"three-33333333", "https://192.0.2.13:2380"}};
  const auto both = servers_to_ask(facts.host, facts.set, {});
  REQUIRE(both.size() == 3);
  CHECK(both[2].text() == "one (https://10.0.0.11:6443)");
  facts.set.peers.clear();
  facts.host.settings.add("https-listen-port", "7443");
  RejoinWishes wishes;
  wishes.server = "https://198.51.100.7:6443";
  const auto named = servers_to_ask(facts.host, facts.set, wishes);
  REQUIRE(named.size() == 3);
  CHECK(named[0].text() == "https://198.51.100.7:6443");
  CHECK(named[1].api_url == "https://192.0.2.11:7443");
}

TEST_CASE("two hosts that were restored apart are both named, whichever is asked for") {
  RejoinFacts facts = good_facts();
  facts.servers[1] = answering("three", "192.0.2.13", {member(3, "three-33333333")});
  for (const char* const wish : {"", "https://192.0.2.11:6443"}) {
    RejoinWishes wishes;
    wishes.server = wish;
    const RejoinDecision decision = decide_rejoin(facts, wishes);
    const Check& check = refusal(decision);
    CHECK(check.name == "server");
    CHECK(check.code == ExitCode::failed);
    CHECK(check.message.find("one (https://192.0.2.11:6443)") != std::string::npos);
    CHECK(check.message.find("three (https://192.0.2.13:6443)") != std::string::npos);
    CHECK(check.hint.find("restore --rollback") != std::string::npos);
  }
}

TEST_CASE("two servers of one cluster are one cluster: the third joins") {
  const std::vector<EtcdMember> both{member(1, "one-11111111"), member(3, "three-33333333")};
  RejoinFacts facts = with_members(both);
  facts.servers[1] = answering("three", "192.0.2.13", both);
  CHECK_FALSE(decide_rejoin(facts, {}).decision.refused());
}

TEST_CASE("no server that answers: each with its reason, and exit code 8") {
  RejoinFacts facts = good_facts();
  facts.servers[0] = silent("one", "192.0.2.11");
  facts.servers[0].contact = Contact::unready;
  facts.servers[0].problem = "https://192.0.2.11:6443: its etcd does not answer: it has no quorum";
  const RejoinDecision decision = decide_rejoin(facts, {});
  const Check& check = refusal(decision);
  CHECK(check.code == ExitCode::unreachable);
  CHECK(check.message.find("it has no quorum") != std::string::npos);
  CHECK(check.message.find("three (https://192.0.2.13:6443): https://192.0.2.13:6443: connection "
                           "refused") != std::string::npos);
  CHECK(check.hint.find("restore --execute --single-server") != std::string::npos);
}

TEST_CASE("two servers that went on with the old database serve it: they are no reason to stay") {
  const std::vector<EtcdMember> old{
      member(11, "one-00000000"), member(2, "two-0a1b2c3d"), member(3, "three-33333333")};
  RejoinFacts facts = good_facts();
  facts.host.service = k3s::ServiceState::active;
  facts.here = answering("this host", "127.0.0.1", old);
  facts.servers[1] = answering("three", "192.0.2.13", old);
  const RejoinDecision decision = decide_rejoin(facts, {});
  CHECK(decision.member.empty());
  CHECK(refusal(decision).name == "service");
  CHECK(refusal(decision).message.find("so does one (https://192.0.2.11:6443)") !=
        std::string::npos);
}

TEST_CASE("a host that votes already is left alone") {
  const std::vector<EtcdMember> all{
      member(1, "one-11111111"), member(2, "two-0a1b2c3d"), member(3, "three-33333333")};
  RejoinFacts facts = with_members(all);
  facts.host.service = k3s::ServiceState::active;
  facts.here = answering("this host", "127.0.0.1", all);
  RejoinDecision decision = decide_rejoin(facts, {});
  CHECK(decision.member == "3 of 3 members");
  CHECK_FALSE(decision.decision.refused());

  facts.here->members[1].learner = true; // not yet
  CHECK(decide_rejoin(facts, {}).member.empty());

  facts.here->members[1].learner = false;
  facts.here->cluster_ca = std::string(64, 'b'); // of another cluster than the set
  CHECK(decide_rejoin(facts, {}).member.empty());
}

TEST_CASE("an empty disk: the token of the set is put back, and nothing has to go aside") {
  RejoinFacts facts = good_facts();
  facts.host.data = {};
  facts.host.data.free_bytes = std::uint64_t{8} << 30U;
  facts.member_name.clear();
  facts.node_password = false;
  const RejoinDecision decision = decide_rejoin(facts, {});
  REQUIRE_FALSE(decision.decision.refused());
  CHECK(plans(decision, Step::put_token));
  CHECK_FALSE(plans(decision, Step::set_aside));
  const Check* const password = find_check(decision.decision, "node-password");
  REQUIRE(password != nullptr);
  CHECK(password->hint.find("delete secret two.node-password.k3s") != std::string::npos);

  facts.set.host_state = false;
  CHECK(decide_rejoin(facts, {}).decision.code() == ExitCode::incomplete);
}

TEST_CASE("a database that was removed by hand: what the servers share still makes place") {
  RejoinFacts facts = good_facts();
  facts.host.data.etcd = false;
  facts.member_name.clear();
  CHECK(plans(decide_rejoin(facts, {}), Step::set_aside));
  facts.host.data.token_hash.clear(); // and the token, too
  facts.host.data.cluster_cas = {test::k_ca};
  const RejoinDecision decision = decide_rejoin(facts, {});
  CHECK(plans(decision, Step::set_aside));
  CHECK(plans(decision, Step::put_token));
}

TEST_CASE("the drop-in says only what the configuration does not") {
  const auto text = [](ServerSettings settings) {
    return drop_in_text(settings, "https://192.0.2.11:6443", "/data");
  };
  ServerSettings settings;
  settings.add("server", "https://192.0.2.11:6443");
  settings.add("token", std::string(k3s::k_masked));
  CHECK(text(settings).empty());
  settings.add("cluster-init", "true");
  CHECK(text(settings).ends_with("\ncluster-init: false\n"));
  ServerSettings other;
  other.add("server", "https://192.0.2.13:6443");
  other.add("token-file", "/etc/token");
  CHECK(text(other).ends_with("\nserver: https://192.0.2.11:6443\n"));
}

TEST_CASE("each check is asked, and the one that refuses is the only one") {
  for (const Wrong& wrong :
       {Wrong{"service", [](RejoinFacts& f) { f.host.service = k3s::ServiceState::active; }},
        Wrong{"restored", [](RejoinFacts& f) { f.restored = "2026-11-22T12:00:00Z"; }},
        Wrong{"token", [](RejoinFacts& f) { f.host.data.token_hash = "ffffffffffff"; }},
        Wrong{"configured-token",
              [](RejoinFacts& f) {
                f.host.tokens = {{"config.yaml: token", "ffffffffffff"}};
              }},
        Wrong{"server",
              [](RejoinFacts& f) {
                f.servers[0].contact = Contact::stranger;
                f.servers[0].problem = "x509: certificate signed by unknown authority";
              }},
        Wrong{"identity", [](RejoinFacts& f) { f.servers[0].cluster_ca = "another"; }},
        Wrong{"members", [](RejoinFacts& f) { f.servers[0].members_problem = "not authorized"; }},
        Wrong{"k3s-version", [](RejoinFacts& f) { f.host.k3s_version = "v1.33.9+k3s1"; }},
        Wrong{"datastore", [](RejoinFacts& f) { f.set.datastore = api::DatastoreKind::sqlite; }},
        Wrong{"roles", [](RejoinFacts& f) { f.host.settings.add("disable-etcd", "true"); }},
        Wrong{"disk-space", [](RejoinFacts& f) { f.host.data.free_bytes = 1; }},
        Wrong{"data-directory",
              [](RejoinFacts& f) { f.host.data.mounts = {f.host.data_dir + "/server/db/etcd"}; }},
        Wrong{"node-ip", [](RejoinFacts& f) { f.host.settings.add("node-ip", "192.0.2.99"); }}}) {
    CAPTURE(std::string(wrong.check));
    RejoinFacts facts = good_facts();
    wrong.make(facts);
    const RejoinDecision decision = decide_rejoin(facts, {});
    CHECK(refusal(decision).name == wrong.check);
    CHECK(std::ranges::count(decision.decision.checks, Verdict::refuse, &Check::verdict) == 1);
    CHECK_FALSE(refusal(decision).hint.empty());
  }
}

TEST_CASE("a set that nobody vouches for, or that is damaged, tells no host where to go") {
  RejoinFacts facts = good_facts();
  facts.set.signature = SignatureFact{};
  facts.set.signature->provenance.verdict = set::Provenance::unsigned_after;
  CHECK(refusal(decide_rejoin(facts, {})).name == "signature");
  RejoinWishes wishes;
  wishes.allow_unsigned = true;
  CHECK_FALSE(decide_rejoin(facts, wishes).decision.refused());

  facts = good_facts();
  facts.set.artifacts.front().code = ExitCode::damaged;
  CHECK(decide_rejoin(facts, {}).decision.code() == ExitCode::damaged);
}

TEST_CASE("after a restore: a line for each other server, and the steps with k3s alone") {
  RejoinFacts facts = good_facts();
  ObservedHost one = facts.host;
  one.network.interfaces = {{"lo", {"127.0.0.1"}}, {"eth0", {"192.0.2.11", "fe80::1"}}};
  const RejoinLines with{"/opt/backup", "/root/my keys.txt", "/data/k3s"};
  const auto lines = rejoin_lines(facts.set.servers, one, with);
  REQUIRE(lines.size() == 10);
  CHECK(lines[1] == "  on two (192.0.2.12): railiance-restore rejoin -i '/root/my keys.txt' "
                    "--backup-dir /opt/backup --server https://192.0.2.11:6443");
  CHECK(lines[2].starts_with("  on three (192.0.2.13): "));
  CHECK(lines[5] == "    mv /data/k3s/server/db/etcd /data/k3s/server/db/etcd-before");
  CHECK(lines[7].starts_with("    echo 'server: https://192.0.2.11:6443' >"));
  // Of two families the first one is the server's, in one value or in two.
  ObservedHost two_families = one;
  two_families.network.interfaces.push_back({"eth1", {"10.0.0.11", "fd00::11"}});
  two_families.settings.add("node-ip", "10.0.0.11,fd00::11");
  ObservedHost two_values = one;
  two_values.network = two_families.network;
  two_values.settings.add("node-ip", "10.0.0.11");
  two_values.settings.add("node-ip", "fd00::11");
  for (const ObservedHost& host : {two_families, two_values}) {
    CHECK(rejoin_lines(facts.set.servers, host, with)[1].ends_with(
        "--server https://10.0.0.11:6443"));
  }
  facts.set.servers.resize(1);
  CHECK(rejoin_lines(facts.set.servers, one, with).empty());
  CHECK(rejoin_lines({}, one, with).empty());
}

TEST_CASE("after a restore: the lines name this host's address, and never this host") {
  const RejoinFacts facts = good_facts();
  RejoinLines with{"/opt/backup", {}, "/data/k3s"};
  ObservedHost one = facts.host; // as on a server with pods, and two networks
  one.network.interfaces = {{"lo", {"127.0.0.1", "::1"}},
                            {"eth0", {"192.0.2.11", "2001:db8::11", "fe80::1"}},
                            {"eth1", {"10.0.0.11"}},
                            {"cni0", {"10.42.0.1"}},
                            {"flannel.1", {"10.42.0.0"}}};
  const auto known = rejoin_lines(facts.set.servers, one, with);
  CHECK(known[1].ends_with("--server https://192.0.2.11:6443"));

  // A bare machine with another address, and the old name.
  one.network.interfaces[1].addresses = {"198.51.100.7", "2001:db8::7"};
  one.network.interfaces.erase(one.network.interfaces.begin() + 2);
  with.node_name = "one";
  const auto moved = rejoin_lines(facts.set.servers, one, with);
  REQUIRE(moved.size() == 10);
  CHECK(moved[1].starts_with("  on two (192.0.2.12): "));
  CHECK(moved[1].ends_with("--server https://198.51.100.7:6443"));
  CHECK(moved[2].starts_with("  on three (192.0.2.13): "));

  one.network.interfaces.push_back({"eth1", {"10.0.0.11"}}); // which of them nobody knows
  CHECK(rejoin_lines(facts.set.servers, one, with)[1].ends_with("--backup-dir /opt/backup"));
}

TEST_CASE("a unit that joins by a registration address is asked for, and stays as it is") {
  const std::string lb = "https://k3s.example.net:6443";
  RejoinFacts facts = good_facts();
  facts.host.settings.add(k3s::Setting{
      "server", lb + "/", k3s::Origin::command_line, "/etc/systemd/system/k3s.service"});
  const auto asked = servers_to_ask(facts.host, facts.set, {});
  REQUIRE(asked.size() == 3);
  CHECK(asked.back().api_url == lb);

  facts.servers.push_back(answering("", "192.0.2.11", facts.servers[0].members));
  facts.servers.back().api_url = lb;
  const RejoinDecision decision = decide_rejoin(facts, {});
  REQUIRE_FALSE(decision.decision.refused());
  CHECK(decision.decision.plan.joining->server == "one (https://192.0.2.11:6443)");
  CHECK(decision.decision.plan.joining->drop_in_text.find("server:") == std::string::npos);

  facts.servers.back() = silent("", "192.0.2.99");
  facts.servers.back().api_url = lb;
  CHECK(refusal(decide_rejoin(facts, {})).name == "server-url");
}
