// The proof of a snapshot: asked for by spec.verification, made while its plaintext is there.
#include "agent/run/prover.hpp"

#include "agent/host/host_artifacts.hpp"
#include "agent/run/run_state.hpp"
#include "k3s/patience.hpp"
#include "set/marks.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

using std::chrono::seconds;

/// For the small artifacts, the manifest and the report.
constexpr seconds k_kept_back{30};
/// A k3s server needs about 12 s to be reset and to get ready.
constexpr seconds k_least_time{20};
constexpr std::size_t k_message_limit = 900;

set::ProofRecord unavailable(std::string message) {
  return not_proven(api::Reason::proof_unavailable, std::move(message));
}

set::ProofRecord prove(BackupRun& run, const std::string& snapshot_path) {
  if (run.ports.prover == nullptr) {
    return unavailable("this agent can boot no scratch server");
  }
  const seconds configured =
      k3s::patience_for(run.manifest.snapshot->size_bytes, run.settings.boot_timeout);
  const ProofTimes times = proof_times(configured, run.ports.clock.now(), run.order.deadline);
  if (times.whole.count() == 0) {
    return unavailable("too little time is left before the deadline of the run");
  }
  // The same collection that becomes the artifact: the proof is one of the host state, too.
  const auto collected =
      collect_host_state(run.settings, {run.order.run_id, {}, run.ports.clock.now(), run.node});
  if (!collected) {
    return unavailable(collected.error().message);
  }
  // Stops when the run is stopped, and when the time for the proof is over.
  std::stop_source over;
  const std::stop_callback on_stop(run.control.token(), [&over] { over.request_stop(); });
  const Timer timer(times.whole, [&over] { over.request_stop(); });
  set::ProofRecord proof = run.ports.prover->prove(
      {snapshot_path, *run.manifest.snapshot, collected->tar_gz.view(), times.step},
      over.get_token());
  return over.stop_requested() && !proof.proven() ? not_done_in_time(times) : proof;
}

} // namespace

set::ProofRecord not_proven(api::Reason reason, std::string message) {
  set::ProofRecord record;
  record.reason = reason;
  record.message = std::move(message);
  return record;
}

set::ProofRecord not_proven(const Error& error) {
  return not_proven(set::reason_not_proven(error), error.message);
}

set::ProofRecord not_done_in_time(const ProofTimes& times) {
  const std::string took = std::to_string(times.whole.count()) + " s";
  return times.cut_short
             ? unavailable("the scratch server was not done in the " + took +
                           " that were left before the deadline of the run: raise "
                           "spec.deadlineSeconds (schedule.deadlineSeconds of the chart)")
             : not_proven(api::Reason::proof_failed,
                          "the scratch server was not done within " + took);
}

ProofTimes proof_times(seconds configured, SystemTime now, SystemTime deadline) {
  const seconds usual = 3 * configured; // reset, start, comparison
  if (deadline == SystemTime{}) {
    return {configured, usual, false};
  }
  const seconds left = deadline - now - k_kept_back;
  if (left < k_least_time) {
    return {};
  }
  const seconds whole = std::min(usual, left);
  return {std::min(configured, whole), whole, whole < usual};
}

void BackupRun::note_proof(set::ProofRecord proof) {
  proof.message = api::bounded(proof.message, k_message_limit);
  manifest.proof = std::move(proof);
  note(api::condition_type::k_proven,
       manifest.proof->proven() ? api::ConditionStatus::true_ : api::ConditionStatus::false_,
       manifest.proof->reason,
       proof_text(*manifest.proof));
}

Status BackupRun::prove_snapshot(const std::string& snapshot_path) {
  if (order.verification != api::Verification::boot) {
    return {};
  }
  enter(step::k_proving_snapshot);
  const auto begin = ports.clock.steady_now();
  set::ProofRecord proof = prove(*this, snapshot_path);
  durations[std::string(step::k_proving_snapshot)] = ports.clock.steady_now() - begin;
  RB_TRY(check_stop(control, step::k_proving_snapshot));
  note_proof(std::move(proof));
  return {};
}

} // namespace rb::agent
