#include "base/digest.hpp"

#include <openssl/evp.h>

#include <cstdlib>

namespace rb {

namespace {

// A digest over memory fails only when OpenSSL cannot allocate or is built without it; neither
// leaves anything sensible to do.
void require(bool done) {
  if (!done) {
    std::abort();
  }
}

template <typename Hasher> typename Hasher::Digest digest_of(ByteView bytes) {
  Hasher hash;
  hash.update(bytes);
  return hash.digest();
}

} // namespace

template <std::size_t Size> void Hash<Size>::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

template <std::size_t Size> Hash<Size>::Hash() : m_context(EVP_MD_CTX_new()) {
  static_assert(Size == 32 || Size == 64);
  const EVP_MD* const algorithm = Size == 32 ? EVP_sha256() : EVP_blake2b512();
  require(m_context != nullptr && EVP_DigestInit_ex(m_context.get(), algorithm, nullptr) == 1);
}
template <std::size_t Size> Hash<Size>::~Hash() = default;
template <std::size_t Size> Hash<Size>::Hash(Hash&&) noexcept = default;
template <std::size_t Size> Hash<Size>& Hash<Size>::operator=(Hash&&) noexcept = default;

template <std::size_t Size> void Hash<Size>::update(ByteView bytes) {
  require(EVP_DigestUpdate(m_context.get(), bytes.data(), bytes.size()) == 1);
}

template <std::size_t Size> typename Hash<Size>::Digest Hash<Size>::digest() const {
  const std::unique_ptr<evp_md_ctx_st, Free> copy(EVP_MD_CTX_new());
  Digest digest{};
  require(copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), m_context.get()) == 1 &&
          EVP_DigestFinal_ex(copy.get(), digest.data(), nullptr) == 1);
  return digest;
}

template class Hash<32>;
template class Hash<64>;

Sha256Digest sha256(ByteView bytes) {
  return digest_of<Sha256>(bytes);
}

Blake2bDigest blake2b_512(ByteView bytes) {
  return digest_of<Blake2b>(bytes);
}

} // namespace rb
