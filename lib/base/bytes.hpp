// Spans of bytes, and the conversions between bytes and text that we need.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rb {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

/// The bytes of `text`, without a copy; valid as long as `text` is.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// `bytes` as text, without a copy; valid as long as `bytes` is.
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Overwrites `bytes` in a way that the compiler does not remove (OPENSSL_cleanse).
void wipe(MutableByteView bytes);

/// Lower-case hexadecimal, two digits a byte.
[[nodiscard]] std::string to_hex(ByteView bytes);

/// Both cases are taken. Errors: corrupt (odd length, another character).
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

/// RFC 4648 section 4, with padding, on one line.
[[nodiscard]] std::string to_base64(ByteView bytes);

/// RFC 4648 section 4, with padding; canonical only (unused bits zero, no white space).
/// Errors: corrupt.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);

} // namespace rb
