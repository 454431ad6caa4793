// The loop of the controller: observe, plan, carry out, wait.
#include "controller/executor.hpp"
#include "terminal/log.hpp"

#include "kube/retry.hpp"

#include <malloc.h>

#include <algorithm>

namespace rb::controller {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_idle{std::chrono::minutes(5)};
constexpr milliseconds k_current_poll{20};
constexpr kube::BackoffPolicy k_backoff{
    milliseconds(200), std::chrono::seconds(5), std::chrono::seconds(60)};

/// So many rounds may follow one another at once, which is more than a run needs; after that ten a
/// second. A plan that never came to rest would cost the API server little.
constexpr kube::PaceLimit k_pace{milliseconds(100), 100};

bool has_helm_step(const Plan& plan) {
  return std::ranges::any_of(plan.actions, [](const Action& action) {
    return std::holds_alternative<CollectHelm>(action);
  });
}

} // namespace

Reconciler::Reconciler(Ports ports, std::string sops_yaml_path, std::function<bool()> current)
    : m_ports(ports), m_executor(std::move(ports)), m_sops_yaml_path(std::move(sops_yaml_path)),
      m_current(std::move(current)) {}

void Reconciler::start() {
  m_thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Reconciler::stop() {
  m_thread = {}; // ends the one before, and waits for that
}

bool Reconciler::wait_until_current(const std::stop_token& stop) {
  while (!m_current() && !stop.stop_requested()) {
    m_ports.store.wait(k_current_poll, stop);
    std::this_thread::sleep_for(k_current_poll);
  }
  return !stop.stop_requested();
}

/// What the last controller left behind becomes part of the first plan.
bool Reconciler::sweep(const std::stop_token& stop) {
  kube::Backoff backoff(k_backoff);
  while (!stop.stop_requested()) {
    auto runs = m_ports.payloads.list_runs(stop);
    if (runs) {
      m_executor.reset();
      m_ports.store.begin_term(*std::move(runs));
      return true;
    }
    log::warn("payloads left behind cannot be listed", runs.error());
    m_ports.store.wait(backoff.next(m_ports.clock.steady_now(), kube::random_fraction()), stop);
  }
  return false;
}

bool Reconciler::carry_out(const Plan& plan, const std::stop_token& stop) {
  bool well = true;
  const auto note = [&](const Status& status) {
    if (!status && !stop.stop_requested()) {
      log::warn("will be tried again", status.error());
      well = false;
    }
  };
  for (const StatusPatch& patch : plan.statuses) {
    if (stop.stop_requested()) {
      return well;
    }
    note(m_executor.execute(patch, stop));
  }
  for (const Action& action : plan.actions) {
    if (stop.stop_requested()) {
      return well;
    }
    note(m_executor.execute(action, stop));
  }
  return well;
}

void Reconciler::publish() {
  m_ports.metrics.unfinished_runs(m_ports.store.unfinished());
  if (const auto time = m_ports.store.last_success()) {
    m_ports.metrics.last_success(*time);
  }
}

void Reconciler::run(const std::stop_token& stop) {
  if (!wait_until_current(stop) || !sweep(stop)) {
    return;
  }
  kube::Backoff backoff(k_backoff);
  kube::Pace pace(k_pace);
  while (wait_until_current(stop)) {
    std::optional<RecipientsProblem> problem;
    if (m_ports.store.needs_recipients()) {
      const Recipients recipients = read_recipients(m_sops_yaml_path);
      if (const auto* found = std::get_if<RecipientsProblem>(&recipients)) {
        problem = *found;
      }
    }
    const Plan plan = m_ports.store.make_plan(std::move(problem));
    publish();
    if (plan.empty()) {
      m_ports.store.wait(
          plan.requeue_after ? std::min<milliseconds>(*plan.requeue_after, k_idle) : k_idle, stop);
      continue;
    }
    if (!RealWaiter().wait(pace.wait_before_next(m_ports.clock.steady_now()), stop)) {
      return;
    }
    const auto begin = m_ports.clock.steady_now();
    const bool well = carry_out(plan, stop);
    const std::chrono::duration<double> took = m_ports.clock.steady_now() - begin;
    m_ports.metrics.reconciled(!well, took.count());
    if (has_helm_step(plan)) {
      ::malloc_trim(0); // the releases were the largest thing we ever hold
    }
    if (well) {
      backoff.reset();
    } else {
      // Not the store's wait: our own writes have changed it, and the failure would come at once.
      RealWaiter().wait(backoff.next(m_ports.clock.steady_now(), kube::random_fraction()), stop);
    }
  }
}

} // namespace rb::controller
