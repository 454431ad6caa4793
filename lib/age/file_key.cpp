#include "age/file_key.hpp"

#include "age/kem.hpp"
#include "age/primitives.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace rb::age {

namespace {

constexpr std::string_view k_scrypt_label = "age-encryption.org/v1/scrypt";
constexpr std::size_t k_salt_bytes = 16;

Error malformed_scrypt(std::string_view what) {
  return {ErrorCode::corrupt, "malformed scrypt stanza: " + std::string(what), {}};
}

/// Decimal, not zero, no sign and no leading zero.
Result<unsigned> parse_work_factor(std::string_view text, unsigned limit) {
  unsigned factor = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), factor);
  const bool whole = parsed.ptr == text.data() + text.size();
  if (text.empty() || text.front() == '0' || !whole || parsed.ec == std::errc::invalid_argument) {
    return malformed_scrypt("not a work factor");
  }
  if (parsed.ec != std::errc() || factor > limit) {
    return malformed_scrypt("a work factor of more than 2^" + std::to_string(limit));
  }
  return factor;
}

// Kinds of stanzas that the format or its usual tools define and that we do not open.
constexpr std::array<std::string_view, 5> k_other_types{
    k_scrypt_type, "p256tag", "mlkem768p256tag", "ssh-rsa", "piv-p256"};

Error bad_header(std::string_view what) {
  return {ErrorCode::corrupt, "header: " + std::string(what), {}};
}

bool is_hybrid(const Stanza& stanza) {
  return stanza.type == HybridIdentity::k_stanza_type;
}

bool is_ours(const Stanza& stanza) {
  return stanza.type == X25519Identity::k_stanza_type ||
         stanza.type == SshIdentity::k_stanza_type || (is_hybrid(stanza) && has_ml_kem());
}

bool is_other(const Stanza& stanza) {
  return std::find(k_other_types.begin(), k_other_types.end(), stanza.type) != k_other_types.end();
}

/// A file that no identity could open here, or nothing when one could.
std::optional<Error> unsupported(const std::vector<Stanza>& stanzas) {
  if (std::any_of(stanzas.begin(), stanzas.end(), is_ours)) {
    return std::nullopt;
  }
  const std::string hint = "decrypt it with age itself";
  if (std::any_of(stanzas.begin(), stanzas.end(), is_hybrid)) {
    return Error{ErrorCode::unsupported,
                 "header: encrypted to recipients of type " +
                     std::string(HybridIdentity::k_stanza_type) + "; that " + needs_ml_kem(),
                 hint};
  }
  const auto other = std::find_if(stanzas.begin(), stanzas.end(), is_other);
  if (other == stanzas.end()) {
    return std::nullopt;
  }
  return Error{ErrorCode::unsupported,
               "header: encrypted to recipients of type " + other->type +
                   ", which is not supported",
               hint};
}

Error nothing_opens(const Header& header, const HeaderKeys& keys, DecryptFailure& failure) {
  if (keys.ask && header.stanzas.front().type == k_scrypt_type) {
    failure = DecryptFailure::no_match;
    return {ErrorCode::no_matching_identity, "wrong passphrase", {}};
  }
  if (auto error = unsupported(header.stanzas)) {
    failure = DecryptFailure::unsupported;
    return *std::move(error);
  }
  failure = DecryptFailure::no_match;
  return {ErrorCode::no_matching_identity,
          "header: none of the identities opens it",
          "give the identity whose recipient it was encrypted to"};
}

/// The file key that the passphrase or any pair of identity and stanza gives. A malformed stanza of
/// an identity's kind condemns the file, whether it was made for it or not.
Result<std::optional<SecretBytes>> try_keys(const Header& header, const HeaderKeys& keys) {
  if (keys.ask && header.stanzas.front().type == k_scrypt_type) {
    RB_TRY_ASSIGN(const SecretBytes passphrase, keys.ask());
    return unwrap_scrypt(header.stanzas.front(), passphrase.view());
  }
  for (const Identity& identity : keys.identities) {
    for (const Stanza& stanza : header.stanzas) {
      RB_TRY_ASSIGN(auto file_key, identity.unwrap(stanza));
      if (file_key) {
        return file_key;
      }
    }
  }
  return std::optional<SecretBytes>();
}

/// The file key, once the MAC of the header is known to be right. `failure` is set when it fails.
Result<SecretBytes>
unwrap_file_key(std::string_view text, const HeaderKeys& keys, DecryptFailure& failure) {
  failure = DecryptFailure::header;
  auto header = parse_header(text);
  if (!header) {
    return std::move(header).error().within("header");
  }
  const bool any_scrypt =
      std::any_of(header->stanzas.begin(), header->stanzas.end(), [](const Stanza& stanza) {
        return stanza.type == k_scrypt_type;
      });
  if (any_scrypt && header->stanzas.size() > 1) {
    return bad_header("a passphrase stanza is not alone");
  }
  auto file_key = try_keys(*header, keys);
  if (!file_key) {
    if (file_key.error().code != ErrorCode::corrupt) { // no passphrase, no memory
      failure = DecryptFailure::other;
      return std::move(file_key).error();
    }
    return std::move(file_key).error().within("header");
  }
  if (!*file_key) {
    return nothing_opens(*header, keys, failure);
  }
  RB_TRY_ASSIGN(const Sha256Digest mac, header_mac((*file_key)->view(), mac_covered(text)));
  if (!equal_constant_time(mac, header->mac)) {
    failure = DecryptFailure::mac;
    return bad_header("its mac is wrong: altered or damaged");
  }
  failure = DecryptFailure::none;
  return std::move(**file_key);
}

} // namespace

Result<std::string> make_header(ByteView file_key, std::span<const Recipient> recipients) {
  if (recipients.empty()) {
    return Error{ErrorCode::invalid_argument, "encrypt: no recipient", {}};
  }
  if (recipients.size() > k_stanza_limit) {
    return Error{ErrorCode::invalid_argument, "encrypt: more than 1024 recipients", {}};
  }
  RB_TRY(check_together(recipients));
  Header header;
  for (auto recipient = recipients.begin(); recipient != recipients.end(); ++recipient) {
    if (std::find(recipients.begin(), recipient, *recipient) == recipient) { // not twice
      RB_TRY_ASSIGN(Stanza stanza, recipient->wrap(file_key));
      header.stanzas.push_back(std::move(stanza));
    }
  }
  RB_TRY_ASSIGN(header.mac, header_mac(file_key, mac_covered(marshal(header))));
  return marshal(header);
}

Result<std::optional<SecretBytes>>
unwrap_scrypt(const Stanza& stanza, ByteView passphrase, unsigned work_factor_limit) {
  if (stanza.arguments.size() != 2 || stanza.body.size() != k_sealed_file_key_bytes) {
    return malformed_scrypt("not two arguments and a file key");
  }
  const auto salt = decode_unpadded(stanza.arguments[0]);
  if (!salt || salt->size() != k_salt_bytes) {
    return malformed_scrypt("not a salt");
  }
  RB_TRY_ASSIGN(const unsigned factor, parse_work_factor(stanza.arguments[1], work_factor_limit));
  Bytes labelled(k_scrypt_label.begin(), k_scrypt_label.end());
  labelled.insert(labelled.end(), salt->begin(), salt->end());
  RB_TRY_ASSIGN(const SecretBytes key, scrypt(passphrase, labelled, factor));
  return open_file_key(key.view(), stanza.body);
}

Result<std::string> read_header(BufferedSource& source) {
  RB_TRY_ASSIGN(std::string text, source.read_line(k_header_intro.size()));
  if (text != k_header_intro) {
    return bad_header(text.empty() ? "the file is empty" : "not an age file");
  }
  for (;;) {
    const std::size_t line_begin = text.size();
    RB_TRY_ASSIGN(const std::string line, source.read_line(k_header_limit_bytes - text.size()));
    text += line;
    if (text.size() > k_header_limit_bytes) {
      return bad_header("larger than 2 MiB");
    }
    if (!text.ends_with('\n') || line.empty()) {
      return bad_header("cut off");
    }
    if (std::string_view(text).substr(line_begin).starts_with("---")) {
      return text;
    }
  }
}

Result<UnwrappedHeader>
unwrap_header(BufferedSource& source, const HeaderKeys& keys, DecryptFailure& failure) {
  failure = DecryptFailure::header;
  RB_TRY_ASSIGN(std::string text, read_header(source));
  RB_TRY_ASSIGN(SecretBytes file_key, unwrap_file_key(text, keys, failure));
  return UnwrappedHeader{std::move(file_key), std::move(text)};
}

Result<OpenedHeader>
open_header(BufferedSource& source, const HeaderKeys& keys, DecryptFailure& failure) {
  RB_TRY_ASSIGN(const UnwrappedHeader header, unwrap_header(source, keys, failure));
  failure = DecryptFailure::header;
  std::array<std::uint8_t, k_payload_nonce_bytes> nonce{};
  RB_TRY_ASSIGN(const std::size_t nonce_bytes, source.read(nonce));
  if (nonce_bytes != nonce.size()) {
    return bad_header("cut off before the payload");
  }
  failure = DecryptFailure::other;
  RB_TRY_ASSIGN(SecretBytes key, payload_key(header.file_key.view(), nonce));
  failure = DecryptFailure::none;
  return OpenedHeader{std::move(key), header.text.size() + nonce.size()};
}

} // namespace rb::age
