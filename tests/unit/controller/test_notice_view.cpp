// What of the objects the notices see: which runs count, and what the store keeps for them.
#include "controller/notices.hpp"
#include "controller/store.hpp"
#include "world.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using api::ConditionStatus;
using std::chrono::minutes;

namespace {

const SystemTime k_now = k_start + std::chrono::hours(24);

} // namespace

TEST_CASE("which runs count") {
  Observed world = cluster();
  const auto end_at = [](api::ClusterBackup backup, int minute, ConditionStatus status) {
    backup.status.run_id = "r-" + backup.meta.name;
    backup.status.start_time = k_start;
    backup.status.completion_time = k_start + minutes(minute);
    backup.status.node_name = "n1";
    backup.status.conditions = {condition("Succeeded", status, api::Reason::storage_full, "why")};
    return backup;
  };
  add(world, end_at(backup("whole"), 1, ConditionStatus::false_));
  api::ClusterBackup partial = end_at(backup("partial"), 2, ConditionStatus::true_);
  partial.spec.artifacts = {api::ArtifactType::kubeconfig};
  add(world, partial);
  CHECK(notice_view_of(world, {}, k_now).last->name == "whole"); // a part by hand says nothing
  CHECK(notice_view_of(world, {}, k_now).last->message == "why");

  partial.meta.uid = "uid-scheduled";
  partial.meta.name = "scheduled";
  partial.spec.scheduled = true;
  add(world, partial);
  CHECK(notice_view_of(world, {}, k_now).last->name == "scheduled");

  api::ClusterBackup astray = end_at(backup("astray"), 3, ConditionStatus::false_);
  astray.spec.node_name = "no-such-node";
  astray.status.node_name.clear();
  add(world, astray);
  CHECK(notice_view_of(world, {}, k_now).last->name == "scheduled");

  CHECK_FALSE(notice_view_of(world, {}, k_now).active);
  api::ClusterBackup active = backup("active");
  add(world, active);
  CHECK_FALSE(notice_view_of(world, {}, k_now).active); // waits
  active.status.start_time = k_start + minutes(10);
  add(world, active);
  CHECK(notice_view_of(world, {}, k_now).active->name == "active");
}

TEST_CASE("a run that ended while a clock was ahead hides none that ends after it") {
  Observed world = cluster();
  const auto add_run = [&](const std::string& name, SystemTime end, ConditionStatus status) {
    api::ClusterBackup ended = backup(name);
    ended.status.start_time = k_start;
    ended.status.completion_time = end;
    ended.status.conditions = {condition("Succeeded", status, api::Reason::storage_full, "why"),
                               condition("Replicated", status, api::Reason::remote_failed, "no")};
    add(world, ended);
  };
  add_run("ahead", k_now + std::chrono::hours(24 * 365), ConditionStatus::true_);
  add_run("failed", k_now - minutes(1), ConditionStatus::false_);
  NoticeView view = notice_view_of(world, {}, k_now);
  CHECK(view.last->name == "failed");
  CHECK(view.offsite->name == "failed");
  add_run("a second ahead", k_now + std::chrono::seconds(1), ConditionStatus::true_);
  CHECK(notice_view_of(world, {}, k_now).last->name == "a second ahead");
}

TEST_CASE("which run waits for its copy off-site: the oldest since one was copied") {
  Observed world = cluster();
  const auto add_run = [&](const std::string& name,
                           int minute,
                           ConditionStatus copy,
                           api::Reason reason = api::Reason::pending) {
    api::ClusterBackup ended = backup(name);
    ended.status.completion_time = k_start + minutes(minute);
    ended.status.conditions = {
        condition("Succeeded", ConditionStatus::true_, api::Reason::completed),
        condition("Replicated", copy, reason)};
    add(world, ended);
  };
  add_run("pruned", 1, ConditionStatus::unknown); // gone before it was copied
  CHECK(notice_view_of(world, {}, k_now).waiting->name == "pruned");
  add_run("copied", 2, ConditionStatus::true_, api::Reason::completed);
  CHECK_FALSE(notice_view_of(world, {}, k_now).waiting);
  add_run("outdated", 3, ConditionStatus::unknown, api::Reason::not_requested);
  add_run("failed", 4, ConditionStatus::false_, api::Reason::storage_full);
  CHECK_FALSE(notice_view_of(world, {}, k_now).waiting); // not sent; told otherwise
  add_run("newest", 6, ConditionStatus::unknown);
  add_run("first", 5, ConditionStatus::unknown);
  CHECK(notice_view_of(world, {}, k_now).waiting->name == "first");
}

TEST_CASE("a run of whose copy nobody says a word waits, where sets are copied off-site") {
  Observed world = cluster();
  api::ClusterBackup ended = backup("ended");
  ended.status.completion_time = k_start + minutes(5);
  ended.status.conditions = {
      condition("Succeeded", ConditionStatus::true_, api::Reason::completed)};
  add(world, ended);
  CHECK_FALSE(notice_view_of(world, {}, k_now).waiting);
  world.settings.offsite_since = k_start;
  const NoticeView view = notice_view_of(world, {}, k_now);
  REQUIRE(view.waiting);
  CHECK(view.waiting->replicated->last_transition_time == k_start + minutes(5));
  CHECK_FALSE(view.offsite);
  world.settings.offsite_since = k_start + minutes(9); // it was set up after the run
  CHECK(notice_view_of(world, {}, k_now).waiting->replicated->last_transition_time ==
        k_start + minutes(9));
  ended.status.conditions = {
      condition("Succeeded", ConditionStatus::false_, api::Reason::storage_full)};
  add(world, ended);
  CHECK_FALSE(notice_view_of(world, {}, k_now).waiting); // there is nothing to copy
}

TEST_CASE("which runs tell of servers without a set") {
  Observed world = cluster();
  const auto end_at = [](const std::string& name, int minute, ConditionStatus result) {
    api::ClusterBackup ended = backup(name);
    ended.status.run_id = "r-" + name;
    ended.status.completion_time = k_start + minutes(minute);
    ended.status.conditions = {condition("Succeeded", result, api::Reason::storage_full)};
    return ended;
  };
  const auto with_copies = [](api::ClusterBackup ended, ConditionStatus copies) {
    ended.status.conditions.push_back(
        condition("Copies", copies, api::Reason::agent_unavailable, "2 of 3 servers: cp-3: why"));
    return ended;
  };
  add(world, end_at("on-one-server", 1, ConditionStatus::true_));
  add(world, with_copies(end_at("failed", 2, ConditionStatus::false_), ConditionStatus::false_));
  add(world, with_copies(end_at("unsaid", 3, ConditionStatus::true_), ConditionStatus::unknown));
  auto partial = with_copies(end_at("part", 4, ConditionStatus::true_), ConditionStatus::false_);
  partial.spec.artifacts = {api::ArtifactType::kubeconfig};
  add(world, partial);
  CHECK_FALSE(notice_view_of(world, {}, k_now).copies);

  add(world, with_copies(end_at("newest", 6, ConditionStatus::true_), ConditionStatus::false_));
  add(world, with_copies(end_at("older", 5, ConditionStatus::true_), ConditionStatus::true_));
  const NoticeView view = notice_view_of(world, {}, k_now);
  REQUIRE(view.copies);
  CHECK(view.copies->name == "newest");
  CHECK(view.copies->copies->message == "2 of 3 servers: cp-3: why");
}

TEST_CASE("the store keeps which servers lack a set of a run that succeeded") {
  const RealClock clock;
  Store store(clock, {});
  store.upsert_backup({{"metadata", {{"name", "a"}, {"uid", "a"}, {"resourceVersion", "1"}}},
                       {"status",
                        {{"runID", "20260101T020000Z"},
                         {"completionTime", "2026-01-01T02:00:00Z"},
                         {"conditions",
                          {{{"type", "Succeeded"},
                            {"status", "True"},
                            {"reason", "Completed"},
                            {"lastTransitionTime", "2026-01-01T02:00:00Z"}},
                           {{"type", "Copies"},
                            {"status", "False"},
                            {"reason", "StorageFull"},
                            {"message", "1 of 2 servers: cp-2: no space"},
                            {"lastTransitionTime", "2026-01-01T02:00:00Z"}}}}}}});
  const NoticeView view = store.notice_view();
  REQUIRE(view.copies);
  CHECK(view.copies->copies->reason == "StorageFull");
  CHECK(view.copies->copies->message == "1 of 2 servers: cp-2: no space");
}

TEST_CASE("the store keeps why a run failed, what was said off-site, and who asked for a test") {
  const RealClock clock;
  Store store(clock, {});
  nlohmann::json object{{"metadata", {{"name", "a"}, {"uid", "a"}, {"resourceVersion", "1"}}},
                        {"status",
                         {{"runID", "20260101T020000Z"},
                          {"completionTime", "2026-01-01T02:00:00Z"},
                          {"conditions",
                           {{{"type", "Succeeded"},
                             {"status", "False"},
                             {"reason", "StorageFull"},
                             {"message", "no space"},
                             {"lastTransitionTime", "2026-01-01T02:00:00Z"}},
                            {{"type", "Replicated"},
                             {"status", "False"},
                             {"reason", "OffsiteUnreachable"},
                             {"message", "no route"},
                             {"lastTransitionTime", "2026-01-01T02:01:00Z"}}}}}}};
  store.upsert_backup(object);
  CHECK(store.notice_view().last->message == "no space");
  CHECK(store.notice_view().offsite->replicated->message == "no route");

  nlohmann::json status = api::new_backup_status();
  status["metadata"]["uid"] = "u";
  store.upsert_backup_status(status);
  CHECK_FALSE(store.notice_view().test_asked);
  status["metadata"]["annotations"][std::string(api::k_notify_test_annotation)] = "now";
  store.upsert_backup_status(status);
  CHECK_FALSE(store.notice_view().test_asked); // no time
  status["metadata"]["annotations"][std::string(api::k_notify_test_annotation)] =
      format_rfc3339(k_start);
  store.upsert_backup_status(status);
  CHECK(store.notice_view().test_asked == k_start);
  store.remove_backup_status();
  CHECK_FALSE(store.notice_view().test_asked);
}
