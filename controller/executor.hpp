// Carries out what the planner decided, one call an action, whose outcome goes into the store; and
// the loop that does so while we lead: observe, plan, carry out, wait.
#pragma once

#include "controller/helm_step.hpp"
#include "controller/metrics.hpp"
#include "controller/plan.hpp"
#include "controller/store.hpp"

#include "kube/client.hpp"
#include "kube/event_recorder.hpp"
#include "kube/exchange.hpp"

#include <functional>
#include <stop_token>
#include <thread>

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
  void reset() {
    m_helm_tries.clear();
    m_forbidden_orders.clear();
    m_refused_statuses.clear();
    m_may_mark = true;
  }

private:
  Status carry_out(const CollectHelm& action, const std::stop_token& stop);
  Status carry_out(const CreateOrder& action, const std::stop_token& stop);
  Status carry_out(const ReadOrder& action, const std::stop_token& stop);
  Status carry_out(const DeleteOrder& action, const std::stop_token& stop);
  Status carry_out(const DeletePayload& action, const std::stop_token& stop);
  Status carry_out(const PatchReplicated& action, const std::stop_token& stop);
  Status carry_out(const DeleteBackup& action, const std::stop_token& stop);
  /// Reads the object anew after a refused write; what is gone leaves the store.
  Status refresh(const StatusPatch& patch, const std::stop_token& stop);
  /// Puts the mark of its run on an object that lacks it. No run waits for that or fails by it: the
  /// next write of the status tries again.
  void mark(const StatusPatch& patch, const nlohmann::json& written, const std::stop_token& stop);
  void tell_result(const StatusPatch& patch);
  /// The write failed. What the server keeps on refusing must hold up no other run.
  void note_refusal(const StatusPatch& patch, const Error& error);
  void end_helm(const CollectHelm& action, HelmOutcome outcome);

  Ports m_ports;
  struct HelmTries {
    std::chrono::steady_clock::time_point begin;
    int failures = 0;
  };
  kube::DeadlineTimer m_timer;
  std::map<std::string, HelmTries> m_helm_tries; ///< By uid of the run.
  std::map<std::string, int> m_forbidden_orders; ///< How often, by name of the order.
  std::map<std::string, int> m_refused_statuses; ///< How often in a row, by uid of the backup.
  bool m_may_mark = true;                        ///< False: the API server refuses it.
};

/// The loop, in a thread of its own.
class Reconciler {
public:
  /// `current` says whether the store has seen all objects, and all of one history: nothing is
  /// planned while it is false. Collaborators outlive the reconciler.
  Reconciler(Ports ports, std::string sops_yaml_path, std::function<bool()> current);

  /// Begins a term of leadership. Returns at once.
  void start();
  /// Ends it: when this returns, nothing is carried out any more.
  void stop();

private:
  void run(const std::stop_token& stop);
  bool wait_until_current(const std::stop_token& stop);
  bool sweep(const std::stop_token& stop);
  /// True when everything went well.
  bool carry_out(const Plan& plan, const std::stop_token& stop);
  void publish();

  Ports m_ports;
  Executor m_executor;
  std::string m_sops_yaml_path;
  std::function<bool()> m_current;
  std::jthread m_thread;
};

} // namespace rb::controller
