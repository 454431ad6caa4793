// The whole program but for what only a process can do (main.cpp).
#pragma once

#include "restore/io.hpp"

#include <span>
#include <string>

namespace rb::restore {

/// `args` without the program's name. Returns the exit code (lib/base/exit_code.hpp). Throws
/// nothing.
[[nodiscard]] int run(std::span<const std::string> args, Io& io);

} // namespace rb::restore
