// The drill: opens a whole set with the private key and holds it against its manifest, without
// leaving a byte of plaintext on the disk. Judging is pure.
#pragma once

#include "drill/record.hpp"
#include "unpack/set_check.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace rb::drill {

/// What came of checking `set`: `report` is that of unpack::check_set.
[[nodiscard]] Record judge(const artifact::BackupSet& set,
                           const unpack::SetReport& report,
                           SystemTime now,
                           std::chrono::milliseconds duration);

/// A drill that could not begin: no key, no directory, no set.
[[nodiscard]] Record
not_begun(const std::string& run_id, ExitCode code, const Error& error, SystemTime now);

} // namespace rb::drill
