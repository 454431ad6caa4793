#include "base/sha256.hpp"

#include <openssl/evp.h>

#include <cstdlib>

namespace rb {

namespace {

// SHA-256 over memory fails only when OpenSSL cannot allocate or is built without it; neither
// leaves anything sensible to do.
void require(int result) {
  if (result != 1) {
    std::abort();
  }
}

} // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : m_context(EVP_MD_CTX_new()) {
  require(m_context ? 1 : 0);
  require(EVP_DigestInit_ex(m_context.get(), EVP_sha256(), nullptr));
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  require(EVP_DigestUpdate(m_context.get(), bytes.data(), bytes.size()));
}

Sha256Digest Sha256::digest() const {
  const std::unique_ptr<evp_md_ctx_st, Free> copy(EVP_MD_CTX_new());
  require(copy ? 1 : 0);
  require(EVP_MD_CTX_copy_ex(copy.get(), m_context.get()));
  Sha256Digest digest{};
  require(EVP_DigestFinal_ex(copy.get(), digest.data(), nullptr));
  return digest;
}

Sha256Digest sha256(ByteView bytes) {
  Sha256 context;
  context.update(bytes);
  return context.digest();
}

} // namespace rb
