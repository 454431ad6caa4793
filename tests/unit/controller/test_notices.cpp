// What a receiver is told, by what is seen and what it was told last. Each case is a situation.
#include "controller/notices.hpp"
#include "world.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using api::ConditionStatus;
using notify::Message;
using notify::MessageKind;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const Taste k_dead_man{.starts = true, .successes = true, .recoveries = false, .copies = false};
const Taste k_webhook{.starts = false, .successes = false, .recoveries = true, .copies = true};
const SystemTime k_now = k_start + hours(1);

api::ReceiverState set_up(SystemTime since = k_start - hours(24)) {
  return {"Webhook", since, {}, {}, {}};
}

RunSeen run(bool succeeded, SystemTime end = k_start + minutes(5)) {
  RunSeen run;
  run.name = "nightly";
  run.run_id = "20260101T020000Z";
  run.node = "n1";
  run.start_time = k_start;
  run.completion_time = end;
  run.succeeded = succeeded;
  run.reason = succeeded ? "Completed" : "StorageFull";
  run.message = succeeded ? "" : "no space";
  return run;
}

NoticeView ended(const RunSeen& run) {
  NoticeView view;
  view.last = run;
  return view;
}

NoticeView judged(ConditionStatus status, const char* reason, SystemTime since) {
  NoticeView view;
  view.current =
      api::Condition{"BackupCurrent", status, reason, "the newest is 40 h old", since, 1};
  view.expected_interval = hours(24);
  return view;
}

NoticeView drilled(const char* result, SystemTime time) {
  NoticeView view;
  view.nodes.resize(1);
  view.nodes[0].node_name = "n1";
  view.nodes[0].last_drill_time = time;
  view.nodes[0].last_drill_result = result;
  view.nodes[0].last_drill_run_id = "20260101T020000Z";
  return view;
}

NoticeView verified(const char* result, SystemTime time) {
  NoticeView view;
  view.nodes.resize(1);
  view.nodes[0].node_name = "n1";
  view.nodes[0].last_verify_time = time;
  view.nodes[0].last_verify_result = result;
  view.nodes[0].last_verify_sets = 7;
  view.nodes[0].last_verify_bad_sets = 2;
  return view;
}

NoticeView copied(ConditionStatus status, SystemTime since) {
  RunSeen seen = run(true);
  seen.replicated =
      api::Condition{"Replicated", status, "OffsiteUnreachable", "no route", since, 1};
  NoticeView view;
  view.offsite = seen;
  return view;
}

/// A run on three servers that succeeded; as the store has it.
NoticeView on_servers(ConditionStatus status, SystemTime end) {
  const bool all = status == ConditionStatus::true_;
  RunSeen seen = run(true, end);
  seen.copies = api::Condition{"Copies",
                               status,
                               all ? "Completed" : "AgentUnavailable",
                               all ? "3 of 3 servers"
                                   : "1 of 3 servers: cp-2: its agent is not ready; cp-3: no space",
                               end,
                               1};
  NoticeView view = ended(seen);
  view.copies = seen;
  return view;
}

/// Told now, and told again with what was told: nothing.
std::vector<Message> told_once(const NoticeView& view,
                               const Taste& taste,
                               api::ReceiverState& told,
                               SystemTime now = k_now) {
  const auto messages = notices(view, taste, told, now);
  for (const Message& message : messages) {
    told = with_told(std::move(told), message);
  }
  CHECK(notices(view, taste, told, now).empty());
  CHECK(notices(view, taste, told, now + hours(24)).empty());
  return messages;
}

Message only(const std::vector<Message>& messages) {
  REQUIRE(messages.size() == 1);
  return messages.front();
}

} // namespace

TEST_CASE("nothing is seen, nothing is told") {
  CHECK(notices({}, k_dead_man, set_up(), k_now).empty());
  CHECK(notices({}, k_webhook, set_up(), k_now).empty());
}

TEST_CASE("a run that failed is told once, with its reason and what to do") {
  for (const Taste& taste : {k_dead_man, k_webhook}) {
    auto told = set_up();
    const Message message = only(told_once(ended(run(false)), taste, told));
    CHECK(message.kind == MessageKind::problem);
    CHECK(message.title == "backup failed: StorageFull");
    CHECK(message.text == "run 20260101T020000Z (nightly) on node n1 ended at 2026-01-01T02:05:00Z "
                          "with StorageFull: no space\nwhat to do: railiance-backup show nightly");
    CHECK(message.node == "n1");
    CHECK(message.run_id == "20260101T020000Z");
    CHECK(message.reason == "StorageFull");
  }
}

TEST_CASE("a run that left something out says so") {
  auto told = set_up();
  RunSeen incomplete = run(false);
  incomplete.reason = "Incomplete";
  CHECK(only(told_once(ended(incomplete), k_webhook, told)).title == "backup incomplete");
}

TEST_CASE("a run that succeeded is told to a dead-man check, and to a webhook that wants it") {
  auto told = set_up();
  CHECK(only(told_once(ended(run(true)), k_dead_man, told)).kind == MessageKind::succeeded);
  told = set_up();
  CHECK(told_once(ended(run(true)), k_webhook, told).empty());
  Taste eager = k_webhook;
  eager.successes = true;
  CHECK(only(told_once(ended(run(true)), eager, told)).kind == MessageKind::succeeded);
}

TEST_CASE("the success after a failure that was told ends it") {
  auto told = set_up();
  CHECK(told_once(ended(run(false)), k_webhook, told).size() == 1);
  const NoticeView next = ended(run(true, k_start + minutes(50)));
  const Message over = only(told_once(next, k_webhook, told));
  CHECK(over.kind == MessageKind::recovered);
  CHECK(over.title == "backups succeed again");
  CHECK(told_once(ended(run(true, k_start + minutes(55))), k_webhook, told).empty());
}

TEST_CASE("each failure is told, however many there are in a row") {
  auto told = set_up();
  for (int i = 0; i < 3; ++i) {
    CHECK(told_once(ended(run(false, k_start + minutes(5 + i))), k_webhook, told).size() == 1);
  }
}

TEST_CASE("servers without a set of a run that succeeded are told once for each run, by name") {
  auto told = set_up();
  const auto one = on_servers(ConditionStatus::false_, k_start + minutes(5));
  const Message message = only(told_once(one, k_webhook, told));
  CHECK(message.kind == MessageKind::problem);
  CHECK(message.topic == "copies");
  CHECK(message.title == "backup not on every server: AgentUnavailable");
  CHECK(message.text ==
        "run 20260101T020000Z (nightly) ended at 2026-01-01T02:05:00Z with a whole set on "
        "1 of 3 servers: cp-2: its agent is not ready; cp-3: no space\n"
        "what to do: railiance-backup show nightly");
  CHECK(message.run_id == "20260101T020000Z");
  CHECK(message.reason == "AgentUnavailable");
  const auto next = on_servers(ConditionStatus::false_, k_start + minutes(50));
  CHECK(only(told_once(next, k_webhook, told)).topic == "copies");
}

TEST_CASE("the run that has a set on every server ends what was told of servers without one") {
  auto told = set_up();
  const auto whole = on_servers(ConditionStatus::true_, k_start + minutes(1));
  CHECK(told_once(whole, k_webhook, told).empty()); // nothing was wrong
  const auto lacking = on_servers(ConditionStatus::false_, k_start + minutes(5));
  CHECK(told_once(lacking, k_webhook, told).size() == 1);
  const auto again = on_servers(ConditionStatus::true_, k_start + minutes(50));
  const Message over = only(told_once(again, k_webhook, told));
  CHECK(over.kind == MessageKind::recovered);
  CHECK(over.title == "backup on every server again");
  CHECK(over.text.ends_with("with a whole set on 3 of 3 servers"));
  CHECK(told_once(on_servers(ConditionStatus::true_, k_start + minutes(55)), k_webhook, told)
            .empty());
}

TEST_CASE("for a dead-man check a run that lacks a set on some server is a success") {
  auto told = set_up();
  const auto lacking = on_servers(ConditionStatus::false_, k_start + minutes(5));
  CHECK(only(told_once(lacking, k_dead_man, told)).kind == MessageKind::succeeded);

  // Who wants both gets the success first.
  told = set_up();
  Taste eager = k_webhook;
  eager.successes = true;
  const auto both = told_once(lacking, eager, told);
  REQUIRE(both.size() == 2);
  CHECK(both[0].kind == MessageKind::succeeded);
  CHECK(both[1].topic == "copies");
}

TEST_CASE("a run that goes on is told to a dead-man check once, before its end") {
  auto told = set_up();
  NoticeView view;
  view.active = run(true);
  CHECK(only(told_once(view, k_dead_man, told)).kind == MessageKind::started);
  CHECK(told_once(view, k_webhook, told).empty());
  CHECK(only(told_once(ended(run(true)), k_dead_man, told)).kind == MessageKind::succeeded);

  // The end of one and the start of the next, both not told yet: in their order.
  told = set_up();
  view = ended(run(true));
  view.active = run(true);
  view.active->start_time = k_start + minutes(10);
  const auto both = told_once(view, k_dead_man, told);
  REQUIRE(both.size() == 2);
  CHECK(both[0].kind == MessageKind::succeeded);
  CHECK(both[1].kind == MessageKind::started);
}

TEST_CASE("what happened before a receiver was set up is not told, what holds is") {
  auto told = set_up(k_now);
  CHECK(told_once(ended(run(false)), k_webhook, told).empty());
  CHECK(told_once(drilled("Damaged", k_start), k_webhook, told).empty());
  CHECK(told_once(judged(ConditionStatus::false_, "Stale", k_start), k_webhook, told).size() == 1);
}

TEST_CASE("no backup for longer than expected is told once, and when there is one again") {
  auto told = set_up();
  const Message message =
      only(told_once(judged(ConditionStatus::false_, "Stale", k_start), k_webhook, told));
  CHECK(message.kind == MessageKind::problem);
  CHECK(message.title == "no backup for longer than expected");
  CHECK(message.text == "Stale: the newest is 40 h old\nwhat to do: railiance-backup status");
  const auto again = judged(ConditionStatus::true_, "Current", k_start + minutes(30));
  CHECK(only(told_once(again, k_webhook, told)).kind == MessageKind::recovered);
  const auto later = judged(ConditionStatus::false_, "Stale", k_start + minutes(40));
  CHECK(told_once(later, k_webhook, told).size() == 1);
}

TEST_CASE("which states of BackupCurrent are told, and after how long") {
  struct Row {
    ConditionStatus status;
    const char* reason;
    seconds held;
    bool told;
  };
  const auto k_false = ConditionStatus::false_;
  const auto k_unknown = ConditionStatus::unknown;
  const std::vector<Row> rows{
      {ConditionStatus::true_, "Current", hours(100), false}, // nothing was wrong
      {k_false, "Stale", seconds(1), true},
      {k_false, "NeverRan", hours(36), false}, // the first one is not due yet
      {k_false, "NeverRan", hours(36) + seconds(1), true},
      {k_false, "LastFailed", hours(100), false}, // the run's end is told
      {k_false, "Incomplete", hours(100), false},
      {k_unknown, "FactsStale", minutes(15) - seconds(1), false}, // passes by itself, mostly
      {k_unknown, "FactsStale", minutes(15), true},
      {k_unknown, "AgentUnavailable", minutes(15), true},
      {k_unknown, "ClockAnomaly", minutes(15), true},
      {k_unknown, "RunStalled", minutes(15), true},
      {k_unknown, "ControllerRestarting", minutes(15), true},
      {k_unknown, "NoExpectedInterval", hours(100), false}, // the operator wants it so
      {k_unknown, "SomethingNewer", minutes(15), true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reason);
    CAPTURE(row.held.count());
    const auto view = judged(row.status, row.reason, k_now - row.held);
    CHECK(notices(view, k_webhook, set_up(), k_now).empty() == !row.told);
  }
  NoticeView unscheduled = judged(k_false, "NeverRan", k_now - hours(1000));
  unscheduled.expected_interval = {};
  CHECK(notices(unscheduled, k_webhook, set_up(), k_now).empty());
}

TEST_CASE("another reason of the same state is no news, another state is") {
  auto told = set_up();
  const auto since = k_now - hours(1);
  CHECK(told_once(judged(ConditionStatus::unknown, "FactsStale", since), k_webhook, told).size() ==
        1);
  CHECK(told_once(judged(ConditionStatus::unknown, "RunStalled", since), k_webhook, told).empty());
  CHECK(told_once(judged(ConditionStatus::false_, "Stale", k_now), k_webhook, told).size() == 1);
}

TEST_CASE("a drill that failed is told once, and the one that passes after it") {
  auto told = set_up();
  const Message message = only(told_once(drilled("Damaged", k_start), k_webhook, told));
  CHECK(message.kind == MessageKind::problem);
  CHECK(message.title == "drill failed: Damaged");
  CHECK(message.text.find("set 20260101T020000Z on node n1") != std::string::npos);
  CHECK(message.text.find("RailianceBackupDrillFailed") != std::string::npos);
  CHECK(only(told_once(drilled("Passed", k_now), k_webhook, told)).kind == MessageKind::recovered);
  CHECK(told_once(drilled("Passed", k_now + hours(1)), k_webhook, told, k_now + hours(2)).empty());
  CHECK(told_once(drilled("", {}), k_webhook, told).empty());
}

TEST_CASE("a check of all sets that failed is told once, and the one that passes after it") {
  auto told = set_up();
  const Message message = only(told_once(verified("Damaged", k_start), k_webhook, told));
  CHECK(message.kind == MessageKind::problem);
  CHECK(message.topic == "verify/n1");
  CHECK(message.title == "verify failed: Damaged");
  CHECK(message.text ==
        "the check of all 7 sets on node n1 ended at 2026-01-01T02:00:00Z with Damaged; bad: 2\n"
        "what to do: on that node: railiance-restore verify --all "
        "(docs/runbooks/RailianceBackupVerifyFailed.md)");
  CHECK(message.node == "n1");
  CHECK(message.reason == "Damaged");
  CHECK(only(told_once(verified("Passed", k_now), k_webhook, told)).kind == MessageKind::recovered);
  CHECK(told_once(verified("", {}), k_webhook, told).empty());
  CHECK(
      told_once(verified("Damaged", k_now + hours(1)), k_dead_man, told, k_now + hours(2)).size() ==
      1);
}

TEST_CASE("a check of all sets is no problem where a run left something out, which was told") {
  auto told = set_up();
  CHECK(told_once(verified("Incomplete", k_start), k_webhook, told).empty());
  CHECK(told_once(verified("NothingToRestore", k_start + minutes(1)), k_webhook, told).size() == 1);
  CHECK(only(told_once(verified("Incomplete", k_now), k_webhook, told)).kind ==
        MessageKind::recovered);
}

TEST_CASE("a drill and a check of all sets of one node are told apart") {
  auto told = set_up();
  NoticeView both = drilled("Damaged", k_start);
  both.nodes[0].last_verify_result = "Damaged";
  both.nodes[0].last_verify_time = k_start;
  CHECK(told_once(both, k_webhook, told).size() == 2);
  both.nodes[0].last_drill_result = "Passed";
  both.nodes[0].last_drill_time = k_now;
  CHECK(only(told_once(both, k_webhook, told)).topic == "drill/n1");
}

TEST_CASE("a copy off-site that fails is told once it has failed for a quarter of an hour") {
  auto told = set_up();
  const auto failed = copied(ConditionStatus::false_, k_start);
  CHECK(notices(failed, k_webhook, told, k_start + minutes(15) - seconds(1)).empty());
  CHECK(notices(copied(ConditionStatus::unknown, k_start), k_webhook, told, k_now).empty());
  const Message message = only(told_once(failed, k_webhook, told));
  CHECK(message.title == "copy off-site failed: OffsiteUnreachable");
  CHECK(message.text.find("no route") != std::string::npos);
  CHECK(message.reason == "OffsiteUnreachable");
  CHECK(only(told_once(copied(ConditionStatus::true_, k_now), k_webhook, told)).kind ==
        MessageKind::recovered);
}

TEST_CASE(
    "a copy off-site that fails on one of several servers is told of the run, not of a node") {
  auto told = set_up();
  auto failed = copied(ConditionStatus::false_, k_start);
  failed.offsite->copies =
      api::Condition{"Copies", ConditionStatus::true_, "Completed", "3 of 3 servers", k_start, 1};
  failed.offsite->replicated->message = "2 of 3 copied, not cp-3; cp-3: no route";
  const Message message = only(told_once(failed, k_webhook, told));
  CHECK(message.text ==
        "the sets of run 20260101T020000Z (nightly): 2 of 3 copied, not cp-3; cp-3: no route\n"
        "what to do: railiance-backup show nightly (docs/offsite.md)");
  CHECK(message.node.empty());
}

TEST_CASE(
    "a copy off-site that does not come is told after a day, or longer where that is normal") {
  auto told = set_up();
  NoticeView view;
  view.waiting = run(true);
  view.waiting->replicated = api::Condition{
      "Replicated", ConditionStatus::unknown, "Pending", "2 of 3 copied, not cp-3", k_start, 1};
  CHECK(notices(view, k_webhook, told, k_start + hours(24) - seconds(1)).empty());
  view.expected_interval = hours(24);
  CHECK(notices(view, k_webhook, told, k_start + hours(36) - seconds(1)).empty());
  const Message message = only(told_once(view, k_webhook, told, k_start + hours(36)));
  CHECK(message.title == "copy off-site does not come");
  CHECK(message.text.find("2 of 3 copied, not cp-3\nwhat to do: kubectl") != std::string::npos);
}

TEST_CASE("a receiver that cannot be told of problems is told of what succeeded") {
  const Taste ping{.successes = true, .problems = false};
  auto told = set_up();
  CHECK(told_once(ended(run(false)), ping, told).empty());
  CHECK(only(told_once(ended(run(true)), ping, told)).kind == MessageKind::succeeded);
}

TEST_CASE("a dead-man check fails with a drill and a copy, too, and is not told of their end") {
  auto told = set_up();
  CHECK(told_once(drilled("Damaged", k_start), k_dead_man, told).size() == 1);
  CHECK(told_once(drilled("Passed", k_now), k_dead_man, told).empty());
  CHECK(told_once(copied(ConditionStatus::false_, k_start), k_dead_man, told).size() == 1);
}

TEST_CASE("a test is told to each receiver that was there when it was asked for, once") {
  NoticeView view;
  view.test_asked = k_now;
  for (const Taste& taste : {k_dead_man, k_webhook}) {
    auto told = set_up();
    CHECK(only(told_once(view, taste, told)).kind == MessageKind::test);
  }
  CHECK(notices(view, k_webhook, set_up(k_now), k_now).empty());
}

TEST_CASE("a clock that was ahead once holds nothing up") {
  auto told = set_up(k_now + hours(1000));
  told.topics.push_back({"run", k_now + hours(1000), false});
  CHECK(notices(ended(run(false)), k_webhook, told, k_now).size() == 1);
}

TEST_CASE("what is of a clock that is ahead is told once, too") {
  auto told = set_up();
  CHECK(told_once(drilled("Damaged", k_now + hours(10)), k_webhook, told).size() == 1);
}

TEST_CASE("the cluster's name stands before the title") {
  NoticeView view = ended(run(false));
  view.cluster = "home";
  const Message message = only(notices(view, k_webhook, set_up(), k_now));
  CHECK(message.title == "home: backup failed: StorageFull");
  CHECK(message.cluster == "home");
}

TEST_CASE("what was told stays bounded: the oldest topics go") {
  auto told = set_up();
  Message message;
  for (std::size_t i = 0; i < api::k_told_topics_limit + 5; ++i) {
    message.topic = "drill/" + std::to_string(i);
    message.time = k_start + seconds(i);
    told = with_told(std::move(told), message);
  }
  CHECK(told.topics.size() == api::k_told_topics_limit);
  CHECK(told.topics.front().topic == "drill/5");
}
