// What a command of any of our programs touches besides its own work, so that tests run whole
// commands in their own process; and how it says that it failed.
#pragma once

#include "base/clock.hpp"
#include "base/exit_code.hpp"

#include <ostream>
#include <stop_token>
#include <string_view>

namespace rb {

struct ProgramIo {
  std::string_view program; ///< What its messages begin with.
  std::ostream& out;        ///< Results.
  std::ostream& err;        ///< Progress, warnings, errors and hints.
  const Clock& clock;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::stop_token stop = {}; ///< Somebody wants it to end.
};

/// Prints "PROGRAM: message" and the hint; returns the exit code.
int fail(const ProgramIo& io, const Error& error, ExitCode code);

/// The same with the exit code of the error.
int fail(const ProgramIo& io, const Error& error);

/// "PROGRAM: warning: …"
void warn(const ProgramIo& io, std::string_view message);

} // namespace rb
