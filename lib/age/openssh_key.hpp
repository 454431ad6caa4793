// The private key file of OpenSSH ("BEGIN OPENSSH PRIVATE KEY", PROTOCOL.key of its sources), for
// Ed25519 keys without a passphrase: read and written here, since OpenSSL does not know it. The
// other form that SSH keys come in, PKCS #8 ("BEGIN PRIVATE KEY"), is read only: password managers
// give it.
#pragma once

#include "age/primitives.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <string_view>

namespace rb::age {

inline constexpr std::string_view k_openssh_begin = "-----BEGIN OPENSSH PRIVATE KEY-----";
inline constexpr std::string_view k_openssh_end = "-----END OPENSSH PRIVATE KEY-----";

inline constexpr std::string_view k_pkcs8_begin = "-----BEGIN PRIVATE KEY-----";
inline constexpr std::string_view k_pkcs8_end = "-----END PRIVATE KEY-----";

/// age refuses larger ones, too.
inline constexpr std::size_t k_openssh_key_limit_bytes = std::size_t{16} << 10U;

struct OpensshKey {
  SecretBytes seed; ///< 32 bytes.
  PublicKey key{};  ///< As the file says it; whether it is the seed's is the caller's to see.
};

/// `pem` begins with k_openssh_begin; its lines end with LF. Errors: unsupported (with a
/// passphrase, of another type than ssh-ed25519; the hint says the way out), invalid_argument
/// (anything else). Messages never repeat any part of `pem`.
[[nodiscard]] Result<OpensshKey> read_openssh_key(std::string_view pem);

/// The seed of an Ed25519 key in PKCS #8 (RFC 8410), with its public key (RFC 5958) or without.
/// `pem` begins with k_pkcs8_begin; its lines end with LF. Errors: unsupported (anything else).
[[nodiscard]] Result<SecretBytes> read_pkcs8_key(std::string_view pem);

/// What read_openssh_key() takes, as ssh-keygen writes it. `seed` and `key` have 32 bytes.
[[nodiscard]] SecretBytes write_openssh_key(ByteView seed, ByteView key);

/// The public key as SSH sends it: its type and its bytes, each after their length.
[[nodiscard]] Bytes ssh_ed25519_blob(ByteView key);

} // namespace rb::age
