// The host's private key: an Ed25519 key in PKCS#8 (PEM, RFC 8410), which `openssl pkey` reads. It
// signs and says its public key; nothing else leaves it.
#pragma once

#include "sign/minisign.hpp"

#include "base/secret_bytes.hpp"

#include <memory>
#include <string>

struct evp_pkey_st;

namespace rb::sign {

class SigningKey {
public:
  /// From OpenSSL's random generator. Errors: internal.
  [[nodiscard]] static Result<SigningKey> generate();

  /// Errors: corrupt (not PEM, encrypted), unsupported (another kind of key). No message quotes it.
  [[nodiscard]] static Result<SigningKey> from_pem(ByteView pem);
  [[nodiscard]] Result<SecretBytes> to_pem() const;

  /// Its id is the beginning of the SHA-256 of the key: the same key always has the same id.
  [[nodiscard]] const PublicKey& public_key() const { return m_public; }

  /// Errors: invalid_argument (a comment that would not stay a line), internal.
  [[nodiscard]] Result<Signature> sign(ByteView message, std::string trusted_comment) const;
  /// Of what has that digest.
  [[nodiscard]] Result<Signature> sign_digest(const Blake2bDigest& digest,
                                              std::string trusted_comment) const;

private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Handle = std::unique_ptr<evp_pkey_st, Free>;

  SigningKey(Handle handle, const PublicKey& public_key)
      : m_handle(std::move(handle)), m_public(public_key) {}
  [[nodiscard]] static Result<SigningKey> with_public_key(Handle handle);
  [[nodiscard]] Result<RawSignature> sign_raw(ByteView message) const;

  Handle m_handle;
  PublicKey m_public;
};

// The file that a host keeps its signing key in, as whoever may sign reads it: one that others
// could have read or changed is none. Where it lies, and why: docs/decisions/0004.

/// Errors: not_found, permission_denied (a file that others can read or write, or that has a second
/// name), unsupported (a link, another kind of key), corrupt, those of the system. Each names the
/// file and says what to do.
[[nodiscard]] Result<SigningKey> read_key_file(const std::string& path);

} // namespace rb::sign
