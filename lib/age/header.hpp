// The header of an age file as text (c2sp.org/age, "Header"): stanzas in and out, byte for byte.
// Knows nothing of keys.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rb::age {

// The limits of age 1.3.2.
inline constexpr std::size_t k_header_limit_bytes = std::size_t{2} << 20U;
inline constexpr std::size_t k_stanza_limit = 1024;
inline constexpr std::size_t k_stanza_argument_limit = 128;

inline constexpr std::string_view k_header_intro = "age-encryption.org/v1\n";

/// "-> TYPE ARGUMENT…", then the body in base64.
struct Stanza {
  std::string type;                   ///< One or more characters of 33..126.
  std::vector<std::string> arguments; ///< As `type`.
  Bytes body;

  friend bool operator==(const Stanza&, const Stanza&) = default;
};

struct Header {
  std::vector<Stanza> stanzas; ///< At least one.
  std::array<std::uint8_t, 32> mac{};

  friend bool operator==(const Header&, const Header&) = default;
};

/// `text` is a whole header, from "age-encryption.org/v1" to the newline after the MAC.
/// Whatever parses, marshal() gives back byte for byte. Errors: corrupt.
[[nodiscard]] Result<Header> parse_header(std::string_view text);

[[nodiscard]] std::string marshal(const Header& header);

/// The beginning of a marshalled header that its MAC covers: up to and with "---".
[[nodiscard]] std::string_view mac_covered(std::string_view marshalled);

/// Base64 (RFC 4648) without padding, canonical only, as headers have it. Errors: corrupt.
[[nodiscard]] Result<Bytes> decode_unpadded(std::string_view text);
[[nodiscard]] std::string encode_unpadded(ByteView bytes);

} // namespace rb::age
