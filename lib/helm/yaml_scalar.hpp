// How a single string or number is written in YAML so that no parser takes it for anything else.
// Private to this room.
#pragma once

#include "helm/bounded_text.hpp"

#include <cstddef>
#include <string_view>

namespace rb::helm {

/// May stand without quotes as a value in block context. Deliberately narrow: it begins with a
/// letter or '/', and no reading of YAML 1.1 or 1.2 makes it a boolean, null, number or date.
[[nodiscard]] bool is_plain(std::string_view text);

/// As is_plain, as a key.
[[nodiscard]] bool is_plain_key(std::string_view text);

/// May stand as a literal block ("|" or "|-"): several lines of printable text; no line of white
/// space only, nothing that needs an indentation indicator or "|+".
[[nodiscard]] bool is_block(std::string_view text);

/// In double quotes, on one line. Everything is escaped that YAML 1.1 or 1.2 does not take as it is
/// (YAML 1.2.2 section 5.7), NEL, LS, PS and BOM included.
void append_quoted(BoundedText& out, std::string_view text);

/// `number` as JSON writes it, as a text that YAML 1.1 takes for a number, too: 1e21 is a string
/// to a YAML 1.1 parser, 1.0e+21 is not.
void append_number(BoundedText& out, std::string_view number);

} // namespace rb::helm
