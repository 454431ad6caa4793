// The exit codes of both commands; documented in README.md and in --help.
#pragma once

#include "base/error.hpp"

namespace rb {

enum class ExitCode : int {
  done = 0,
  failed = 1,
  usage = 2,
  incomplete = 3, ///< Some artifact is missing.
  nothing_to_restore = 4,
  no_identity = 5, ///< No identity opens the file, or the identity file cannot be read.
  damaged = 6,     ///< Damaged or tampered with.
  busy = 7,
  unreachable = 8, ///< The cluster or the agent cannot be reached.
  deadline_passed = 9,
};

/// The exit code that a command ends with when `code` is what stopped it.
[[nodiscard]] ExitCode exit_code_for(ErrorCode code);

} // namespace rb
