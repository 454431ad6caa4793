// gzip (RFC 1952) in memory, on zlib: bounded when it unpacks, the same bytes each time it packs.
// zlib's own working memory is wiped, too.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>

namespace rb::archive {

/// No more comes out of deflate, rounded up: a bound on the ratio that is none.
inline constexpr std::size_t k_deflate_ratio = 1100;

/// How much may come out of how little. Deflate reaches 1032:1 at most, and a text of one repeated
/// letter does so honestly: therefore the ratio counts only above `ratio_floor_bytes`.
struct GzipLimits {
  std::size_t max_bytes = std::size_t{256} << 20U; ///< Of what comes out.
  std::size_t max_ratio = 200;
  std::size_t ratio_floor_bytes = std::size_t{16} << 20U;
};

/// Begins with 1f 8b 08 (RFC 1952 section 2.3: magic, method deflate).
[[nodiscard]] bool looks_like_gzip(ByteView bytes);

/// The header has no time and no name, so equal input gives equal output. Errors: internal.
[[nodiscard]] Result<SecretBytes> gzip(ByteView plain);

/// One member, whole: its CRC and length are checked and nothing may follow it.
/// Errors: corrupt (not gzip, damaged, truncated, trailing data), unsupported (beyond a limit).
[[nodiscard]] Result<SecretBytes> gunzip(ByteView packed, const GzipLimits& limits = {});

} // namespace rb::archive
