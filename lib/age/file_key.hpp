// The file key of an age file: wrapped in a stanza for each recipient, and from the header of a
// file back by one of the identities, or by a passphrase (c2sp.org/age, "The scrypt recipient
// type").
#pragma once

#include "age/header.hpp"
#include "age/identity.hpp"
#include "age/io.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rb::age {

/// Where a decryption failed, in the classes of the C2SP test kit.
enum class DecryptFailure {
  none,
  armor,       ///< Not strict ASCII armor.
  header,      ///< Not a well-formed header, or a stanza in it is malformed.
  unsupported, ///< Opened only by a passphrase, a token or another key of a kind that we lack.
  no_match,    ///< Well-formed, but no identity opens it.
  mac,         ///< An identity fits, but the header was altered.
  payload,     ///< A chunk was altered, cut off, or is followed by other data.
  other,       ///< Source, sink, cancellation, or a failure inside.
};

/// Gives the passphrase; asked only for a file that is opened by one.
using AskPassphrase = std::function<Result<SecretBytes>()>;

/// The text of the header, which is left off before the payload nonce. Errors: corrupt, and those
/// of the source.
[[nodiscard]] Result<std::string> read_header(BufferedSource& source);

/// What may open a file: private keys, or a passphrase.
struct HeaderKeys {
  std::span<const Identity> identities;
  AskPassphrase ask = {}; ///< Empty: there is nobody to ask.
};

/// A header that was opened, as text, and what it wraps.
struct UnwrappedHeader {
  SecretBytes file_key;
  std::string text;
};

/// Reads the header, and leaves off before the nonce: the file key that one of `keys` unwraps, once
/// the header's MAC is known to be right. `failure` is set when it fails. Errors: as open_header.
[[nodiscard]] Result<UnwrappedHeader>
unwrap_header(BufferedSource& source, const HeaderKeys& keys, DecryptFailure& failure);

/// What a payload needs to be opened.
struct OpenedHeader {
  SecretBytes payload_key;
  std::uint64_t size_bytes = 0; ///< Of the header and the nonce: the payload begins there.
};

/// Reads the header and the nonce: the file key that one of `keys` unwraps, once the header's MAC
/// is known to be right, and from it the key of the payload. `failure` is set when it fails.
/// Errors: corrupt, no_matching_identity, unsupported, internal, and those of `ask` and the source.
[[nodiscard]] Result<OpenedHeader>
open_header(BufferedSource& source, const HeaderKeys& keys, DecryptFailure& failure);

/// A header of `file_key` for `recipients`, each of which alone can open it; duplicates get one
/// stanza. Errors: invalid_argument (no recipient, more than 1,024, some that can't be together,
/// one that is a point of low order), internal.
[[nodiscard]] Result<std::string> make_header(ByteView file_key,
                                              std::span<const Recipient> recipients);

inline constexpr std::string_view k_scrypt_type = "scrypt";

/// The bound of age: 2^22 takes 4 GiB of memory. `age -p` makes 2^18.
inline constexpr unsigned k_scrypt_work_factor_limit = 22;

/// The file key, or nothing when it is another passphrase. `work_factor_limit`: the largest
/// logarithm of scrypt's N that is done. Errors: corrupt (a malformed stanza, or more work than the
/// limit), unsupported (not enough memory), internal. Precondition: stanza.type is scrypt.
[[nodiscard]] Result<std::optional<SecretBytes>>
unwrap_scrypt(const Stanza& stanza,
              ByteView passphrase,
              unsigned work_factor_limit = k_scrypt_work_factor_limit);

} // namespace rb::age
