#include "age/keys.hpp"

#include "age/primitives.hpp"

namespace rb::age {

Result<Sha256Digest> header_mac(ByteView file_key, std::string_view covered) {
  RB_TRY_ASSIGN(const SecretBytes key, hkdf_sha256(file_key, {}, "header"));
  return hmac_sha256(key.view(), as_bytes(covered));
}

Result<SecretBytes> payload_key(ByteView file_key, ByteView payload_nonce) {
  return hkdf_sha256(file_key, payload_nonce, "payload");
}

} // namespace rb::age
