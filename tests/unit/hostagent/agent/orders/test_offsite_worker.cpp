#include "agent/orders/offsite_worker.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

namespace {

const SystemTime k_now = parse_run_id("20261122T120000Z").value();

api::NodeBackup ended_order(const std::string& run_id) {
  api::NodeBackup order;
  order.meta.name = "uid-1";
  order.meta.controller_owner = api::OwnerReference{"v", "ClusterBackup", "b", "uid-1"};
  order.spec.run_id = run_id;
  order.status.conditions = {{"Succeeded", api::ConditionStatus::true_, "Completed", "", k_now, 1}};
  return order;
}

offsite::View view_of(const std::string& run_id, bool replicated) {
  offsite::View view;
  view.remote = "nextcloud:backups";
  view.sets[run_id] = {"uid-1", replicated};
  return view;
}

} // namespace

TEST_CASE("Replicated is True, False with the reason, or Unknown") {
  const auto order = ended_order("20261122T115200Z");
  auto view = view_of(order.spec.run_id, false);
  CHECK(replicated_condition(view, order)->status == api::ConditionStatus::unknown);
  CHECK(replicated_condition(view, order)->reason == "Pending");
  view.trouble = offsite::Trouble{api::Reason::remote_denied, "401"};
  CHECK(replicated_condition(view, order)->status == api::ConditionStatus::false_);
  CHECK(replicated_condition(view, order)->reason == "RemoteDenied");
  view.sets.at(order.spec.run_id).replicated = true; // another set's trouble is not its own
  CHECK(replicated_condition(view, order)->status == api::ConditionStatus::true_);
  CHECK(replicated_condition(view, order)->reason == "Completed");
}

TEST_CASE(
    "a set that retention over there would remove again is said, and one that was there stays") {
  auto order = ended_order("20260101T115200Z");
  auto view = view_of(order.spec.run_id, false);
  view.sets.at(order.spec.run_id).outdated = true;
  view.trouble = offsite::Trouble{api::Reason::remote_denied, "401"}; // of others
  CHECK(view.pending() == 0);
  const auto condition = replicated_condition(view, order);
  REQUIRE(condition);
  CHECK(condition->status == api::ConditionStatus::unknown);
  CHECK(condition->reason == "NotRequested");
  CHECK(condition->message.find("another server has newer sets") != std::string::npos);
  order.status.conditions.push_back(
      {"Replicated", api::ConditionStatus::true_, "Completed", "", k_now, 1});
  CHECK_FALSE(replicated_condition(view, order));
}

TEST_CASE("nothing is said of a run that goes on, of another's set, or without a set") {
  auto order = ended_order("20261122T115200Z");
  const auto view = view_of(order.spec.run_id, true);
  SUBCASE("the run goes on") {
    order.status.conditions.clear();
  }
  SUBCASE("another request had the same run id") {
    order.meta.controller_owner->uid = "uid-2";
  }
  SUBCASE("no complete set") {
    order.spec.run_id = "20261122T115300Z";
  }
  CHECK_FALSE(replicated_condition(view, order));
}

TEST_CASE("the status is written when it changes, and all else in it stays") {
  auto order = ended_order("20261122T115200Z");
  const auto view = view_of(order.spec.run_id, true);
  const auto status = with_replicated(view, order, k_now);
  REQUIRE(status);
  REQUIRE(status->conditions.size() == 2);
  CHECK(status->conditions[0] == order.status.conditions[0]);
  order.status = *status;
  CHECK_FALSE(with_replicated(view, order, k_now + std::chrono::seconds(60)));
}

TEST_CASE("where this pod may not read what the agent wrote, it is said what the pods differ in") {
  const Error denied{ErrorCode::permission_denied, "/opt/backup: Permission denied", {}};
  CHECK(with_pod_hint(denied).hint.find("agent.seLinuxOptions.type=spc_t") != std::string::npos);
  CHECK(with_pod_hint({ErrorCode::permission_denied, "x", "export it"}).hint == "export it");
  CHECK(with_pod_hint({ErrorCode::io, "x", {}}).hint.empty());
}

TEST_CASE("that the backup directory cannot be read is said of the newest set, once") {
  const Error why{ErrorCode::permission_denied, "/opt/backup: permission denied", "look there"};
  std::vector<api::NodeBackup> orders{ended_order("20261122T115200Z"),
                                      ended_order("20261121T115200Z"),
                                      ended_order("20261123T115200Z")};
  orders.back().status.conditions.front().status = api::ConditionStatus::false_;
  auto said = with_unreadable(orders, why, k_now);
  REQUIRE(said);
  CHECK(said->spec.run_id == "20261122T115200Z");
  const auto* const condition = api::find_condition(said->status.conditions, "Replicated");
  REQUIRE(condition != nullptr);
  CHECK(condition->status == api::ConditionStatus::false_);
  CHECK(condition->reason == "RemoteFailed");
  CHECK(condition->message.find("permission denied") != std::string::npos);
  CHECK(condition->message.find("look there") != std::string::npos);
  orders.front() = *said;
  CHECK_FALSE(with_unreadable(orders, why, k_now));
  // What is known to be off-site stays so, and where the directory can be read again, its set
  // counts.
  orders.front().status.conditions.back().status = api::ConditionStatus::true_;
  CHECK_FALSE(with_unreadable(orders, why, k_now));
  CHECK(with_replicated(view_of("20261122T115200Z", false), *said, k_now));
  CHECK_FALSE(with_unreadable({}, why, k_now));
}
