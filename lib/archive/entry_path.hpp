// Which names may stand in an archive of ours, so that no reader is ever led out of its directory.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace rb::archive {

inline constexpr std::size_t k_path_limit_bytes = 1024;
inline constexpr std::size_t k_component_limit_bytes = 255; ///< NAME_MAX of Linux

/// Relative; no empty, "." or ".." component; no NUL, control character or DEL; at most the two
/// limits above. The message never repeats a character that could upset a terminal.
/// Errors: invalid_argument.
[[nodiscard]] Status check_entry_path(std::string_view path);

/// terminal_text() of a name in a message: cut when it is long, "(empty)" when there is none.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace rb::archive
