// Base64 into a buffer that is wiped, fast: each release passes through it twice. Private to this
// room.
#pragma once

#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <string_view>

namespace rb::helm {

/// RFC 4648 section 4 with padding, as Go's base64.StdEncoding takes it: line breaks are passed
/// over, unused bits may have any value. Errors: corrupt.
[[nodiscard]] Result<SecretBytes> decode_base64(std::string_view text);

} // namespace rb::helm
