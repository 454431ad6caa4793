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

/// What may open a file: private keys, or a passphrase.
struct HeaderKeys {
  std::span<const Identity> identities;
  AskPassphrase ask = {}; ///< Empty: there is nobody to ask.
};

/// The file key that one of `keys` unwraps, once the header's MAC is known to be right.
/// `failure` is set when it fails. Errors: corrupt, no_matching_identity, unsupported, internal,
/// and those of `ask`.
[[nodiscard]] Result<SecretBytes>
unwrap_file_key(std::string_view text, const HeaderKeys& keys, DecryptFailure& failure);

} // namespace rb::age
