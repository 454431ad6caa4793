// How a command ends that could not do its work.
#pragma once

#include "cli/io.hpp"

#include "base/error.hpp"

namespace rb::cli {

/// That of the one table (base/exit_code.hpp), but for what this program means by it: a wrong
/// argument is a wrong use, and an answer that can't be parsed is no damaged backup.
[[nodiscard]] ExitCode exit_code_of(const Error& error);

/// The answer to a call on all ClusterBackups was 404: the CRD is not there.
[[nodiscard]] Error not_installed(Error error);

/// Prints "railiance-backup: message" and the hint, ours where the error has none; returns the exit
/// code. `server` may be empty (no connection was made yet).
int fail(const Io& io, const Error& error, const std::string& server = {});

} // namespace rb::cli
