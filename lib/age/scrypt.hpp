// The scrypt recipient type (c2sp.org/age): a file key that a passphrase unwraps.
#pragma once

#include "age/header.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <optional>
#include <string_view>

namespace rb::age {

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
