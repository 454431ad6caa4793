// OpenSSL's context of a signature, owned. Private to this room.
#pragma once

#include <openssl/evp.h>

#include <memory>

namespace rb::sign {

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigestContext>;

} // namespace rb::sign
