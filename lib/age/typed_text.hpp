// What surrounds keys in files that people write: blanks that were copied from a web page or a
// chat, what editors and shells of Windows put before the first character, and words about keys.
// Pure.
#pragma once

#include <string_view>

namespace rb::age {

/// Without blanks at both ends, those of Unicode too, as Go has them (unicode.IsSpace) and SOPS
/// trims them off a recipient.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Editors of Windows put it before the first line, where nobody sees it.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

/// What PowerShell's `>` gives. Nothing reads it: not age, not SOPS, no ConfigMap.
[[nodiscard]] bool is_utf16(std::string_view text);

/// A key that begins so ("AGE-SECRET-KEY-") is in the text, and not only a word about keys, as in a
/// comment or the name of a file.
[[nodiscard]] bool holds_key(std::string_view text, std::string_view begin);

} // namespace rb::age
