// Holds: which server is joined, what keeps a host from it, and what would be done.
#include "facts.hpp"
#include "restore/cluster/rejoin.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;
using test::find_check;

namespace {

const std::string k_ca(64, 'a');
constexpr const char* k_uid = "0b6f2c1e-0000-4000-8000-000000000001";

EtcdMember member(std::uint64_t id, const std::string& name, bool learner = false) {
  EtcdMember one;
  one.id = id;
  one.name = name;
  one.learner = learner;
  return one;
}

ServerAnswer
answering(const std::string& name, const std::string& address, std::vector<EtcdMember> members) {
  ServerAnswer answer;
  answer.node_name = name;
  answer.api_url = url_of(address, "6443");
  answer.contact = Contact::ready;
  answer.version = "v1.34.4+k3s1";
  answer.supervisor_url = answer.api_url;
  answer.cluster_ca = k_ca;
  answer.cluster_uid = k_uid;
  answer.members = std::move(members);
  return answer;
}

ServerAnswer silent(const std::string& name, const std::string& address) {
  ServerAnswer answer;
  answer.node_name = name;
  answer.api_url = url_of(address, "6443");
  answer.problem = answer.api_url + ": connection refused";
  return answer;
}

/// Server "two" of three: "one" was restored, "three" is down.
RejoinFacts good_facts() {
  RejoinFacts facts;
  facts.host = test::good_host();
  facts.host.service = k3s::ServiceState::inactive;
  facts.host.servers.clear();
  facts.host.network.interfaces = {{"eth0", {"192.0.2.12"}}};
  facts.node_name = "two";
  facts.member_name = "two-0a1b2c3d";
  facts.node_password = true;
  facts.set = test::good_set();
  facts.set.members = 3;
  facts.set.servers = {
      {"one", "192.0.2.11", {}}, {"two", "192.0.2.12", {}}, {"three", "192.0.2.13", {}}};
  facts.set.cluster_cas = {k_ca};
  facts.set.cluster_uid = k_uid;
  facts.servers = {answering("one", "192.0.2.11", {member(1, "one-11111111")}),
                   silent("three", "192.0.2.13")};
  facts.stop_command = "systemctl stop k3s";
  facts.start_command = "systemctl start k3s";
  return facts;
}

RejoinFacts with_members(std::vector<EtcdMember> members) {
  RejoinFacts facts = good_facts();
  facts.servers.front().members = std::move(members);
  return facts;
}

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

TEST_CASE("a wrong server: another authority, another kube-system, one that takes no certificate") {
  RejoinFacts facts = good_facts();
  facts.servers[0].contact = Contact::stranger;
  facts.servers[0].problem = "x509: certificate signed by unknown authority";
  CHECK(refusal(decide_rejoin(facts, {})).code == ExitCode::failed);

  facts = good_facts();
  facts.servers[0].cluster_ca = std::string(64, 'b');
  CHECK(refusal(decide_rejoin(facts, {})).name == "identity");
  facts.servers[0].cluster_ca.clear();
  CHECK(refusal(decide_rejoin(facts, {})).name == "identity");

  facts = good_facts();
  facts.servers[0].cluster_uid = "0b6f2c1e-0000-4000-8000-000000000002";
  CHECK(refusal(decide_rejoin(facts, {})).message.find("kube-system") != std::string::npos);
  facts.set.cluster_uid.clear(); // a set that could not tell
  CHECK_FALSE(decide_rejoin(facts, {}).decision.refused());
}

TEST_CASE("a wrong token is refused before anything is touched") {
  RejoinFacts facts = good_facts();
  facts.host.data.token_hash = "ffffffffffff";
  const RejoinDecision decision = decide_rejoin(facts, {});
  const Check& own = refusal(decision);
  CHECK(own.name == "token");
  CHECK(own.message.find("ffffffffffff") != std::string::npos);

  facts = good_facts();
  facts.host.tokens = {{"/etc/rancher/k3s/config.yaml: token", "ffffffffffff"}};
  CHECK(refusal(decide_rejoin(facts, {})).name == "configured-token");

  facts = good_facts(); // the restored server has another one
  facts.servers[0].members.clear();
  facts.servers[0].members_problem = "https://192.0.2.11:6443: not authorized";
  const RejoinDecision theirs = decide_rejoin(facts, {});
  CHECK(refusal(theirs).name == "members");
  CHECK(refusal(theirs).hint.find("server token") != std::string::npos);
}

TEST_CASE("k3s that runs with the old database would never join: the line that stops it") {
  RejoinFacts facts = good_facts();
  facts.host.service = k3s::ServiceState::active;
  facts.here = silent("this host", "127.0.0.1");
  const RejoinDecision decision = decide_rejoin(facts, {});
  const Check& check = refusal(decision);
  CHECK(check.name == "service");
  CHECK(check.code == ExitCode::busy);
  CHECK(check.message.find("cluster ID mismatch") != std::string::npos);
  CHECK(check.hint.find("`systemctl stop k3s`") != std::string::npos);
}

TEST_CASE("k3s that runs here as another cluster: both are named") {
  RejoinFacts facts = good_facts();
  facts.host.service = k3s::ServiceState::active;
  facts.here = answering("this host", "127.0.0.1", {member(2, "two-0a1b2c3d")});
  const RejoinDecision decision = decide_rejoin(facts, {});
  CHECK(refusal(decision).message.find("and so does one (https://192.0.2.11:6443)") !=
        std::string::npos);
  facts.servers[0] = silent("one", "192.0.2.11"); // then it may be the restored one itself
  const RejoinDecision alone = decide_rejoin(facts, {});
  CHECK(refusal(alone).hint == "run this on the other servers");
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

TEST_CASE("a host that was itself restored is what the others rejoin") {
  RejoinFacts facts = good_facts();
  facts.restored = "2026-11-22T12:00:00Z";
  const RejoinDecision decision = decide_rejoin(facts, {});
  CHECK(refusal(decision).name == "restored");
  CHECK(refusal(decision).hint.find("restore --rollback") != std::string::npos);
}

TEST_CASE("a cluster that was never restored, or has this host's name still, is not joined") {
  const RejoinDecision old =
      decide_rejoin(with_members({member(1, "one-11111111"), member(2, "two-0a1b2c3d")}), {});
  CHECK(refusal(old).name == "members");
  CHECK(refusal(old).hint == "start k3s here: `systemctl start k3s`");

  const RejoinDecision stale =
      decide_rejoin(with_members({member(1, "one-11111111"), member(9, "two-99999999", true)}), {});
  CHECK(refusal(stale).hint.find("annotate node two etcd.k3s.cattle.io/remove=true") !=
        std::string::npos);
}

TEST_CASE("releases: the same, or one minor newer; an older one is refused") {
  struct Case {
    const char* here;
    Verdict verdict;
  };
  for (const Case& one : {Case{"v1.34.9+k3s1", Verdict::ok},
                          Case{"v1.34.1+k3s1", Verdict::ok},
                          Case{"v1.35.0+k3s1", Verdict::warn},
                          Case{"v1.33.9+k3s1", Verdict::refuse},
                          Case{"v1.36.0+k3s1", Verdict::refuse},
                          Case{"v2.34.0+k3s1", Verdict::refuse},
                          Case{"", Verdict::warn}}) {
    CAPTURE(one.here);
    RejoinFacts facts = good_facts();
    facts.host.k3s_version = one.here;
    const auto checks = decide_rejoin(facts, {}).decision.checks;
    const auto found = std::ranges::find(checks, std::string("k3s-version"), &Check::name);
    REQUIRE(found != checks.end());
    CHECK(found->verdict == one.verdict);
  }
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

TEST_CASE("a unit that names another server is not edited: it is said what to change") {
  RejoinFacts facts = good_facts();
  facts.host.settings.add(k3s::Setting{"server",
                                       "https://192.0.2.13:6443",
                                       k3s::Origin::command_line,
                                       "/etc/systemd/system/k3s.service"});
  const RejoinDecision decision = decide_rejoin(facts, {});
  CHECK(refusal(decision).name == "server-url");
  CHECK(refusal(decision).message.starts_with("/etc/systemd/system/k3s.service: the unit says"));
  CHECK(refusal(decision).hint == "write --server https://192.0.2.11:6443 there, and repeat");

  facts = good_facts(); // a variable yields to a configuration file
  facts.host.settings.add("server", "https://192.0.2.13:6443", k3s::Origin::environment);
  CHECK_FALSE(decide_rejoin(facts, {}).decision.refused());
}

TEST_CASE("hosts that cannot rejoin: SQLite, an external database, no etcd of their own, no room") {
  RejoinFacts facts = good_facts();
  facts.host.data.etcd = false;
  facts.host.data.sqlite = true;
  CHECK(refusal(decide_rejoin(facts, {})).name == "datastore");

  facts = good_facts();
  facts.set.datastore = api::DatastoreKind::sqlite;
  CHECK(refusal(decide_rejoin(facts, {})).name == "datastore");

  facts = good_facts();
  facts.host.settings.add("datastore-endpoint", std::string(k3s::k_masked));
  CHECK(refusal(decide_rejoin(facts, {})).name == "datastore");

  facts = good_facts();
  facts.host.settings.add("disable-etcd", "true");
  CHECK(refusal(decide_rejoin(facts, {})).name == "roles");

  facts = good_facts();
  facts.host.data.free_bytes = 1;
  CHECK(refusal(decide_rejoin(facts, {})).name == "disk-space");

  facts = good_facts();
  facts.host.data.etcd_mount = true;
  CHECK(refusal(decide_rejoin(facts, {})).name == "data-directory");

  facts = good_facts();
  facts.host.settings.add("node-ip", "192.0.2.99");
  CHECK(refusal(decide_rejoin(facts, {})).name == "node-ip");
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
