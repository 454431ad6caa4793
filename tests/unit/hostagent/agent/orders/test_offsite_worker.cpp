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
