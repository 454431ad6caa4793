// BackupCurrent: what is said, and what it takes to say it.
#include "status/current.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::status;
using api::AttemptResult;
using api::ConditionStatus;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

const SystemTime k_now = parse_rfc3339("2026-11-23T09:00:00Z").value();

/// A node that looked a minute ago and has a backup of that age.
NodeSeen node_with(seconds age) {
  NodeSeen node;
  node.facts.node_name = "server-1";
  node.facts.last_success_run_id = "20261123T020000Z";
  node.facts.last_success_time = k_now - age;
  node.facts.last_attempt_time = node.facts.last_success_time;
  node.facts.last_attempt_result = AttemptResult::succeeded;
  node.facts.last_attempt_reason = "Completed";
  node.silence = seconds(60);
  return node;
}

NodeSeen empty_node() {
  NodeSeen node;
  node.facts.node_name = "server-2";
  node.silence = seconds(10);
  return node;
}

CurrentInput input_with(std::vector<NodeSeen> nodes) {
  CurrentInput input;
  input.now = k_now;
  input.expected_interval = hours(24);
  input.nodes = std::move(nodes);
  return input;
}

NodeSeen after_attempt(NodeSeen node, AttemptResult result, const char* reason) {
  node.facts.last_attempt_time = k_now - seconds(30);
  node.facts.last_attempt_result = result;
  node.facts.last_attempt_reason = reason;
  return node;
}

} // namespace

TEST_CASE("a backup that is young enough is current, and the message says which") {
  const Current current = judge(input_with({node_with(hours(7))}));
  CHECK(current.reason == CurrentReason::current);
  CHECK(current.message == "20261123T020000Z on server-1, 7 h old; one is expected every 24 h");
  CHECK(current.last_success_run_id == "20261123T020000Z");
  CHECK(current.last_success_node == "server-1");
}

TEST_CASE("half an interval of patience, and not a second more") {
  CHECK(judge(input_with({node_with(hours(36))})).reason == CurrentReason::current);
  const Current late = judge(input_with({node_with(hours(36) + seconds(1))}));
  CHECK(late.reason == CurrentReason::stale);
  CHECK(status_of(late.reason) == ConditionStatus::false_);
}

TEST_CASE("one current backup on any node is enough") {
  CHECK(judge(input_with({empty_node(), node_with(hours(7))})).reason == CurrentReason::current);
}

TEST_CASE("servers without a set of their own that is young enough are named, and it is current") {
  const auto server = [](const char* name, seconds age) {
    NodeSeen node = age.count() == 0 ? empty_node() : node_with(age);
    node.facts.node_name = name;
    node.facts.datastore = api::Datastore::embedded_etcd;
    return node;
  };
  CurrentInput input = input_with({server("cp-1", hours(7)), server("cp-2", hours(7))});
  CHECK(judge(input).message == "20261123T020000Z on cp-1, 7 h old; one is expected every 24 h");
  input.nodes.push_back(server("cp-3", hours(37)));
  input.nodes.push_back(server("cp-4", seconds(0)));
  CHECK(judge(input).reason == CurrentReason::current);
  CHECK(judge(input).message == "20261123T020000Z on cp-1, 7 h old; one is expected every 24 h; on "
                                "2 of 4 servers, not on cp-3, cp-4");
  CHECK(copies_of(input).servers == 4);
  CHECK(copies_of(input).current == 2);
  input.nodes[3].has_agent = false; // removed from the cluster
  CHECK(copies_of(input).without == std::vector<std::string>{"cp-3"});
  input.nodes[2].facts.datastore = api::Datastore::none;
  CHECK(copies_of(input).servers == 2);
  CHECK(judge(input).message.ends_with("every 24 h"));
}

TEST_CASE("of several servers one that fails says nothing of a run that succeeded or goes on") {
  const auto server = [](const char* name, NodeSeen node) {
    node.facts.node_name = name;
    node.facts.datastore = api::Datastore::embedded_etcd;
    return node;
  };
  const NodeSeen failed = after_attempt(node_with(hours(24)), AttemptResult::failed, "StorageFull");
  CurrentInput input = input_with({server("cp-1", node_with(seconds(60))), server("cp-2", failed)});
  CHECK(judge(input).reason == CurrentReason::last_failed); // nobody knows of a run
  api::LastRun run{"b", "20261123T085900Z", k_now - seconds(31), true, "Completed"};
  SUBCASE("the run succeeded; the clock of that server is a second ahead") {
    input.last_run = run;
    CHECK(judge(input).reason == CurrentReason::current);
  }
  SUBCASE("the run goes on") {
    input.running_since = k_now - seconds(90);
    CHECK(judge(input).reason == CurrentReason::current);
  }
  SUBCASE("it is of a run after that") {
    run.completion_time = k_now - hours(2);
    input.last_run = run;
    CHECK(judge(input).reason == CurrentReason::last_failed);
  }
  SUBCASE("the run failed everywhere") {
    run.succeeded = false;
    run.reason = "StorageFull";
    input.last_run = run;
    CHECK(judge(input).reason == CurrentReason::last_failed);
  }
}

TEST_CASE("no backup and no attempt: it never ran") {
  CHECK(judge(input_with({empty_node()})).reason == CurrentReason::never_ran);
}

TEST_CASE("no backup after an attempt: what came of it") {
  CHECK(judge(input_with({after_attempt(empty_node(), AttemptResult::failed, "StorageFull")}))
            .reason == CurrentReason::last_failed);
  CHECK(judge(input_with({after_attempt(empty_node(), AttemptResult::incomplete, "Incomplete")}))
            .reason == CurrentReason::incomplete);
}

TEST_CASE("a failure after a good backup is said at once, with its reason") {
  const Current current =
      judge(input_with({after_attempt(node_with(hours(7)), AttemptResult::failed, "StorageFull")}));
  CHECK(current.reason == CurrentReason::last_failed);
  CHECK(current.message.find("with StorageFull") != std::string::npos);
  CHECK(current.last_success_time == k_now - hours(7));
}

TEST_CASE("a run that reached no agent counts, too") {
  CurrentInput input = input_with({node_with(hours(7))});
  input.last_run = api::LastRun{"nightly", "", k_now - seconds(60), false, "AgentUnavailable"};
  CHECK(judge(input).reason == CurrentReason::last_failed);
  input.last_run->completion_time = k_now - hours(8); // before the backup
  CHECK(judge(input).reason == CurrentReason::current);
  input.last_run = api::LastRun{"nightly", "", k_now - seconds(60), false, "Incomplete"};
  CHECK(judge(input).reason == CurrentReason::incomplete);
}

TEST_CASE("a run that does not get on, or that is past its deadline, is not passed over") {
  CurrentInput input = input_with({node_with(hours(7))});
  input.active_run = ActiveRun{"nightly", k_now - seconds(600), k_now + seconds(3000)};
  CHECK(judge(input).reason == CurrentReason::current);
  input.active_run->last_progress = k_now - seconds(601);
  const Current stalled = judge(input);
  CHECK(stalled.reason == CurrentReason::run_stalled);
  CHECK(status_of(stalled.reason) == ConditionStatus::unknown);
  CHECK(exit_code_for(stalled.reason) == ExitCode::unreachable);
  CHECK(stalled.message == "the run nightly has not got on since 2026-11-23T08:49:59Z; the newest "
                           "complete backup is 20261123T020000Z on server-1, 7 h old; one is "
                           "expected every 24 h");
  CHECK(stalled.last_success_run_id == "20261123T020000Z");
  input.active_run->last_progress = k_now; // the agent's heart beats
  input.active_run->deadline = k_now - seconds(61);
  CHECK(judge(input).reason == CurrentReason::run_stalled);
  CHECK(judge(input_with({empty_node()})).reason == CurrentReason::never_ran);
}

TEST_CASE("a controller that does not stay up is not passed over") {
  CurrentInput input = input_with({node_with(hours(7))});
  // An upgrade, and a run that took the controller with it twice.
  input.controller_starts = {k_now - hours(2), k_now - seconds(900), k_now - seconds(60), k_now};
  CHECK(judge(input).reason == CurrentReason::current);
  input.controller_starts[0] = k_now - seconds(1800);
  const Current restarting = judge(input);
  CHECK(restarting.reason == CurrentReason::controller_restarting);
  CHECK(restarting.message.starts_with("the controller started 4 times within 30 min"));
  CHECK(parse_current_reason("ControllerRestarting") == CurrentReason::controller_restarting);
  CHECK(parse_current_reason("RunStalled") == CurrentReason::run_stalled);
}

TEST_CASE("without an agent's word nothing is proven") {
  CHECK(judge(input_with({})).reason == CurrentReason::agent_unavailable);
  NodeSeen silent = node_with(hours(1));
  silent.silence = seconds(301);
  const Current current = judge(input_with({silent}));
  CHECK(current.reason == CurrentReason::facts_stale);
  CHECK(status_of(current.reason) == ConditionStatus::unknown);
  CHECK_FALSE(current.last_success_time);
}

TEST_CASE("a silent node may hold the backup that the others lack") {
  NodeSeen silent = node_with(hours(1));
  silent.silence = hours(3);
  CHECK(judge(input_with({empty_node(), silent})).reason == CurrentReason::facts_stale);
  NodeSeen current = node_with(hours(2));
  CHECK(judge(input_with({current, silent})).reason == CurrentReason::current);
}

TEST_CASE("without a schedule nobody said how old a backup may be") {
  CurrentInput input = input_with({node_with(hours(1))});
  input.expected_interval = seconds(0);
  CHECK(judge(input).reason == CurrentReason::no_expected_interval);
  input.nodes = {empty_node()};
  CHECK(judge(input).reason == CurrentReason::never_ran); // that is known all the same
}

TEST_CASE("a backup of tomorrow means a wrong clock, not a current backup") {
  CHECK(judge(input_with({node_with(-hours(1))})).reason == CurrentReason::clock_anomaly);
  CHECK(judge(input_with({node_with(-seconds(30))})).reason == CurrentReason::current);
  NodeSeen behind = node_with(hours(1));
  behind.facts.clock_anomaly = true;
  CHECK(judge(input_with({behind})).reason == CurrentReason::clock_anomaly);
}

TEST_CASE("a reader does not believe an object that nobody keeps") {
  api::BackupStatusStatus status;
  CHECK(as_read(status, k_now).reason == CurrentReason::controller_unavailable);
  status.conditions = {{std::string(api::condition_type::k_backup_current),
                        ConditionStatus::true_,
                        "Current",
                        "all is well",
                        k_now,
                        1}};
  status.observed_time = k_now - seconds(300);
  CHECK(as_read(status, k_now).reason == CurrentReason::current);
  CHECK(as_read(status, k_now).message == "all is well");
  status.observed_time = k_now - seconds(301);
  const Current old = as_read(status, k_now);
  CHECK(old.reason == CurrentReason::controller_unavailable);
  CHECK(old.message.find("then it was Current") != std::string::npos);
}

TEST_CASE("every reason has a word that is read back, a status and an exit code") {
  for (const char* word : {"Current",
                           "NeverRan",
                           "Stale",
                           "LastFailed",
                           "Incomplete",
                           "AgentUnavailable",
                           "FactsStale",
                           "ClockAnomaly",
                           "NoExpectedInterval",
                           "ControllerUnavailable"}) {
    const auto reason = parse_current_reason(word);
    REQUIRE(reason);
    CHECK(to_string(*reason) == word);
    CHECK((exit_code_for(*reason) == ExitCode::done) ==
          (status_of(*reason) == ConditionStatus::true_));
    CHECK((exit_code_for(*reason) == ExitCode::unreachable) ==
          (status_of(*reason) == ConditionStatus::unknown));
  }
  CHECK_FALSE(parse_current_reason("Fine"));
}
