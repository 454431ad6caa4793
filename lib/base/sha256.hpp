// SHA-256 as a stream (FIPS 180-4, OpenSSL EVP).
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <memory>

struct evp_md_ctx_st;

namespace rb {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// One digest in the making. Used by one thread at a time.
class Sha256 {
public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&& other) noexcept;
  Sha256& operator=(Sha256&& other) noexcept;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(ByteView bytes);

  /// The digest of all bytes so far. More bytes may follow afterwards.
  [[nodiscard]] Sha256Digest digest() const;

private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> m_context;
};

[[nodiscard]] Sha256Digest sha256(ByteView bytes);

} // namespace rb
