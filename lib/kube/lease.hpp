// Leader election with a Lease. Who leads is decided purely, from a Lease as it was seen: expiry is
// judged from the local, monotonic time at which the Lease was last seen to change, never from the
// writer's clock.
// Guarantees: is_leader() turns false at the latest `renew_deadline` after the last renewal that
// the server confirmed, 5 s before anybody else may take the Lease; the Lease is released only
// after `on_stopped` has returned.
// Caveat: two leaders remain possible when a process is frozen between a check and its write.
// Writes carry resource versions, and the agent has its own lock.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "kube/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
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

struct LeaderCallbacks {
  std::function<void()> on_started; ///< We lead. Returns soon.
  std::function<void()> on_stopped; ///< We no longer lead: all work has stopped when this returns.
  std::function<void(const std::string& holder)> on_new_leader; ///< Somebody (us, too); or "".
  std::function<void(const Error&)> on_trouble;                 ///< For the log.
};

/// run() belongs to one thread; the questions can be asked from any.
class LeaderElector {
public:
  /// `identity` is unique among the candidates (the pod's name). `client` outlives the elector; its
  /// transport is used with time limits that fit `timing`.
  LeaderElector(Client& client,
                std::string name_space,
                std::string lease,
                std::string identity,
                LeaderCallbacks callbacks,
                LeaseTiming timing = {});

  /// Competes and leads until `stop`, then stops leading and releases the Lease. After a loss it
  /// competes again.
  void run(const std::stop_token& stop);

  /// We hold the Lease and renewed it recently enough to act.
  [[nodiscard]] bool is_leader() const;

  /// The holder as last seen; empty when unknown or nobody.
  [[nodiscard]] std::string holder() const;

private:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// One round: read if needed, decide, write. True when the server confirmed that we hold it.
  bool try_acquire_or_renew(const std::stop_token& stop);
  Status read_lease(const std::stop_token& stop);
  Status write_lease(LeaseAction action, TimePoint sent_at, const std::stop_token& stop);
  LeaseRecord record_for(LeaseAction action) const;
  void settle(bool confirmed);
  [[nodiscard]] std::chrono::milliseconds pause() const;
  void stop_leading();
  void release();
  [[nodiscard]] Status give_back(); ///< The Lease as it was last seen, if it is ours.
  void note_holder();
  void trouble(const Error& error) const;
  /// A client whose calls end within `limit` and are not repeated.
  [[nodiscard]] Client bounded(std::chrono::milliseconds limit) const;
  [[nodiscard]] std::chrono::milliseconds call_limit() const;
  [[nodiscard]] TimePoint leads_until() const;

  Client& m_client;
  const std::string m_name_space;
  const std::string m_lease;
  const std::string m_identity;
  const LeaderCallbacks m_callbacks;
  const LeaseTiming m_timing;
  std::optional<ObservedLease> m_observed;
  bool m_leading = false;
  /// Steady time in nanoseconds until which we may act; 0: we don't lead.
  std::atomic<std::int64_t> m_leads_until{0};
  mutable std::mutex m_mutex;
  std::string m_holder; ///< Guarded by m_mutex.
};

} // namespace rb::kube
