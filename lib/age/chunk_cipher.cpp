#include "age/chunk_cipher.hpp"

#include <openssl/evp.h>

namespace rb::age {

ChunkNonce chunk_nonce(std::uint64_t index, bool final_chunk) {
  ChunkNonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) {
    nonce[10 - i] = static_cast<std::uint8_t>(index >> (8 * i));
  }
  nonce[11] = final_chunk ? 1 : 0;
  return nonce;
}

void ChunkCipher::Free::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

Result<ChunkCipher> ChunkCipher::make(ByteView key, Direction direction) {
  Context context(EVP_CIPHER_CTX_new());
  if (!context || EVP_CipherInit_ex2(context.get(),
                                     EVP_chacha20_poly1305(),
                                     key.data(),
                                     nullptr,
                                     direction == Direction::seal ? 1 : 0,
                                     nullptr) != 1) {
    return Error{ErrorCode::internal, "chacha20-poly1305: openssl failed", {}};
  }
  return ChunkCipher(std::move(context));
}

bool ChunkCipher::apply(const ChunkNonce& nonce, MutableByteView text) {
  int written = 0;
  return EVP_CipherInit_ex2(m_context.get(), nullptr, nullptr, nonce.data(), -1, nullptr) == 1 &&
         EVP_CipherUpdate(
             m_context.get(), text.data(), &written, text.data(), static_cast<int>(text.size())) ==
             1;
}

bool ChunkCipher::seal(const ChunkNonce& nonce, MutableByteView chunk) {
  const MutableByteView text = chunk.first(chunk.size() - k_tag_bytes);
  int written = 0;
  return apply(nonce, text) &&
         EVP_CipherFinal_ex(m_context.get(), text.data() + text.size(), &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(m_context.get(),
                             EVP_CTRL_AEAD_GET_TAG,
                             static_cast<int>(k_tag_bytes),
                             chunk.last(k_tag_bytes).data()) == 1;
}

bool ChunkCipher::open(const ChunkNonce& nonce, MutableByteView chunk) {
  const MutableByteView text = chunk.first(chunk.size() - k_tag_bytes);
  if (!apply(nonce, text)) {
    return false;
  }
  std::array<std::uint8_t, k_tag_bytes> unused{};
  int written = 0;
  const bool authentic = EVP_CIPHER_CTX_ctrl(m_context.get(),
                                             EVP_CTRL_AEAD_SET_TAG,
                                             static_cast<int>(k_tag_bytes),
                                             chunk.last(k_tag_bytes).data()) == 1 &&
                         EVP_CipherFinal_ex(m_context.get(), unused.data(), &written) == 1;
  if (!authentic) {
    // ChaCha20 is its own inverse: a second pass under the same nonce brings the ciphertext back,
    // so that nothing that was not authenticated stays in the buffer.
    (void)apply(nonce, text);
  }
  return authentic;
}

} // namespace rb::age
