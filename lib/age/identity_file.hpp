// Reads an identity file as age and SOPS keep it (~/.config/sops/age/keys.txt).
#pragma once

#include "age/identity.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rb::age {

/// age refuses larger ones, too.
inline constexpr std::size_t k_identity_file_limit_bytes = std::size_t{16} << 20U;

struct IdentityFile {
  std::vector<Identity> identities;  ///< At least one.
  std::vector<std::string> warnings; ///< One a skipped line or block; no key material.
};

/// `words`: several identities in a line, as SOPS_AGE_KEY may have them.
enum class IdentityLayout { lines, words };

/// True for an age file, binary or armored: decrypt_bytes_with_passphrase() opens it.
[[nodiscard]] bool is_encrypted_identity_file(std::string_view text);

/// One identity a line; empty lines and lines that begin with '#' are skipped; LF or CRLF; no
/// white space around an identity (as in SOPS). Post-quantum and plugin identities and private
/// SSH keys are skipped with a warning.
/// Errors: not_found (no identity in it), unsupported (only kinds that we cannot use, or an
/// identity file that is itself encrypted), invalid_argument (a line that is none of these; the
/// message gives its number, never its text).
[[nodiscard]] Result<IdentityFile>
parse_identity_file(std::string_view text, IdentityLayout layout = IdentityLayout::lines);

/// Reads and parses `path`; messages begin with it.
/// Errors: those of read_secret_file and parse_identity_file.
[[nodiscard]] Result<IdentityFile> read_identity_file(const std::string& path);

} // namespace rb::age
