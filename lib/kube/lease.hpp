// Who leads, decided from a Lease as it was seen. Pure: expiry is judged from the local, monotonic
// time at which the Lease was last seen to change, never from the writer's clock.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace rb::kube {

/// 15 s, 10 s, 2 s: the values of controller-runtime and kube-controller-manager.
struct LeaseTiming {
  std::chrono::milliseconds duration{std::chrono::seconds(15)};       ///< Others wait this long.
  std::chrono::milliseconds renew_deadline{std::chrono::seconds(10)}; ///< We give up after this.
  std::chrono::milliseconds retry_period{std::chrono::seconds(2)};
};

/// coordination.k8s.io/v1 Lease, the fields that count.
struct LeaseRecord {
  std::string resource_version;
  std::string holder; ///< Empty: released.
  std::chrono::seconds duration{0};
  std::string acquire_time; ///< RFC 3339, kept as it was while the holder stays.
  std::string renew_time;
  int transitions = 0;

  bool operator==(const LeaseRecord&) const = default;
};

/// A LeaseRecord and when we first saw it so.
struct ObservedLease {
  LeaseRecord record;
  std::chrono::steady_clock::time_point changed_at{};
};

enum class LeaseAction {
  create, ///< There is none: make it, with us as the holder.
  renew,  ///< It is ours: write a new renew time.
  take,   ///< It is released or expired: write ourselves into it.
  wait,   ///< Somebody holds it.
};

/// `observed` is nullopt when there is no Lease.
[[nodiscard]] LeaseAction decide_lease(const std::optional<ObservedLease>& observed,
                                       const std::string& identity,
                                       std::chrono::steady_clock::time_point now);

/// Takes over `seen`; the time of change moves only when the record differs from `before`.
[[nodiscard]] ObservedLease observe_lease(const std::optional<ObservedLease>& before,
                                          LeaseRecord seen,
                                          std::chrono::steady_clock::time_point now);

/// Errors: corrupt.
[[nodiscard]] Result<LeaseRecord> lease_from_json(const nlohmann::json& object);

/// The object to create or replace, with `record.resource_version` as the precondition.
[[nodiscard]] nlohmann::json
lease_to_json(const LeaseRecord& record, const std::string& name_space, const std::string& name);

} // namespace rb::kube
