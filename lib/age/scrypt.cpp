#include "age/scrypt.hpp"

#include "age/chunk_cipher.hpp"
#include "age/primitives.hpp"
#include "age/x25519.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace rb::age {

namespace {

constexpr std::string_view k_label = "age-encryption.org/v1/scrypt";
constexpr std::size_t k_salt_bytes = 16;

Error malformed(std::string_view what) {
  return {ErrorCode::corrupt, "malformed scrypt stanza: " + std::string(what), {}};
}

/// Decimal, not zero, no sign and no leading zero.
Result<unsigned> parse_work_factor(std::string_view text, unsigned limit) {
  unsigned factor = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), factor);
  const bool whole = parsed.ptr == text.data() + text.size();
  if (text.empty() || text.front() == '0' || !whole || parsed.ec == std::errc::invalid_argument) {
    return malformed("not a work factor");
  }
  if (parsed.ec != std::errc() || factor > limit) {
    return malformed("a work factor of more than 2^" + std::to_string(limit));
  }
  return factor;
}

} // namespace

Result<std::optional<SecretBytes>>
unwrap_scrypt(const Stanza& stanza, ByteView passphrase, unsigned work_factor_limit) {
  if (stanza.arguments.size() != 2 || stanza.body.size() != k_file_key_bytes + k_tag_bytes) {
    return malformed("not two arguments and a file key");
  }
  const auto salt = decode_unpadded(stanza.arguments[0]);
  if (!salt || salt->size() != k_salt_bytes) {
    return malformed("not a salt");
  }
  RB_TRY_ASSIGN(const unsigned factor, parse_work_factor(stanza.arguments[1], work_factor_limit));
  Bytes labelled(k_label.begin(), k_label.end());
  labelled.insert(labelled.end(), salt->begin(), salt->end());
  RB_TRY_ASSIGN(const SecretBytes key, scrypt(passphrase, labelled, factor));
  return unwrap_file_key(key.view(), stanza.body);
}

} // namespace rb::age
