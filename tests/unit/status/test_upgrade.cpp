// May an upgrade begin? Each reason, alone and among several servers.
#include "status/upgrade.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace rb;
using namespace rb::status;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const SystemTime k_now = parse_rfc3339("2026-11-22T12:00:00Z").value();
constexpr const char* k_run = "20261122T020000Z";

/// A server of which all is well: a set of ten hours ago, from which a server was booted.
NodeSeen good(const char* name = "server-1") {
  NodeSeen node;
  node.facts.node_name = name;
  node.facts.datastore = api::Datastore::embedded_etcd;
  node.facts.last_success_run_id = k_run;
  node.facts.last_success_time = k_now - hours(10);
  node.facts.last_success_k3s_version = "v1.34.4+k3s1";
  node.facts.last_success_proof = "Proven";
  node.facts.complete_sets = 7;
  node.silence = seconds(30);
  return node;
}

using Change = std::function<void(NodeSeen&)>;

NodeSeen with(const Change& change, const char* name = "server-1") {
  NodeSeen node = good(name);
  change(node);
  return node;
}

GuardRules rules(Proof required = Proof::proven) {
  GuardRules rules;
  rules.target = "v1.35.1+k3s1";
  rules.required = required;
  return rules;
}

GuardVerdict judged(const Change& change, const GuardRules& of = rules()) {
  return judge_guard({with(change)}, of, k_now);
}

void unproven(NodeSeen& node) {
  node.facts.last_success_proof.clear();
}

void without_set(NodeSeen& node) {
  node.facts.last_success_run_id.clear();
  node.facts.last_success_time = {};
}

void drilled(NodeSeen& node, const char* run_id, hours ago, const char* result = "Passed") {
  unproven(node);
  node.facts.last_drill_run_id = run_id;
  node.facts.last_drill_time = k_now - ago;
  node.facts.last_drill_result = result;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a set that is young enough and proven: go, and what it is") {
  const GuardVerdict verdict = judge_guard({good()}, rules(), k_now);
  CHECK(verdict.reason == GuardReason::ready);
  CHECK(verdict.message == "server-1: its newest complete set 20261122T020000Z, 10h old, of "
                           "v1.34.4+k3s1, is proven: a server was booted from it");
  REQUIRE(verdict.way_back);
  CHECK(verdict.way_back->way == k3s::WayBack::restore);
  CHECK(verdict.set_to_keep == "20261122T020000Z on server-1");
  CHECK(verdict.set_version == "v1.34.4+k3s1");
}

TEST_CASE("each reason not to begin, with its exit code") {
  struct Case {
    Change change;
    GuardReason reason;
    int code;
    const char* words;
  };
  const std::vector<Case> cases{
      {[](NodeSeen& node) { node.facts.last_success_time = k_now - hours(24) - seconds(1); },
       GuardReason::stale,
       9,
       "24h old, is too old: 24h are allowed"},
      {unproven, GuardReason::not_proven, 3, "no server was booted from it, and no drill passed"},
      {[](NodeSeen& node) { node.facts.last_success_proof = "ProofUnavailable"; },
       GuardReason::not_proven,
       3,
       "no server was booted from it (ProofUnavailable)"},
      {[](NodeSeen& node) { node.facts.last_success_proof = "ProofFailed"; },
       GuardReason::proof_failed,
       6,
       "did not come up, or served something else"},
      {[](NodeSeen& node) { drilled(node, k_run, hours(1), "Damaged"); },
       GuardReason::proof_failed,
       6,
       "did not pass its last drill: Damaged"},
      {[](NodeSeen& node) { drilled(node, k_run, hours(1), "NoIdentity"); },
       GuardReason::proof_failed,
       6,
       "NoIdentity"},
      {without_set, GuardReason::never_ran, 4, "there is no complete set"},
      {[](NodeSeen& node) {
         without_set(node);
         node.facts.last_attempt_reason = "StorageFull";
       },
       GuardReason::never_ran,
       4,
       "the last attempt ended with StorageFull"},
      {[](NodeSeen& node) { node.facts.damaged_sets = 1; }, GuardReason::damaged, 6, "1 set there"},
      {[](NodeSeen& node) { node.facts.untrusted_sets = 2; },
       GuardReason::untrusted,
       6,
       "2 sets and 0 files beside them are not what the host made"},
      {[](NodeSeen& node) { node.facts.untrusted_files = 1; }, GuardReason::untrusted, 6, "1 file"},
      {[](NodeSeen& node) { node.silence = minutes(6); },
       GuardReason::facts_stale,
       8,
       "has said nothing for 6m"},
      {[](NodeSeen& node) { node.facts.clock_anomaly = true; },
       GuardReason::clock_anomaly,
       8,
       "clock is wrong"},
      {[](NodeSeen& node) { node.facts.last_success_time = k_now + hours(1); },
       GuardReason::clock_anomaly,
       8,
       "clock is wrong"},
      {[](NodeSeen& node) { node.facts.last_success_k3s_version = "v1.36.2+k3s1"; },
       GuardReason::downgrade,
       1,
       "v1.35.1+k3s1 is older than v1.36.2+k3s1"},
      {[](NodeSeen& node) { node.facts.datastore = api::Datastore::external; },
       GuardReason::no_datastore,
       3,
       "an external one is backed up with its own tools"},
  };
  for (const Case& each : cases) {
    const GuardVerdict verdict = judged(each.change);
    CAPTURE(verdict.message);
    CHECK(verdict.reason == each.reason);
    CHECK(static_cast<int>(exit_code_for(verdict.reason)) == each.code);
    CHECK(has(verdict.message, each.words));
  }
  CHECK(judge_guard({}, rules(), k_now).reason == GuardReason::agent_unavailable);
  CHECK(exit_code_for(GuardReason::agent_unavailable) == ExitCode::unreachable);
}

TEST_CASE("a set of just the age that is allowed will do") {
  CHECK(judged([](NodeSeen& node) { node.facts.last_success_time = k_now - hours(24); }).reason ==
        GuardReason::ready);
  GuardRules week = rules();
  week.max_age = hours(24 * 7);
  CHECK(judged([](NodeSeen& node) { node.facts.last_success_time = k_now - hours(100); }, week)
            .reason == GuardReason::ready);
}

TEST_CASE("what is required of it: a boot, a drill, one of them, or what each set has") {
  const Change booted = [](NodeSeen&) {};
  const Change drill_of_it = [](NodeSeen& node) { drilled(node, k_run, hours(2)); };
  const Change drill_before = [](NodeSeen& node) { drilled(node, "20261121T020000Z", hours(23)); };
  const Change drill_failed = [](NodeSeen& node) {
    drilled(node, "20261121T020000Z", hours(23), "Damaged");
  };
  const Change drill_long_ago = [](NodeSeen& node) {
    drilled(node, "20261101T020000Z", hours(25));
  };
  const Change drill_to_come = [](NodeSeen& node) { drilled(node, "20261101T020000Z", -hours(1)); };
  const Change drill_boot = [](NodeSeen& node) {
    drilled(node, k_run, hours(2));
    node.facts.last_drill_booted = true;
  };
  const auto go = [](const Change& change, Proof required) {
    return judged(change, rules(required)).reason == GuardReason::ready;
  };
  const auto row = [&](const Change& change) {
    return std::array{go(change, Proof::verified),
                      go(change, Proof::proven),
                      go(change, Proof::drill),
                      go(change, Proof::boot)};
  };
  CHECK(row(booted) == std::array{true, true, false, true});
  CHECK(row(drill_of_it) == std::array{true, true, true, false});
  CHECK(row(drill_before) == std::array{true, true, true, false});
  CHECK(row(drill_failed) == std::array{true, false, false, false});
  CHECK(row(drill_long_ago) == std::array{true, false, false, false});
  CHECK(row(drill_to_come) == std::array{true, false, false, false});
  CHECK(row(drill_boot) == std::array{true, true, true, true});
  CHECK(row(unproven) == std::array{true, false, false, false});
  // A drill of an earlier set that failed says nothing of this one.
  CHECK(go(
      [](NodeSeen& node) {
        node.facts.last_drill_run_id = "20261101T020000Z";
        node.facts.last_drill_result = "Damaged";
        node.facts.last_drill_time = k_now - hours(500);
      },
      Proof::boot));
}

TEST_CASE("of several servers each needs its own set") {
  const auto of_two = [](const Change& change, bool one_server = false) {
    GuardRules of = rules();
    of.one_server = one_server;
    return judge_guard({good(), with(change, "server-2")}, of, k_now);
  };
  CHECK(of_two([](NodeSeen&) {}).reason == GuardReason::ready);

  const GuardVerdict lacking = of_two(without_set);
  CHECK(lacking.reason == GuardReason::incomplete);
  CHECK(exit_code_for(lacking.reason) == ExitCode::incomplete);
  CHECK(lacking.message == "server-2: there is no complete set");
  REQUIRE(lacking.nodes.size() == 2);
  CHECK(lacking.nodes[0].reason == GuardReason::ready);

  CHECK(of_two([](NodeSeen& node) { node.facts.last_success_time = k_now - hours(30); }).reason ==
        GuardReason::stale);
  CHECK(of_two(without_set, true).reason == GuardReason::ready); // --servers one
  CHECK(of_two([](NodeSeen& node) { node.facts.untrusted_sets = 1; }).reason ==
        GuardReason::untrusted);
  // A control plane without etcd has none to make one of.
  CHECK(of_two([](NodeSeen& node) {
          without_set(node);
          node.facts.datastore = api::Datastore::none;
        }).reason == GuardReason::ready);
  CHECK(judge_guard({with(without_set), with(without_set, "server-2")}, rules(), k_now).reason ==
        GuardReason::never_ran);
}

TEST_CASE("a server that has been silent for a day left the cluster; for less it may be down") {
  const auto silent_for = [](seconds silence) {
    return judge_guard({good(), with([&](NodeSeen& node) { node.silence = silence; }, "server-2")},
                       rules(),
                       k_now);
  };
  CHECK(silent_for(hours(24)).reason == GuardReason::facts_stale);
  const GuardVerdict left = silent_for(hours(25));
  CHECK(left.reason == GuardReason::ready);
  CHECK_FALSE(left.nodes.at(1).counts);
  // If there is nobody else, nobody knows.
  CHECK(judged([](NodeSeen& node) { node.silence = hours(25); }).reason ==
        GuardReason::facts_stale);
}

TEST_CASE("the way back is the newest set of an older k3s") {
  const auto older = [](const char* run_id, const char* version, hours ago) {
    NodeSeen node = good("server-2");
    node.facts.last_success_run_id = run_id;
    node.facts.last_success_k3s_version = version;
    node.facts.last_success_time = k_now - ago;
    return node;
  };
  // server-1 was upgraded already, and its newest set is of after.
  GuardVerdict verdict = judge_guard(
      {with([](NodeSeen& node) { node.facts.last_success_k3s_version = "v1.35.1+k3s1"; }),
       older("20261122T010000Z", "v1.34.4+k3s1", hours(11))},
      rules(),
      k_now);
  CHECK(verdict.reason == GuardReason::ready);
  CHECK(verdict.set_to_keep == "20261122T010000Z on server-2");

  verdict = judged([](NodeSeen& node) { node.facts.last_success_k3s_version = "v1.35.1+k3s1"; });
  CHECK(verdict.reason == GuardReason::ready);
  CHECK_FALSE(verdict.way_back);
  CHECK(verdict.set_to_keep.empty());

  verdict = judged([](NodeSeen& node) { node.facts.last_success_k3s_version.clear(); });
  REQUIRE(verdict.way_back); // an agent of an earlier release
  CHECK(verdict.way_back->way == k3s::WayBack::unknown);
  CHECK(has(verdict.message, "of an unknown k3s"));
  CHECK(verdict.set_version.empty());
}

TEST_CASE("a backup is worth making only where it changes the verdict") {
  const auto needing = [](const std::vector<NodeSeen>& nodes, const GuardRules& of = rules()) {
    return nodes_to_back_up(judge_guard(nodes, of, k_now), of);
  };
  const auto stale = [](NodeSeen& node) { node.facts.last_success_time = k_now - hours(30); };
  const auto untrusted = [](NodeSeen& node) { node.facts.untrusted_sets = 1; };
  using Names = std::vector<std::string>;
  CHECK(needing({good()}).empty());
  CHECK(needing({with(stale)}) == Names{"server-1"});
  CHECK(needing({with(without_set)}) == Names{"server-1"});
  CHECK(needing({with(unproven)}) == Names{"server-1"});
  CHECK(needing({with(unproven)}, rules(Proof::drill)).empty()); // it takes the key
  CHECK(needing({with(untrusted)}).empty());
  CHECK(needing({good(), with(without_set, "server-2")}) == Names{"server-2"});
  CHECK(needing({with(untrusted), with(stale, "server-2")}).empty()); // it would stay as it is
  GuardRules one = rules();
  one.one_server = true;
  CHECK(needing({with(stale), with(without_set, "server-2")}, one) == Names{"server-1"});
  CHECK(needing({}).empty());
}

TEST_CASE("the words are told apart, and each has its row") {
  for (const auto& word : words_of(GuardReason{})) {
    CHECK(from_word<GuardReason>(word.text) == word.value);
  }
  CHECK(words_of(GuardReason{}).size() ==
        static_cast<std::size_t>(GuardReason::controller_unavailable) + 1);
}
