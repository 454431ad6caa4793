// The whole program but for what only a process can do (main.cpp).
#pragma once

#include "cli/io.hpp"

#include <span>
#include <string>

namespace rb::cli {

/// `args` without the program's name. Returns the exit code (lib/base/exit_code.hpp, or 128 and the
/// signal that ended a wait). Throws nothing.
[[nodiscard]] int run(std::span<const std::string> args, Io& io);

} // namespace rb::cli
