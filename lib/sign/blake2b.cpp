#include "sign/blake2b.hpp"

#include <openssl/evp.h>

#include <cstdlib>

namespace rb::sign {

namespace {

/// Over memory it fails only where OpenSSL cannot allocate or is built without it.
void require(bool done) {
  if (!done) {
    std::abort();
  }
}

} // namespace

void Blake2b::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Blake2b::Blake2b() : m_context(EVP_MD_CTX_new()) {
  require(m_context != nullptr &&
          EVP_DigestInit_ex(m_context.get(), EVP_blake2b512(), nullptr) == 1);
}
Blake2b::~Blake2b() = default;

void Blake2b::update(ByteView bytes) {
  require(EVP_DigestUpdate(m_context.get(), bytes.data(), bytes.size()) == 1);
}

Blake2bDigest Blake2b::digest() {
  Blake2bDigest digest{};
  unsigned length = 0;
  require(EVP_DigestFinal_ex(m_context.get(), digest.data(), &length) == 1 &&
          length == digest.size());
  return digest;
}

Blake2bDigest blake2b_512(ByteView bytes) {
  Blake2b hash;
  hash.update(bytes);
  return hash.digest();
}

} // namespace rb::sign
