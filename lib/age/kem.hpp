// The key encapsulations that age seals file keys by: P-256 (RFC 9180, DHKEM), and ML-KEM-768 with
// X25519 (X-Wing) or with P-256 (draft-ietf-hpke-pq). All primitives are OpenSSL's; ML-KEM is there
// since OpenSSL 3.5, which is found out when the program runs.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rb::age {

/// With their numbers in HPKE.
enum class Kem : std::uint16_t { p256 = 0x0010, mlkem768_p256 = 0x0050, mlkem768_x25519 = 0x647a };

inline constexpr std::size_t k_ml_kem_key_bytes = 1184;
inline constexpr std::size_t k_ml_kem_ciphertext_bytes = 1088;
inline constexpr std::size_t k_p256_point_bytes = 65; ///< Uncompressed.
inline constexpr std::size_t k_p256_compressed_point_bytes = 33;
inline constexpr std::size_t k_hybrid_seed_bytes = 32;

/// The public key of ML-KEM first, then the curve's.
inline constexpr std::size_t k_mlkem768_x25519_key_bytes = k_ml_kem_key_bytes + 32;
inline constexpr std::size_t k_mlkem768_x25519_enc_bytes = k_ml_kem_ciphertext_bytes + 32;
inline constexpr std::size_t k_mlkem768_p256_key_bytes = k_ml_kem_key_bytes + k_p256_point_bytes;

/// Whether this process's OpenSSL has ML-KEM-768.
[[nodiscard]] bool has_ml_kem();

/// "needs OpenSSL 3.5 or newer, this program runs with OpenSSL 3.0.19", for keys that has_ml_kem()
/// stands in the way of.
[[nodiscard]] std::string needs_ml_kem();

/// Whether `key` can be encapsulated to. Errors: invalid_argument (not of its size, no point of the
/// curve, no key of ML-KEM), unsupported (there is no ML-KEM).
[[nodiscard]] Status check_public_key(Kem kem, ByteView key);

struct Encapsulated {
  SecretBytes shared_secret;
  Bytes enc; ///< What the holder of the private key needs.
};

/// A new shared secret for `key`; one of P-256 may be compressed. Errors: corrupt (a point of low
/// order), internal. Precondition: check_public_key().
[[nodiscard]] Result<Encapsulated> encapsulate(Kem kem, ByteView key);

// The private keys that are bytes and not in a token: a seed of MLKEM768-X25519.

/// Errors: internal. Precondition: has_ml_kem().
[[nodiscard]] Result<Bytes> mlkem768_x25519_public_key(ByteView seed);

/// The shared secret; another one, that nobody knows, when `enc` was made for another key. Errors:
/// corrupt (not of its size, a point of low order), internal. Precondition: has_ml_kem().
[[nodiscard]] Result<SecretBytes> mlkem768_x25519_decapsulate(ByteView seed, ByteView enc);

} // namespace rb::age
