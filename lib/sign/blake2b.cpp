#include "sign/blake2b.hpp"

#include <openssl/evp.h>

#include <cstdlib>

namespace rb::sign {

Blake2bDigest blake2b_512(ByteView bytes) {
  Blake2bDigest digest{};
  unsigned length = 0;
  // Over memory it fails only where OpenSSL cannot allocate or is built without it.
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_blake2b512(), nullptr) !=
          1 ||
      length != digest.size()) {
    std::abort();
  }
  return digest;
}

} // namespace rb::sign
