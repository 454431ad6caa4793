// Lines in backup.log for runs that could write none: those that ended with their process.
#pragma once

#include "agent/run_order.hpp"
#include "set/directory.hpp"

#include "base/clock.hpp"

#include <string>
#include <vector>

namespace rb::agent {

/// The runs that were cut off, oldest first, as the directory shows them: `marked` (those with a
/// marker), and those with artifacts but no manifest. A set that is being removed is none. Pure.
[[nodiscard]] std::vector<std::string> cut_off_runs(const std::vector<DirectoryEntry>& entries,
                                                    std::vector<std::string> marked);

/// A line "result=Interrupted" for each run that was cut off and has no line yet. Call it under the
/// directory's lock, before what those runs left is swept. A failure is only logged.
void log_cut_off(set::Directory& directory, SystemTime now);

/// The line of a run that was settled, where it has none yet. The same rules.
void log_settled(set::Directory& directory,
                 const std::string& run_id,
                 const RunReport& report,
                 SystemTime now);

} // namespace rb::agent
