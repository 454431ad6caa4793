#include "age/open_header.hpp"

#include "age/header.hpp"
#include "age/keys.hpp"
#include "age/primitives.hpp"
#include "age/scrypt.hpp"
#include "age/x25519.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace rb::age {

namespace {

// Kinds of stanzas that the format or its usual tools define and that we do not open.
constexpr std::array<std::string_view, 7> k_other_types{k_scrypt_type,
                                                        "mlkem768x25519",
                                                        "p256tag",
                                                        "mlkem768p256tag",
                                                        "ssh-rsa",
                                                        "ssh-ed25519",
                                                        "piv-p256"};

Error bad_header(std::string_view what) {
  return {ErrorCode::corrupt, "header: " + std::string(what), {}};
}

bool is_x25519(const Stanza& stanza) {
  return stanza.type == k_x25519_type;
}

bool is_other(const Stanza& stanza) {
  return std::find(k_other_types.begin(), k_other_types.end(), stanza.type) != k_other_types.end();
}

Error nothing_opens(const Header& header, const HeaderKeys& keys, DecryptFailure& failure) {
  const auto other = std::find_if(header.stanzas.begin(), header.stanzas.end(), is_other);
  const bool any_x25519 = std::any_of(header.stanzas.begin(), header.stanzas.end(), is_x25519);
  if (keys.ask && header.stanzas.front().type == k_scrypt_type) {
    failure = DecryptFailure::no_match;
    return {ErrorCode::no_matching_identity, "wrong passphrase", {}};
  }
  if (!any_x25519 && other != header.stanzas.end()) {
    failure = DecryptFailure::unsupported;
    return {ErrorCode::unsupported,
            "header: encrypted to recipients of type " + other->type + ", which is not supported",
            "decrypt it with age itself"};
  }
  failure = DecryptFailure::no_match;
  return {ErrorCode::no_matching_identity,
          "header: none of the identities opens it",
          "give the identity whose recipient it was encrypted to"};
}

/// The file key that the passphrase or any pair of identity and stanza gives. A malformed X25519
/// stanza condemns the file, whether it is ours or not.
Result<std::optional<SecretBytes>> try_keys(const Header& header, const HeaderKeys& keys) {
  if (keys.ask && header.stanzas.front().type == k_scrypt_type) {
    RB_TRY_ASSIGN(const SecretBytes passphrase, keys.ask());
    return unwrap_scrypt(header.stanzas.front(), passphrase.view());
  }
  for (const Identity& identity : keys.identities) {
    for (const Stanza& stanza : header.stanzas) {
      if (!is_x25519(stanza)) {
        continue;
      }
      RB_TRY_ASSIGN(auto file_key, unwrap_x25519(stanza, identity));
      if (file_key) {
        return file_key;
      }
    }
  }
  return std::optional<SecretBytes>();
}

} // namespace

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

} // namespace rb::age
