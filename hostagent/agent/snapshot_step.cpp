#include "agent/snapshot_step.hpp"

#include "agent/plaintext.hpp"
#include "k3s/etcd_snapshot.hpp"

namespace rb::agent {

namespace {

constexpr std::chrono::milliseconds k_listing_step{200};

std::vector<std::string> listing(const SaveRequest& request) {
  auto names = snapshots_of_run(request.snapshot_dir, request.run_id);
  return names ? std::move(*names) : std::vector<std::string>();
}

/// The file of a save that timed out may still come: k3s renames it when it is whole.
k3s::SaveVerdict await_late_file(k3s::SaveObservation& seen,
                                 const SaveRequest& request,
                                 const RunControl& control,
                                 const Wait& wait,
                                 k3s::SaveVerdict verdict) {
  auto left = request.settings.late_file_wait;
  while (verdict.kind == k3s::SaveVerdict::Kind::wait && left.count() > 0 &&
         !control.token().stop_requested()) {
    wait(k_listing_step, control.token());
    left -= k_listing_step;
    seen.files = listing(request);
    verdict = k3s::judge_save(seen);
  }
  return verdict;
}

k3s::SaveVerdict attempt(ProcessRunner& processes,
                         const SaveRequest& request,
                         const RunControl& control,
                         const Wait& wait) {
  k3s::SaveObservation seen{
      request.run_id,
      request.settings.node_name,
      request.snapshot_dir,
      processes.run(
          k3s::save_spec(request.command, request.run_id, request.settings.snapshot_timeout),
          control.token()),
      {}};
  seen.files = listing(request);
  return await_late_file(seen, request, control, wait, k3s::judge_save(seen));
}

/// It lies in plaintext where we do not look: k3s knows where, and is told to remove it.
void remove_unseen(ProcessRunner& processes,
                   const SaveRequest& request,
                   k3s::SaveVerdict& verdict) {
  const auto deleted = processes.run(k3s::delete_spec(request.command, verdict.name), {});
  if (!deleted || deleted->exit_status != 0) {
    verdict.error.message += "; k3s could not remove it";
    verdict.error.hint += "; remove it by hand: k3s etcd-snapshot delete " + verdict.name;
  }
}

} // namespace

Wait real_wait() {
  return [](std::chrono::milliseconds duration, const std::stop_token& stop) {
    RealWaiter().wait(duration, stop);
  };
}

std::variant<SavedSnapshot, Failure> save_snapshot(ProcessRunner& processes,
                                                   const SaveRequest& request,
                                                   const RunControl& control,
                                                   const Wait& wait) {
  for (unsigned tries = 1;; ++tries) {
    k3s::SaveVerdict verdict = attempt(processes, request, control, wait);
    if (auto stopped = stop_failure(control.cause(), "TakingSnapshot")) {
      return *stopped;
    }
    if (verdict.kind == k3s::SaveVerdict::Kind::saved) {
      return SavedSnapshot{verdict.name, request.snapshot_dir + "/" + verdict.name};
    }
    if (verdict.kind == k3s::SaveVerdict::Kind::failed && !verdict.name.empty()) {
      remove_unseen(processes, request, verdict);
    }
    if (verdict.kind != k3s::SaveVerdict::Kind::try_again ||
        tries >= request.settings.save_attempts) {
      return failure_as(verdict.error.reason.value_or(api::Reason::snapshot_failed), verdict.error);
    }
    wait(request.settings.retry_delay, control.token());
  }
}

} // namespace rb::agent
