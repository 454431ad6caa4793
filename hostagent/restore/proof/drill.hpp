// The drill: opens a whole set with the private key and compares it with its manifest, without
// leaving a byte of plaintext on the disk. Judging is pure.
#pragma once

#include "set/marks.hpp"
#include "set/set_check.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace rb::proof {

/// What came of checking `set`: `report` is that of set::check_set.
[[nodiscard]] set::DrillRecord judge(const set::BackupSet& set,
                                     const set::SetReport& report,
                                     SystemTime now,
                                     std::chrono::milliseconds duration);

/// A drill that could not begin: no key, no directory, no set.
[[nodiscard]] set::DrillRecord
not_begun(const std::string& run_id, ExitCode code, const Error& error, SystemTime now);

} // namespace rb::proof
