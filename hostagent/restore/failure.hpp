// How a command ends that could not do its work.
#pragma once

#include "restore/io.hpp"

#include "base/exit_code.hpp"

namespace rb::restore {

/// Prints "railiance-restore: message" and the hint; returns the exit code of the error.
int fail(const Io& io, const Error& error);

/// The same with an exit code of the caller's.
int fail(const Io& io, const Error& error, ExitCode code);

/// "railiance-restore: warning: …"
void warn(const Io& io, const std::string& message);

/// For a backup directory that cannot be opened: nothing_to_restore where there is none.
int fail_to_open(const Io& io, const Error& error);

} // namespace rb::restore
