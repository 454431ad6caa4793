#include "agent/settlement.hpp"

#include "agent/backup_disk.hpp"
#include "agent/cut_off.hpp"
#include "agent/plaintext.hpp"
#include "agent/run_status.hpp"
#include "set/sets.hpp"
#include "terminal/log.hpp"

namespace rb::agent {

namespace {

void log_sweep(const SweepResult& swept) {
  for (const std::string& name : swept.removed) {
    log::warn("plaintext snapshot of an interrupted run removed",
              Error{ErrorCode::incomplete, name, {}});
  }
  for (const std::string& run_id : swept.cut_off) {
    log::warn("artifacts of an interrupted run removed", Error{ErrorCode::incomplete, run_id, {}});
  }
}

/// A manifest that names no request is taken for anybody's.
bool is_of(const set::Manifest& manifest, const RunOrder& order) {
  return manifest.cluster_backup_uid.empty() ||
         manifest.cluster_backup_uid == order.cluster_backup_uid;
}

} // namespace

Result<std::vector<std::string>> sweep_host(const Settings& settings,
                                            ProcessRunner& processes,
                                            const Clock& clock,
                                            const OpenDirectory& open_directory) {
  RB_TRY_ASSIGN(set::Directory directory, open_backup_directory(settings, open_directory));
  RB_TRY_ASSIGN(const auto lock, set::DirectoryLock::acquire(directory.path()));
  RB_TRY(set::sweep_leftovers(directory));
  log_cut_off(directory, clock.now());
  const K3sPlace k3s = find_k3s(settings);
  RB_TRY_ASSIGN(
      SweepResult swept,
      sweep_unfinished(directory, processes, k3s.command, k3s.plaintext_dirs, clock.now()));
  log_sweep(swept);
  return std::move(swept.remaining);
}

bool has_manifest(const Settings& settings, const RunOrder& order) {
  auto directory = set::Directory::open_existing(settings.backup_dir);
  if (!directory) {
    return false;
  }
  const auto manifest = set::read_manifest(*directory, order.run_id);
  if (manifest) {
    return is_of(*manifest, order);
  }
  return manifest.error().code == ErrorCode::corrupt ||
         manifest.error().code == ErrorCode::unsupported;
}

RunReport report_from_disk(const Settings& settings, const RunOrder& order, const Clock& clock) {
  auto directory = set::Directory::open_existing(settings.backup_dir);
  if (!directory) {
    return failed_report(failure_as(api::Reason::interrupted, directory.error()), clock.now());
  }
  const auto manifest = set::read_manifest(*directory, order.run_id);
  RunReport report =
      manifest && is_of(*manifest, order)
          ? report_of_manifest(*manifest, clock.now())
          : failed_report({api::Reason::interrupted,
                           "the agent ended in mid-run; nothing of run " + order.run_id +
                               " was kept, earlier sets are untouched",
                           "start the backup again"},
                          clock.now());
  report.directory_used = true;
  if (const auto lock = set::DirectoryLock::acquire(directory->path())) {
    log_settled(*directory, order.run_id, report, clock.now());
  }
  return report;
}

} // namespace rb::agent
