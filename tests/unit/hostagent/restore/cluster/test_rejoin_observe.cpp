// Holds: what a rejoin is decided on, as it is found on this host and at the servers, by a k3s that
// is a script.
#include "facts.hpp"
#include "restore/cluster/journal.hpp"
#include "restore/cluster/observe.hpp"
#include "restore/cluster/rejoin.hpp"
#include "restore/cluster/server_access.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

using namespace rb;
using namespace rb::cluster;

namespace {

/// Each call is a line: whether what opens the servers was there and whose it was, and the words.
/// Only "one" and this host answer.
constexpr const char* k_k3s = R"(#!/bin/sh
here="${0%/*}"
mode=$(/usr/bin/stat -c %a "$here/access" 2>/dev/null)
echo "$mode $*" >>"$here/calls"
case "$*" in
*--server=https://192.0.2.11:6443*/readyz*) echo ok ;;
*--server=https://127.0.0.1:*/readyz*) echo ok ;;
*/version*) echo '{"gitVersion":"v1.34.4+k3s1"}' ;;
*) echo 'Unable to connect to the server: connection refused' >&2; exit 1 ;;
esac
)";

/// Server "two" of three, with the certificates of before.
struct Looking {
  test::Scratch scratch;
  Host host;
  HostHints hints;
  RejoinWishes wishes;
  OpenedSet opened;

  Looking() {
    scratch.write("k3s", k_k3s);
    std::filesystem::permissions(scratch.path("k3s"), std::filesystem::perms::owner_all);
    for (const char* const name : {"server-ca.crt", "client-admin.crt", "client-admin.key"}) {
      scratch.write(std::string("data/server/tls/") + name, "of before");
    }
    scratch.write("data/server/token", "K10a::server:same\n");
    scratch.write("data/server/db/etcd/name", "two-0a1b2c3d\n");
    host.observed = test::good_host();
    host.observed.k3s_program = scratch.path("k3s");
    host.observed.data_dir = scratch.path("data");
    host.observed.service = k3s::ServiceState::inactive;
    host.observed.servers.clear();
    host.observed.network.interfaces = {{"eth0", {"192.0.2.12"}}};
    host.observed.settings.add("node-name", "Two");
    opened.facts = test::good_set();
    opened.facts.servers = {
        {"one", "192.0.2.11", {}}, {"two", "192.0.2.12", {}}, {"three", "192.0.2.13", {}}};
  }

  RejoinFacts look() {
    const SystemTime made = parse_rfc3339("2026-11-22T02:00:00Z").value();
    return look_for_rejoin(host, {hints, wishes, opened, made, scratch.path("access"), made}, {});
  }

  /// A restore or a rejoin of this host before.
  void leave_journal(const std::string& started, Phase phase = Phase::done, bool joined = false) {
    JournalState state;
    state.phase = phase;
    state.started = started;
    state.plan.data_dir = host.observed.data_dir;
    if (joined) {
      state.plan.joining = Joining{};
    }
    REQUIRE(Journal(work_dir_in(host.observed.data_dir)).save(state));
  }

  [[nodiscard]] std::size_t calls_with(const std::string& words) const {
    const std::string calls = scratch.read("calls");
    std::size_t count = 0;
    for (std::size_t at = 0; (at = calls.find(words, at)) != std::string::npos; ++at) {
      ++count;
    }
    return count;
  }
};

} // namespace

TEST_CASE("each other server of the set is asked, and what it says is under its name") {
  Looking looking;
  const RejoinFacts facts = looking.look();
  CHECK(facts.access_problem.empty());
  REQUIRE(facts.servers.size() == 2);
  CHECK(facts.servers[0].text() == "one (https://192.0.2.11:6443)");
  CHECK(facts.servers[0].contact == Contact::ready);
  CHECK(facts.servers[0].version == "v1.34.4+k3s1");
  CHECK(facts.servers[1].text() == "three (https://192.0.2.13:6443)");
  CHECK(facts.servers[1].contact == Contact::none);
  CHECK(facts.servers[1].problem.find("connection refused") != std::string::npos);
  CHECK(looking.calls_with("192.0.2.12") == 0);
  CHECK_FALSE(facts.here); // k3s is stopped
  CHECK(looking.calls_with("127.0.0.1") == 0);

  looking.wishes.server = "https://192.0.2.11:6443"; // the same one, by the operator's word
  const RejoinFacts named = looking.look();
  REQUIRE(named.servers.size() == 2);
  CHECK(named.servers[0].contact == Contact::ready);
}

TEST_CASE("what opens the servers is there for nobody else, and only while they are asked") {
  Looking looking;
  static_cast<void>(looking.look());
  CHECK_FALSE(looking.scratch.exists("access"));
  CHECK(looking.calls_with("600 kubectl --kubeconfig=" + looking.scratch.path("access") + " ") ==
        looking.calls_with("kubectl"));
  CHECK(looking.calls_with("same") == 0); // the password of the token
}

TEST_CASE("with neither the set's certificates nor its own nobody is asked, and it is said why") {
  Looking looking;
  std::filesystem::remove_all(looking.scratch.path("data/server/tls"));
  looking.host.observed.service = k3s::ServiceState::active;
  const RejoinFacts facts = looking.look();
  CHECK(facts.access_problem.find("certificate of an administrator") != std::string::npos);
  REQUIRE(facts.servers.size() == 2); // to be named
  CHECK(facts.servers[0].contact == Contact::none);
  CHECK_FALSE(facts.here);
  CHECK_FALSE(looking.scratch.exists("calls"));
}

TEST_CASE("where k3s runs here it is asked, too, at the port of its configuration") {
  for (const bool process_only : {false, true}) {
    CAPTURE(process_only);
    Looking looking;
    if (process_only) {
      looking.host.observed.servers = {{4711, "/usr/local/bin/k3s server"}};
    } else {
      looking.host.observed.service = k3s::ServiceState::active;
    }
    RejoinFacts facts = looking.look();
    REQUIRE(facts.here);
    CHECK(facts.here->text() == "this host (https://127.0.0.1:6443)");
    CHECK(facts.here->contact == Contact::ready);
    looking.host.observed.settings.add("https-listen-port", "7443");
    facts = looking.look();
    REQUIRE(facts.here);
    CHECK(facts.here->api_url == "https://127.0.0.1:7443");
  }
}

TEST_CASE("this host is called as k3s calls it, and its commands are those that people type") {
  Looking looking;
  RejoinFacts facts = looking.look();
  CHECK(facts.node_name == "two");
  CHECK(facts.member_name == "two-0a1b2c3d");
  CHECK(facts.stop_command == "systemctl stop k3s");
  CHECK(facts.start_command == "systemctl start k3s");
  CHECK(facts.set.run_id == looking.opened.facts.run_id);
  CHECK(facts.host.data_dir == looking.scratch.path("data"));

  looking.host.observed.settings = {}; // then it has the host's own name
  looking.hints.commands.stop = "sv stop k3s";
  std::filesystem::remove(looking.scratch.path("data/server/db/etcd/name"));
  facts = looking.look();
  std::array<char, 256> own{};
  REQUIRE(::gethostname(own.data(), own.size() - 1) == 0);
  std::string name = own.data();
  std::ranges::transform(
      name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  CHECK(facts.node_name == name);
  CHECK(facts.member_name.empty());
  CHECK(facts.stop_command == "sv stop k3s");
}

TEST_CASE("a restore of this host that ended well after the set was made is told, and no other") {
  struct Case {
    const char* started;
    Phase phase;
    bool joined; ///< It was a rejoin.
    bool told;
  };
  for (const Case& one : {Case{"2026-11-22T12:00:00Z", Phase::done, false, true},
                          Case{"2026-11-22T02:00:00Z", Phase::done, false, true},
                          Case{"2026-11-22T01:59:59Z", Phase::done, false, false},
                          Case{"2025-12-31T23:00:00Z", Phase::done, false, false},
                          Case{"2026-11-22T12:00:00Z", Phase::restoring, false, false},
                          Case{"2026-11-22T12:00:00Z", Phase::rolled_back, false, false},
                          Case{"2026-11-22T12:00:00Z", Phase::done, true, false}}) {
    CAPTURE(std::string(one.started));
    CAPTURE(one.joined);
    Looking looking;
    looking.leave_journal(one.started, one.phase, one.joined);
    CHECK(looking.look().restored == (one.told ? one.started : ""));
  }
  Looking never;
  CHECK(never.look().restored.empty());
  never.scratch.write("data/railiance-restore/journal.json", "{"); // nobody can say
  CHECK(never.look().restored.empty());
}
