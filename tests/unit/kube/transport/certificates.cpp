// Certificates for the loopback server: P-256, a CA and one server certificate.
#include "loopback_server.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace rb::kube::test {

namespace {

constexpr long k_day_seconds = 86400;

template <typename Write> std::string pem(Write write) {
  BIO* memory = BIO_new(BIO_s_mem());
  write(memory);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* unsigned_certificate(EVP_PKEY* key, const char* name, long serial) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -k_day_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), k_day_seconds);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return certificate;
}

} // namespace

TestCertificates make_certificates(const std::string& names) {
  EVP_PKEY* ca_key = EVP_EC_gen("P-256");
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* ca = unsigned_certificate(ca_key, "a test CA", 1);
  X509_set_issuer_name(ca, X509_get_subject_name(ca));
  extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(ca, ca_key, EVP_sha256());
  X509* server = unsigned_certificate(key, "a test server", 2);
  X509_set_issuer_name(server, X509_get_subject_name(ca));
  extend(server, ca, NID_subject_alt_name, names);
  X509_sign(server, ca_key, EVP_sha256());

  TestCertificates made;
  made.ca = pem([ca](BIO* out) { PEM_write_bio_X509(out, ca); });
  made.certificate = pem([server](BIO* out) { PEM_write_bio_X509(out, server); });
  made.key = pem([key](BIO* out) {
    PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  X509_free(server);
  X509_free(ca);
  EVP_PKEY_free(key);
  EVP_PKEY_free(ca_key);
  return made;
}

} // namespace rb::kube::test
