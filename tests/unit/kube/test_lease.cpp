#include "base/json_fields.hpp"
#include "kube/lease.hpp"
#include "kube/micro_time.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace rb;
using namespace rb::kube;
using namespace std::chrono_literals;

namespace {

const std::chrono::steady_clock::time_point k_start{std::chrono::hours(1)};

ObservedLease held_by(const std::string& holder) {
  return {{"5", holder, 15s, "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z", 3},
          k_start};
}

} // namespace

TEST_CASE("a Lease that is not there is created, ours renewed, a released one taken") {
  CHECK(decide_lease(std::nullopt, "us", k_start) == LeaseAction::create);
  CHECK(decide_lease(held_by("us"), "us", k_start + 1h) == LeaseAction::renew);
  CHECK(decide_lease(held_by(""), "us", k_start) == LeaseAction::take);
}

TEST_CASE("another's Lease is respected for its duration from when we saw it change") {
  CHECK(decide_lease(held_by("them"), "us", k_start) == LeaseAction::wait);
  CHECK(decide_lease(held_by("them"), "us", k_start + 15s - 1ns) == LeaseAction::wait);
  CHECK(decide_lease(held_by("them"), "us", k_start + 15s) == LeaseAction::take);
}

TEST_CASE("the duration is that of the Lease, and the writer's clock does not matter") {
  ObservedLease lease = held_by("them");
  lease.record.duration = 60s;
  lease.record.renew_time = "1999-01-01T00:00:00.000000Z";
  CHECK(decide_lease(lease, "us", k_start + 59s) == LeaseAction::wait);
}

TEST_CASE("a Lease that is seen unchanged keeps the time of its change") {
  const ObservedLease first = held_by("them");
  const ObservedLease same = observe_lease(first, first.record, k_start + 10s);
  CHECK(same.changed_at == k_start);
  LeaseRecord renewed = first.record;
  renewed.resource_version = "6";
  CHECK(observe_lease(same, renewed, k_start + 10s).changed_at == k_start + 10s);
  CHECK(observe_lease(std::nullopt, renewed, k_start + 3s).changed_at == k_start + 3s);
}

TEST_CASE("a Lease survives the way through JSON") {
  const LeaseRecord record = held_by("them").record;
  const auto json = lease_to_json(record, "ns", "name");
  CHECK(json["metadata"]["namespace"] == "ns");
  CHECK(lease_from_json(json).value() == record);
}

TEST_CASE("a Lease that others made may lack anything but its version") {
  const auto bare = json_of(R"({"metadata":{"resourceVersion":"1"}})");
  CHECK(lease_from_json(bare).value().holder.empty());
  const auto odd = json_of(
      R"({"metadata":{"resourceVersion":"1"},"spec":{"holderIdentity":null,"leaseDurationSeconds":-5,"leaseTransitions":"x"}})");
  CHECK(lease_from_json(odd).value().duration == 0s);
  for (const char* bad : {"{}", "[]", "5", R"({"metadata":[]})", R"({"metadata":{}})"}) {
    CHECK(lease_from_json(json_of(bad)).error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("a MicroTime has six digits after the second") {
  const SystemTime time = parse_run_id("20260101T000000Z").value();
  CHECK(format_micro_time(time) == "2026-01-01T00:00:00.000000Z");
  CHECK(format_micro_time(time, 42) == "2026-01-01T00:00:00.000042Z");
  CHECK(format_micro_time(time, 5'123'456) == "2026-01-01T00:00:00.123456Z");
  CHECK(format_micro_time(time, -1) == "2026-01-01T00:00:00.999999Z");
}
