// OpenSSL's objects, freed when they go, and its parameters.
#pragma once

#include "base/bytes.hpp"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>
#include <string>

namespace rb::age::evp {

template <auto free_function> struct Free {
  template <typename T> void operator()(T* object) const { free_function(object); }
};

using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Kdf = std::unique_ptr<EVP_KDF, Free<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Free<EVP_KDF_CTX_free>>;

/// `bytes` outlives it.
inline OSSL_PARAM octets(const char* name, ByteView bytes) {
  // OSSL_PARAM is not const-correct; what is given to OpenSSL by one is only read. Where nothing is
  // given, OpenSSL wants an address all the same.
  static constexpr std::uint8_t k_nothing = 0;
  auto* const data = const_cast<std::uint8_t*>( // NOLINT(cppcoreguidelines-pro-type-const-cast)
      bytes.empty() ? &k_nothing : bytes.data());
  return OSSL_PARAM_construct_octet_string(name, data, bytes.size());
}

/// `text` outlives it.
inline OSSL_PARAM text(const char* name, std::string& text) {
  return OSSL_PARAM_construct_utf8_string(name, text.data(), text.size());
}

} // namespace rb::age::evp
