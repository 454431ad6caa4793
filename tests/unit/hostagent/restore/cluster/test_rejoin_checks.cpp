// Holds: what each check of a rejoin says, of facts that are wrong in one way.
#include "rejoin_facts.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/rejoin.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::cluster;
using test::answering;
using test::good_facts;
using test::member;
using test::silent;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The server that was restored, "one".
Check membership(std::vector<EtcdMember> members) {
  const RejoinFacts facts = good_facts();
  ServerAnswer server = facts.servers.front();
  server.members = std::move(members);
  return check_membership(facts, server);
}

/// Those of the configuration that are not passed.
std::vector<Check> joining(const RejoinFacts& facts) {
  auto checks = check_joining(facts, facts.servers.front());
  std::erase_if(checks, [](const Check& check) { return check.verdict == Verdict::ok; });
  return checks;
}

/// The only one of them.
Check refusal(const RejoinFacts& facts) {
  const auto checks = joining(facts);
  REQUIRE(checks.size() == 1);
  CHECK(checks.front().verdict == Verdict::refuse);
  return checks.front();
}

} // namespace

TEST_CASE("a host that fits passes every check") {
  const RejoinFacts facts = good_facts();
  const ServerAnswer& server = facts.servers.front();
  for (const Check& check : {check_stopped(facts),
                             check_not_restored(facts),
                             check_identity(facts.set, server),
                             check_membership(facts, server),
                             check_token(facts),
                             check_release(facts.host, server)}) {
    CAPTURE(check.name);
    CHECK(check.verdict == Verdict::ok);
    CHECK(check.hint.empty());
  }
  CHECK(joining(facts).empty());
}

TEST_CASE("k3s that runs with the old database would never join: the line that stops it") {
  RejoinFacts facts = good_facts();
  SUBCASE("its service is active") {
    facts.host.service = k3s::ServiceState::active;
    CHECK(has(check_stopped(facts).message, "systemd unit k3s is active"));
  }
  SUBCASE("a process is left, whatever the service says") {
    facts.host.servers = {{4711, "/usr/local/bin/k3s server"}};
    CHECK(has(check_stopped(facts).message, "k3s runs here (process 4711)"));
  }
  facts.here = silent("this host", "127.0.0.1");
  const Check check = check_stopped(facts);
  CHECK(check.verdict == Verdict::refuse);
  CHECK(check.name == "service");
  CHECK(check.code == ExitCode::busy);
  CHECK(has(check.message, "cluster ID mismatch"));
  CHECK(has(check.hint, "`systemctl stop k3s`"));
}

TEST_CASE("k3s that runs here as another cluster: both are named") {
  RejoinFacts facts = good_facts();
  facts.host.service = k3s::ServiceState::active;
  facts.here = answering("this host", "127.0.0.1", {member(2, "two-0a1b2c3d")});
  const Check both = check_stopped(facts);
  CHECK(has(both.message, "and so does one (https://192.0.2.11:6443)"));
  CHECK(has(both.hint, "restore --rollback"));
  facts.servers[0] = silent("one", "192.0.2.11"); // then it may be the restored one itself
  CHECK(check_stopped(facts).hint == "run this on the other servers");
  facts.servers[0] = answering("one", "192.0.2.11", facts.here->members); // of this cluster
  CHECK(check_stopped(facts).hint == "run this on the other servers");
}

TEST_CASE("where nobody can say whether k3s runs, or start it, nothing is begun") {
  RejoinFacts facts = good_facts();
  facts.host.processes_problem = "/proc: permission denied";
  const Check unseen = check_stopped(facts);
  CHECK(unseen.verdict == Verdict::refuse);
  CHECK(unseen.code == ExitCode::busy);
  CHECK(has(unseen.message, "/proc: permission denied"));

  facts = good_facts();
  facts.host.manager.clear();
  const Check unmanaged = check_stopped(facts);
  CHECK(unmanaged.verdict == Verdict::refuse);
  CHECK(unmanaged.code == ExitCode::failed);
  CHECK(has(unmanaged.hint, "--stop-command"));
}

TEST_CASE("a host that was itself restored is what the others rejoin") {
  RejoinFacts facts = good_facts();
  facts.restored = "2026-11-22T12:00:00Z";
  const Check check = check_not_restored(facts);
  CHECK(check.verdict == Verdict::refuse);
  CHECK(check.name == "restored");
  CHECK(has(check.message, "at 2026-11-22T12:00:00Z"));
  CHECK(has(check.hint, "restore --rollback"));
}

TEST_CASE("a server is of the set's cluster by its authority, and by kube-system where both say") {
  struct Case {
    std::string ca;
    std::string uid;
    std::string set_uid;
    const char* words; ///< Null: it is passed.
  };
  const std::string other_uid = "0b6f2c1e-0000-4000-8000-000000000002";
  for (const Case& one :
       {Case{test::k_ca, test::k_uid, test::k_uid, nullptr},
        Case{test::k_ca, other_uid, "", nullptr}, // a set that could not tell
        Case{std::string(64, 'b'), test::k_uid, test::k_uid, "is bbbbbbbbbbbb…, that of the set a"},
        Case{"", test::k_uid, test::k_uid, "is none…"},
        Case{test::k_ca, other_uid, test::k_uid, "kube-system is 0b6f2c1e"},
        Case{test::k_ca, "", test::k_uid, "kube-system is not to be read"}}) {
    CAPTURE(one.ca);
    CAPTURE(one.uid);
    RejoinFacts facts = good_facts();
    facts.set.cluster_uid = one.set_uid;
    ServerAnswer& server = facts.servers.front();
    server.cluster_ca = one.ca;
    server.cluster_uid = one.uid;
    const Check check = check_identity(facts.set, server);
    CHECK(check.name == "identity");
    CHECK(check.verdict == (one.words == nullptr ? Verdict::ok : Verdict::refuse));
    CHECK(has(check.message, one.words == nullptr ? "is of the cluster of the set" : one.words));
  }
}

TEST_CASE("a cluster that was never restored, or has this host's name still, is not joined") {
  const Check old = membership({member(1, "one-11111111"), member(2, "two-0a1b2c3d")});
  CHECK(old.verdict == Verdict::refuse);
  CHECK(old.name == "members");
  CHECK(old.hint == "start k3s here: `systemctl start k3s`");

  const Check stale = membership({member(1, "one-11111111"), member(9, "two-99999999", true)});
  CHECK(stale.verdict == Verdict::refuse);
  CHECK(has(stale.message, "(two-99999999)"));
  CHECK(has(stale.hint, "annotate node two etcd.k3s.cattle.io/remove=true"));

  // A node whose name only begins alike is another one.
  CHECK(membership({member(1, "one-11111111"), member(9, "two-b-99999999")}).verdict ==
        Verdict::ok);
}

TEST_CASE("members that vote are counted, and a server that does not say them is not joined") {
  CHECK(membership({member(1, "one-11111111"), member(3, "three-33333333", true)}).message ==
        "one (https://192.0.2.11:6443) has 1 voting member");
  CHECK(membership({member(1, "one-11111111"), member(3, "three-33333333")})
            .message.ends_with("has 2 voting members"));
  RejoinFacts facts = good_facts(); // the restored server has another token
  ServerAnswer& server = facts.servers.front();
  server.members.clear();
  server.members_problem = "https://192.0.2.11:6443: not authorized";
  const Check check = check_membership(facts, server);
  CHECK(check.verdict == Verdict::refuse);
  CHECK(check.code == ExitCode::unreachable);
  CHECK(has(check.message, "not authorized"));
  CHECK(has(check.hint, "server token"));
  CHECK(has(check.hint, "`railiance-restore rejoin SET`"));
}

TEST_CASE(
    "a wrong token is refused before anything is touched; where none is, the set's is taken") {
  RejoinFacts facts = good_facts();
  facts.host.data.token_hash = "ffffffffffff";
  const Check wrong = check_token(facts);
  CHECK(wrong.verdict == Verdict::refuse);
  CHECK(wrong.name == "token");
  CHECK(has(wrong.message, "(ffffffffffff) is not that of the set (0123456789ab)"));
  CHECK(has(wrong.hint, "`mv /var/lib/rancher/k3s/server /var/lib/rancher/k3s/server-before`"));
  CHECK_FALSE(takes_token(facts));

  facts.host.data.token_hash.clear();
  CHECK(check_token(facts).verdict == Verdict::ok);
  facts.set.host_state = false;
  const Check none = check_token(facts);
  CHECK(none.verdict == Verdict::refuse);
  CHECK(none.code == ExitCode::incomplete);

  facts = good_facts();
  facts.host.tokens = {{"/etc/rancher/k3s/config.yaml: token", "ffffffffffff"}};
  CHECK(refusal(facts).name == "configured-token");
  // Of LoadCredentialEncrypted=: there while k3s runs, and for k3s alone.
  const std::string credential = "/run/credentials/k3s.service/token";
  facts.host.tokens = {{"k3s.service: token-file " + credential, "", credential}};
  CHECK(check_configured_tokens(facts.host.tokens, facts.set).verdict == Verdict::warn);
  facts.host.tokens = {{"k3s.service: token-file /nowhere", "", "/nowhere"}};
  CHECK(refusal(facts).name == "configured-token");
}

TEST_CASE("a token that was rotated since the set, or is of another authority, makes place") {
  RejoinFacts facts = good_facts();
  facts.host.data.token_hash = "ffffffffffff";
  facts.host.data.cluster_cas = {test::k_ca};
  CHECK(takes_token(facts));
  CHECK(check_token(facts).verdict == Verdict::warn);
  CHECK(has(check_token(facts).message, "was rotated since the set was made"));
  facts.set.host_state = false;
  CHECK_FALSE(takes_token(facts));
  CHECK(check_token(facts).verdict == Verdict::refuse);

  facts = good_facts(); // one password for two clusters, as of one playbook
  facts.host.data.cluster_cas = {std::string(64, 'b')};
  CHECK(takes_token(facts));
  CHECK(check_token(facts).verdict == Verdict::warn);
  CHECK(has(check_token(facts).message, "certificate authority of this host is another one"));
  facts.host.data.cluster_cas = {std::string(64, 'b'), test::k_ca};
  CHECK_FALSE(takes_token(facts));
}

TEST_CASE("releases: the same, or one minor newer; an older one is refused") {
  struct Case {
    const char* here;
    Verdict verdict;
    const char* words;
  };
  for (const Case& one : {Case{"v1.34.9+k3s1", Verdict::ok, ""},
                          Case{"v1.34.1+k3s1", Verdict::ok, ""},
                          Case{"v1.35.0+k3s1", Verdict::warn, "one minor release newer"},
                          Case{"v1.33.9+k3s1", Verdict::refuse, "an older release cannot join"},
                          Case{"v1.36.0+k3s1", Verdict::refuse, "more than one minor release"},
                          Case{"v2.34.0+k3s1", Verdict::refuse, "cannot join"},
                          Case{"", Verdict::warn, "k3s here is not known"}}) {
    CAPTURE(std::string(one.here));
    RejoinFacts facts = good_facts();
    facts.host.k3s_version = one.here;
    const Check check = check_release(facts.host, facts.servers.front());
    CHECK(check.name == "k3s-version");
    CHECK(check.verdict == one.verdict);
    CHECK(has(check.message, one.words));
    const bool says = one.verdict != Verdict::ok && std::string(one.here).starts_with('v');
    CHECK((!says || has(check.hint, "INSTALL_K3S_VERSION=v1.34.4+k3s1")));
  }
}

TEST_CASE("an older etcd joins no newer one, also within a minor release") {
  RejoinFacts facts = good_facts();
  facts.host.k3s_version = "v1.33.7+k3s1";
  facts.servers.front().version = "v1.33.13+k3s1";
  const Check check = check_release(facts.host, facts.servers.front());
  CHECK(check.verdict == Verdict::refuse);
  CHECK(has(check.message, "etcd 3.5 of this k3s does not join a cluster of etcd 3.6"));
  CHECK(has(check.hint, "INSTALL_K3S_VERSION=v1.33.13+k3s1"));
  std::swap(facts.host.k3s_version, facts.servers.front().version);
  CHECK(check_release(facts.host, facts.servers.front()).verdict == Verdict::ok);
}

TEST_CASE("a unit that names another server is not edited: it is said what to change") {
  RejoinFacts facts = good_facts();
  facts.host.settings.add(k3s::Setting{"server",
                                       "https://192.0.2.13:6443",
                                       k3s::Origin::command_line,
                                       "/etc/systemd/system/k3s.service"});
  const Check check = refusal(facts);
  CHECK(check.name == "server-url");
  CHECK(check.message.starts_with("/etc/systemd/system/k3s.service: the unit says"));
  CHECK(check.hint == "write --server https://192.0.2.11:6443 there, and repeat");

  facts = good_facts(); // a variable yields to a configuration file
  facts.host.settings.add("server", "https://192.0.2.13:6443", k3s::Origin::environment);
  CHECK(joining(facts).empty());
}

TEST_CASE("what all servers must say alike is compared with the set") {
  struct Case {
    std::vector<std::pair<const char*, const char*>> here;
    std::vector<std::pair<const char*, const char*>> there;
    const char* words; ///< Null: alike.
  };
  for (const Case& one :
       {Case{{}, {}, nullptr},
        Case{{}, {{"cluster-cidr", "10.42.0.0/16"}, {"flannel-backend", "vxlan"}}, nullptr},
        Case{{}, {{"flannel-backend", "none"}}, "flannel-backend (vxlan here, none in the set)"},
        Case{{{"cluster-cidr", "10.42.0.0/16"}, {"cluster-cidr", "2001:cafe:42::/56"}},
             {{"cluster-cidr", "10.42.0.0/16, 2001:cafe:42::/56"}},
             nullptr},
        Case{{{"disable", "traefik"}}, {{"disable", "servicelb,traefik"}}, "servicelb (off here"},
        Case{{{"disable", "servicelb"}, {"disable", "traefik"}},
             {{"disable", "servicelb"}},
             nullptr},
        Case{{{"secrets-encryption", "false"}}, {}, nullptr},
        Case{{}, {{"secrets-encryption", "true"}}, "secrets-encryption (off here, on in the set)"},
        Case{{}, {{"agent-token", "***"}}, "agent-token (off here, on in the set)"},
        Case{{{"agent-token-file", "/etc/token"}}, {{"agent-token", "***"}}, nullptr},
        Case{{{"cluster-dns", "10.43.0.10"}}, {}, nullptr},
        Case{{{"cluster-dns", "10.43.0.10"}}, {{"cluster-dns", "10.43.0.53"}}, "cluster-dns ("}}) {
    ServerSettings here;
    ServerSettings there;
    for (const auto& [flag, value] : one.here) {
      here.add(flag, value);
    }
    for (const auto& [flag, value] : one.there) {
      there.add(flag, value);
    }
    const Check check = check_shared_settings(here, there);
    CAPTURE(check.message);
    CHECK(check.verdict == (one.words == nullptr ? Verdict::ok : Verdict::warn));
    CHECK((one.words == nullptr || has(check.message, one.words)));
  }
}

TEST_CASE("a configuration with which this host would not be back in etcd, or not start") {
  RejoinFacts facts = good_facts();
  facts.host.data.etcd = false;
  facts.host.data.sqlite = true;
  CHECK(refusal(facts).name == "datastore");
  CHECK(has(refusal(facts).hint, "`mv /var/lib/rancher/k3s/server "));
  facts.host.data.etcd = true; // left of before it was in etcd
  CHECK(joining(facts).empty());

  facts = good_facts();
  facts.host.settings.add("datastore-endpoint", std::string(k3s::k_masked));
  CHECK(refusal(facts).name == "datastore");

  for (const char* const role : {"disable-etcd", "disable-apiserver"}) {
    facts = good_facts();
    facts.host.settings.add(role, "true");
    CHECK(refusal(facts).name == "roles");
    CHECK(has(refusal(facts).message, role));
    CHECK(has(refusal(facts).hint, "start k3s: `systemctl start k3s`"));
    CHECK(has(refusal(facts).hint, "server/db/etcd") == (std::string(role) != "disable-etcd"));
  }

  facts = good_facts();
  facts.host.settings_problem = "/etc/rancher/k3s/config.yaml: line 3: malformed";
  CHECK(refusal(facts).name == "configuration");
  CHECK(refusal(facts).message == facts.host.settings_problem);
}

TEST_CASE("a member with a smaller quota than its etcd would end the writes of all") {
  RejoinFacts facts = good_facts();
  facts.set.snapshot_bytes = std::uint64_t{3} << 30U;
  facts.set.settings.add("etcd-arg", "quota-backend-bytes=8589934592");
  CHECK(refusal(facts).name == "etcd-quota");
  facts.host.settings.add("etcd-arg", "quota-backend-bytes=8589934592");
  CHECK(joining(facts).empty());
}

TEST_CASE("a node's password that is gone is a matter of an empty disk with a kubelet") {
  const auto warned_of = [](bool password, const char* token, bool agent) {
    RejoinFacts facts = good_facts();
    facts.node_password = password;
    facts.host.data.token_hash = token;
    if (!agent) {
      facts.host.settings.add("disable-agent", "true");
    }
    const auto checks = joining(facts);
    CHECK(std::ranges::none_of(checks, [](const Check& check) {
      return check.verdict == Verdict::refuse || check.name != "node-password";
    }));
    return !checks.empty();
  };
  CHECK(warned_of(false, "", true));
  CHECK_FALSE(warned_of(true, "", true));
  CHECK_FALSE(warned_of(false, "0123456789ab", true));
  CHECK_FALSE(warned_of(false, "", false));
}
