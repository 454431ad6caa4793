// Which names may become file names and words of a command line. Private to this room.
#pragma once

#include <string_view>

namespace rb::helm {

/// Letters, digits and '-' only, at most 63: what a namespace can be (RFC 1123 label), and more.
[[nodiscard]] bool is_safe_namespace(std::string_view text);

/// Letters, digits, '-', '.' and '_', the first a letter or a digit, at most 200 bytes: every name
/// that Helm takes (53 characters, pkg/chartutil validate_name), and more.
[[nodiscard]] bool is_safe_release_name(std::string_view text);

} // namespace rb::helm
