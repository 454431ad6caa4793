#include "sign/signing_key.hpp"

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/open_beneath.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace rb::sign {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Error failed(const char* what) {
  return {ErrorCode::internal, std::string("openssl: ") + what, {}};
}

/// A key with a passphrase is none of ours: nobody could type it.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return -1;
}

constexpr std::size_t k_key_limit_bytes = 16U << 10U;

Error unusable(Error error) {
  if (error.code == ErrorCode::not_found || error.code == ErrorCode::no_space) {
    return error;
  }
  if (error.hint.empty()) {
    error.hint = "put the host's key back (it is in the host state of each set), or move the file "
                 "away: then the next run begins with a new key";
  }
  return error;
}

Result<SecretBytes> read_private(const std::string& path) {
  RB_TRY_ASSIGN(const Fd fd, open_regular(path));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path + ": stat");
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & 077U) != 0 || status.st_nlink != 1) {
    return Error{ErrorCode::permission_denied,
                 path + ": others can read or change it, or it has a second name",
                 "who had it can sign in this host's name: move it away, and the next run begins "
                 "with a new key"};
  }
  SecretBytes buffer(k_key_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, read_up_to(fd, buffer.span(), path));
  return SecretBytes(buffer.view().first(got));
}

} // namespace

void SigningKey::Free::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

Result<SigningKey> SigningKey::with_public_key(Handle handle) {
  PublicKey::Raw raw{};
  std::size_t length = raw.size();
  if (EVP_PKEY_get_raw_public_key(handle.get(), raw.data(), &length) != 1 || length != raw.size()) {
    return failed("the public key cannot be had");
  }
  const Sha256Digest digest = sha256(raw);
  KeyId id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return SigningKey(std::move(handle), PublicKey(id, raw));
}

Result<SigningKey> SigningKey::generate() {
  Handle handle(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!handle) {
    return failed("no Ed25519 key can be made");
  }
  return with_public_key(std::move(handle));
}

Result<SigningKey> SigningKey::from_pem(ByteView pem) {
  const Bio bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<std::size_t>(pem.size(), 1U << 16U))),
      BIO_free);
  Handle handle(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)
                    : nullptr);
  if (!handle) {
    return Error{ErrorCode::corrupt, "not a private key (PEM)", {}};
  }
  if (EVP_PKEY_get_base_id(handle.get()) != EVP_PKEY_ED25519) {
    return Error{ErrorCode::unsupported, "a private key of another kind than Ed25519", {}};
  }
  return with_public_key(std::move(handle));
}

Result<SecretBytes> SigningKey::to_pem() const {
  const Bio bio(BIO_new(BIO_s_secmem()), BIO_free);
  if (!bio || PEM_write_bio_PrivateKey(
                  bio.get(), m_handle.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("the key cannot be written");
  }
  const std::uint8_t* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return SecretBytes(ByteView(data, static_cast<std::size_t>(size)));
}

Result<RawSignature> SigningKey::sign_raw(ByteView message) const {
  RawSignature signature{};
  std::size_t length = signature.size();
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, m_handle.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()) !=
          1 ||
      length != signature.size()) {
    return failed("nothing can be signed");
  }
  return signature;
}

Result<Signature> SigningKey::sign(ByteView message, std::string trusted_comment) const {
  return sign_digest(blake2b_512(message), std::move(trusted_comment));
}

Result<Signature> SigningKey::sign_digest(const Blake2bDigest& digest,
                                          std::string trusted_comment) const {
  Signature signature;
  signature.key_id = m_public.id();
  signature.trusted_comment = std::move(trusted_comment);
  RB_TRY_ASSIGN(signature.signature, sign_raw(digest));
  RB_TRY_ASSIGN(signature.global,
                sign_raw(global_message(signature.signature, signature.trusted_comment)));
  // What could not be read again is not given out.
  auto again = parse_signature(serialize(signature));
  if (!again || *again != signature) {
    return Error{ErrorCode::invalid_argument, "a trusted comment that is not one line", {}};
  }
  return signature;
}

Result<SigningKey> read_key_file(const std::string& path) {
  auto pem = read_private(path);
  if (!pem) {
    return unusable(std::move(pem).error());
  }
  auto key = SigningKey::from_pem(pem->view());
  if (!key) {
    return unusable(std::move(key).error().within(path));
  }
  return key;
}

} // namespace rb::sign
