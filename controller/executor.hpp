// Carries out what the planner decided: one call an action, its outcome goes into the store.
#pragma once

#include "controller/helm_step.hpp"
#include "controller/metrics.hpp"
#include "controller/plan.hpp"
#include "controller/store.hpp"

#include "kube/client.hpp"
#include "kube/deadline_timer.hpp"
#include "kube/event_recorder.hpp"

#include <functional>
#include <stop_token>

namespace rb::controller {

/// The collaborators; all outlive the executor.
struct Ports {
  kube::Client& client;
  HelmStep& helm;
  PayloadStore& payloads;
  Store& store;
  Metrics& metrics;
  const Clock& clock;
  std::function<void(kube::EventSpec)> record_event;
};

/// Used by one thread.
class Executor {
public:
  explicit Executor(Ports ports) : m_ports(std::move(ports)) {}

  /// What failed can be tried again, with a new plan. A write that came too late (conflict) and an
  /// object that is gone already are no failures.
  [[nodiscard]] Status execute(const StatusPatch& patch, std::stop_token stop);
  [[nodiscard]] Status execute(const Action& action, std::stop_token stop);

  /// A new term: failures of the last one don't count.
  void reset() { m_helm_tries.clear(); }

private:
  Status carry_out(const CollectHelm& action, const std::stop_token& stop);
  Status carry_out(const CreateOrder& action, const std::stop_token& stop);
  Status carry_out(const ConfirmOrderGone& action, const std::stop_token& stop);
  Status carry_out(const DeleteOrder& action, const std::stop_token& stop);
  Status carry_out(const DeletePayload& action, const std::stop_token& stop);
  Status carry_out(const PatchReplicated& action, const std::stop_token& stop);
  Status carry_out(const DeleteBackup& action, const std::stop_token& stop);
  /// Reads the object anew after a refused write; what is gone leaves the store.
  Status refresh(const StatusPatch& patch, const std::stop_token& stop);
  void tell_result(const StatusPatch& patch);
  void end_helm(const CollectHelm& action, HelmOutcome outcome);

  Ports m_ports;
  struct HelmTries {
    std::chrono::steady_clock::time_point begin;
    int failures = 0;
  };
  kube::DeadlineTimer m_timer;
  std::map<std::string, HelmTries> m_helm_tries; ///< By uid of the run.
};

} // namespace rb::controller
