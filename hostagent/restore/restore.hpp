// The parts of `restore` of a cluster that stand for themselves: the guide, the report, and the
// note beside the sets of the one that the cluster is restored from: retention keeps that set.
#pragma once

#include "restore/cluster/execute.hpp"
#include "restore/cluster/plan.hpp"
#include "restore/options.hpp"
#include "set/marks.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace rb::restore {

/// Without --execute: the sets, and the commands for this host.
int guide(const RestoreCommand& command, const Options& options, Io& io);

/// "ok", "warning" or "refused" and the message, one line each; then the steps.
[[nodiscard]] std::string to_text(const cluster::Decision& decision);
[[nodiscard]] nlohmann::ordered_json to_json(const cluster::Decision& decision);

/// Prints the outcome, in the form that `options` name; returns its exit code.
int report(const cluster::Outcome& outcome,
           const cluster::Plan& plan,
           const Options& options,
           nlohmann::ordered_json json,
           Io& io);

/// A backup may run already: one that waited for the restored cluster, or a scheduled one whose
/// time was missed, begins with it, and chooses at its end what to remove. So the note is there
/// before the server is started, and the directory's lock is not waited for: nobody else writes
/// this file while a restore runs.
class RestoreNote {
public:
  RestoreNote(std::string backup_dir, std::string run_id)
      : m_backup_dir(std::move(backup_dir)), m_run_id(std::move(run_id)) {}

  /// Keeps in mind what stood there. Errors: those of set::Directory and write_last_restore().
  [[nodiscard]] Status write(SystemTime now);

  /// The restore was undone: what stood there before the first write() comes back. Errors: as of
  /// write().
  [[nodiscard]] Status take_back();

private:
  std::string m_backup_dir;
  std::string m_run_id;
  bool m_written = false;
  std::optional<set::LastRestore> m_before;
};

} // namespace rb::restore
