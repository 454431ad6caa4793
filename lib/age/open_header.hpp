// From the beginning of an age file to the key of its payload.
#pragma once

#include "age/buffered_source.hpp"
#include "age/decrypt.hpp"
#include "age/identity.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <span>
#include <string>

namespace rb::age {

/// The text of the header, which is left off before the payload nonce. Errors: corrupt, and those
/// of the source.
[[nodiscard]] Result<std::string> read_header(BufferedSource& source);

/// The file key that one of `identities` unwraps, once the header's MAC is known to be right.
/// `failure` is set when it fails. Errors: corrupt, no_matching_identity, unsupported, internal.
[[nodiscard]] Result<SecretBytes> unwrap_file_key(std::string_view text,
                                                  std::span<const Identity> identities,
                                                  DecryptFailure& failure);

} // namespace rb::age
