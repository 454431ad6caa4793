// BLAKE2b-512 (RFC 7693, OpenSSL EVP): what minisign signs in place of the file.
#pragma once

#include "base/bytes.hpp"

#include <array>

namespace rb::sign {

using Blake2bDigest = std::array<std::uint8_t, 64>;

[[nodiscard]] Blake2bDigest blake2b_512(ByteView bytes);

} // namespace rb::sign
