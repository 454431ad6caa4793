// Logging of the programs: JSON lines in pods, plain lines on a terminal (spdlog).
// Never log key material, tokens, or the contents of a Secret.
#pragma once

#include "base/error.hpp"

#include <spdlog/spdlog.h>

#include <string_view>

namespace rb::log {

enum class Format { automatic, json, text }; ///< automatic: text on a terminal, else json

/// Call once, first thing in main. Writes to stderr. `level`: trace, debug, info, warn, error.
void setup(std::string_view program, Format format, std::string_view level);

/// One line for a failure, with its code and hint as fields.
void error(std::string_view what, const Error& failure);
void warn(std::string_view what, const Error& failure);

} // namespace rb::log
