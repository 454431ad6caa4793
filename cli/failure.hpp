// How a command ends that could not do its work.
#pragma once

#include "io.hpp"

#include "base/exit_code.hpp"

namespace rb::cli {

/// The exit code for a failed call of the API. Only what this program can mean: a certificate that
/// can't be parsed is no damaged backup.
[[nodiscard]] ExitCode exit_code_of(const Error& error);

/// The answer to a call on all ClusterBackups was 404: the CRD is not there.
[[nodiscard]] Error not_installed(Error error);

/// Prints "railiance-backup: message" and the hint, ours where the error has none; returns the exit
/// code. `server` may be empty (no connection was made yet).
[[nodiscard]] int fail(const Io& io, const Error& error, const std::string& server = {});

} // namespace rb::cli
