// JSON strings as Go's encoding/json decodes them, because `helm get values` shows what Go makes of
// them: whatever is not UTF-8, and each half of a surrogate pair that stands alone, becomes U+FFFD.
// Private to this room.
#pragma once

#include "base/secret_buffer.hpp"

#include <cstdint>
#include <string_view>

namespace rb::helm {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0; ///< In bytes; 0: not UTF-8 (RFC 3629) here.
};

/// Of the bytes at the beginning of `text`, which is not empty.
[[nodiscard]] CodePoint first_code_point(std::string_view text);

/// U+FFFD for what is not a code point.
void append_utf8(SecretBuffer& out, std::uint32_t code_point);

/// The raw text is the decoded one: no escapes, nothing but UTF-8.
[[nodiscard]] bool is_decoded(std::string_view raw);

/// `raw` as JsonReader::string() gives it.
void append_decoded(SecretBuffer& out, std::string_view raw);

} // namespace rb::helm
