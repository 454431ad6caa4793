// SHA-256 and BLAKE2b-512 as streams (OpenSSL EVP).
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <memory>

struct evp_md_ctx_st;

namespace rb {

/// One digest in the making. Used by one thread at a time.
template <std::size_t Size> class Hash {
public:
  using Digest = std::array<std::uint8_t, Size>;

  Hash();
  ~Hash();
  Hash(Hash&& other) noexcept;
  Hash& operator=(Hash&& other) noexcept;
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  void update(ByteView bytes);

  /// The digest of all bytes so far. More bytes may follow afterwards.
  [[nodiscard]] Digest digest() const;

private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> m_context;
};

using Sha256 = Hash<32>;  ///< FIPS 180-4.
using Blake2b = Hash<64>; ///< BLAKE2b-512, RFC 7693.
extern template class Hash<32>;
extern template class Hash<64>;

using Sha256Digest = Sha256::Digest;
using Blake2bDigest = Blake2b::Digest;

[[nodiscard]] Sha256Digest sha256(ByteView bytes);
[[nodiscard]] Blake2bDigest blake2b_512(ByteView bytes);

} // namespace rb
