// BLAKE2b-512 (RFC 7693, OpenSSL EVP): what minisign signs in place of the file.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <memory>

struct evp_md_ctx_st;

namespace rb::sign {

using Blake2bDigest = std::array<std::uint8_t, 64>;

/// One digest in the making. Used by one thread at a time.
class Blake2b {
public:
  Blake2b();
  ~Blake2b();
  Blake2b(const Blake2b&) = delete;
  Blake2b& operator=(const Blake2b&) = delete;
  Blake2b(Blake2b&&) = delete;
  Blake2b& operator=(Blake2b&&) = delete;

  void update(ByteView bytes);
  /// The digest of all bytes. Once, and nothing follows it.
  [[nodiscard]] Blake2bDigest digest();

private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> m_context;
};

[[nodiscard]] Blake2bDigest blake2b_512(ByteView bytes);

} // namespace rb::sign
