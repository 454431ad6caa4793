#include "base/secret_bytes.hpp"

#include <openssl/crypto.h>

namespace rb {

void wipe(MutableByteView bytes) {
  if (!bytes.empty()) {
    OPENSSL_cleanse(bytes.data(), bytes.size());
  }
}

} // namespace rb
