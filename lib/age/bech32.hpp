// Bech32 (BIP-173) as age uses it: without its limit of 90 characters, upper or lower case but not
// mixed, whole bytes only.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <string>
#include <string_view>

namespace rb::age::bech32 {

struct Decoded {
  std::string prefix; ///< The human-readable part, in the case that it has in the text.
  SecretBytes data;   ///< Wiped, since it may be a key.
};

/// Errors: corrupt (no separator, bad character, mixed case, wrong checksum, padding that is not
/// zero or too long). Messages never repeat any part of `text`.
[[nodiscard]] Result<Decoded> decode(std::string_view text);

/// Lower case. `prefix` is lower-case printable ASCII. The result may be a key: it is wiped.
[[nodiscard]] SecretBytes encode(std::string_view prefix, ByteView data);

} // namespace rb::age::bech32
