// The proof of a snapshot: asked for by spec.verification, made while its plaintext is there.
#include "agent/host_state.hpp"
#include "agent/run_state.hpp"

#include <algorithm>
#include <functional>
#include <thread>

namespace rb::agent {

namespace {

constexpr std::size_t k_message_limit = 900;

/// Stops when the run is stopped, and when the time for the proof is over.
class ProofTimer {
public:
  ProofTimer(std::stop_token run, std::chrono::seconds limit)
      : m_on_stop(std::move(run), [this] { m_source.request_stop(); }),
        m_thread([this, limit](const std::stop_token& stop) {
          if (RealWaiter().wait(limit, stop)) {
            m_source.request_stop();
          }
        }) {}

  [[nodiscard]] std::stop_token token() const { return m_source.get_token(); }

private:
  std::stop_source m_source;
  std::stop_callback<std::function<void()>> m_on_stop;
  std::jthread m_thread; ///< Last: it uses the others.
};

using Outcome = std::variant<set::ProofRecord, NotProven>;

NotProven unavailable(std::string message) {
  return {api::Reason::proof_unavailable, std::move(message)};
}

Outcome prove(RunState& run, const std::string& snapshot_path) {
  if (run.ports.prover == nullptr) {
    return unavailable("this agent can boot no scratch server");
  }
  const ProofTimes times =
      proof_times(run.settings.boot_timeout, run.ports.clock.now(), run.order.deadline);
  if (times.whole.count() == 0) {
    return unavailable("too little time is left before the deadline of the run");
  }
  // The same collection that becomes the artifact: the proof is one of the host state, too.
  auto collected =
      collect_host_state(run.settings, {run.order.run_id, {}, run.ports.clock.now(), run.node});
  if (const auto* failure = std::get_if<Failure>(&collected)) {
    return unavailable(failure->message);
  }
  const ProofTimer timer(run.control.token(), times.whole);
  Outcome outcome = run.ports.prover->prove({snapshot_path,
                                             *run.manifest.snapshot,
                                             std::get<HostState>(collected).tar_gz.view(),
                                             times.step},
                                            timer.token());
  if (timer.token().stop_requested() && std::holds_alternative<NotProven>(outcome)) {
    return NotProven{api::Reason::proof_failed,
                     "the scratch server was not done within " +
                         std::to_string(times.whole.count()) + " s"};
  }
  return outcome;
}

} // namespace

void note_proof(RunState& run, set::ProofRecord proof) {
  proof.message.resize(std::min(proof.message.size(), k_message_limit));
  run.note(api::condition_type::k_proven,
           proof.proven() ? api::ConditionStatus::true_ : api::ConditionStatus::false_,
           proof.reason,
           proof_text(proof));
  run.manifest.proof = std::move(proof);
}

StepFailure prove_snapshot(RunState& run, const std::string& snapshot_path) {
  if (run.order.verification != api::Verification::boot) {
    return std::nullopt;
  }
  run.enter(step::k_proving_snapshot);
  const auto begin = run.ports.clock.steady_now();
  Outcome outcome = prove(run, snapshot_path);
  run.durations[std::string(step::k_proving_snapshot)] = run.ports.clock.steady_now() - begin;
  if (auto stopped = run.stopped(step::k_proving_snapshot)) {
    return stopped;
  }
  if (auto* proof = std::get_if<set::ProofRecord>(&outcome)) {
    note_proof(run, std::move(*proof));
  } else {
    const auto& lack = std::get<NotProven>(outcome);
    set::ProofRecord record;
    record.reason = lack.reason;
    record.message = lack.message;
    note_proof(run, std::move(record));
  }
  return std::nullopt;
}

} // namespace rb::agent
