// Clearing up: after runs of an agent that ended in the middle of them, and reporting what such a
// run left on the disk.
#pragma once

#include "agent/backup_run.hpp"

#include <optional>

namespace rb::agent {

/// Sweeps partial files, artifacts without a manifest, and plaintext snapshots of unfinished runs.
/// Returns the run ids whose markers stay (their snapshots may still appear). Errors: busy (a run
/// is going on), those of the directory.
[[nodiscard]] Result<std::vector<std::string>> sweep_host(const Settings& settings,
                                                          ProcessRunner& processes,
                                                          const Clock& clock,
                                                          const OpenDirectory& open_directory);

/// There is a manifest of the run that `order` asks for. One of another request under the same run
/// id (a clock went back) does not count. False also when the directory cannot be read.
[[nodiscard]] bool has_manifest(const Settings& settings, const RunOrder& order);

/// What became of a run that no living process carries out: its manifest's word, or Interrupted. It
/// gets its line in backup.log, if it has none.
/// Call it after sweep_host.
[[nodiscard]] RunReport
report_from_disk(const Settings& settings, const RunOrder& order, const Clock& clock);

} // namespace rb::agent
