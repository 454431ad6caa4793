// Leader election with a Lease.
// Guarantees: is_leader() turns false at the latest `renew_deadline` after the last renewal that
// the
//   server confirmed, 5 s before anybody else may take the Lease; the Lease is released only after
//   `on_stopped` has returned.
// Caveat: two leaders remain possible when a process is frozen between a check and its write.
// Writes
//   carry resource versions, and the agent has its own lock.
#pragma once

#include "kube/client.hpp"
#include "kube/lease.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

namespace rb::kube {

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
