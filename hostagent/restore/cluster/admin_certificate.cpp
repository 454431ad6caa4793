#include "restore/cluster/admin_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <memory>

namespace rb::cluster {

namespace {

template <auto free_function> struct Free {
  template <typename T> void operator()(T* pointer) const { free_function(pointer); }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

constexpr std::time_t k_day_seconds = 86'400;

Bio reader_of(const SecretBytes& bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

/// The first one: what signed it follows.
Certificate certificate_in(const SecretBytes& pem) {
  const Bio bio = reader_of(pem);
  return Certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

/// A key with a passphrase is none: nobody is asked.
Key key_in(const SecretBytes& pem) {
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  const Bio bio = reader_of(pem);
  return Key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
}

bool is_valid_at(const X509& certificate, std::time_t now) {
  return X509_cmp_time(X509_get0_notBefore(&certificate), &now) < 0 &&
         X509_cmp_time(X509_get0_notAfter(&certificate), &now) > 0;
}

/// The clocks of the servers need not be this host's.
bool set_times(X509& certificate, std::time_t now) {
  return ASN1_TIME_set(X509_getm_notBefore(&certificate), now - k_day_seconds) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate), now + k_day_seconds) != nullptr;
}

bool set_serial(X509& certificate) {
  std::uint64_t serial = 0;
  return RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), serial >> 1U) == 1;
}

bool sign(X509& certificate, EVP_PKEY& key) {
  const bool digests = EVP_PKEY_get_base_id(&key) != EVP_PKEY_ED25519;
  return X509_sign(&certificate, &key, digests ? EVP_sha256() : nullptr) > 0;
}

SecretBytes pem_of(X509& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (!bio || PEM_write_bio_X509(bio.get(), &certificate) != 1) {
    return {};
  }
  const long size = BIO_get_mem_data(bio.get(), &text);
  return SecretBytes(as_bytes(std::string_view(text, static_cast<std::size_t>(size))));
}

} // namespace

SecretBytes valid_certificate(SecretBytes certificate,
                              const SecretBytes& authority,
                              const SecretBytes& authority_key,
                              SystemTime now) {
  const std::time_t time = now.time_since_epoch().count();
  const Certificate old = certificate_in(certificate);
  if (!old || is_valid_at(*old, time)) {
    return certificate;
  }
  const Certificate issuer = certificate_in(authority);
  const Key key = key_in(authority_key);
  const bool fits = issuer && key && X509_check_private_key(issuer.get(), key.get()) == 1;
  if (!fits || !set_times(*old, time) || !set_serial(*old) || !sign(*old, *key)) {
    return certificate;
  }
  SecretBytes renewed = pem_of(*old);
  return renewed.empty() ? std::move(certificate) : std::move(renewed);
}

} // namespace rb::cluster
