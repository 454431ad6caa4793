// Holds: a certificate of the administrator that is too old to be shown to a server is made anew by
// the authority of its set, for the same name and the same key; what cannot be is left as it is.
#include "restore/cluster/server_access.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

using namespace rb;
using namespace rb::cluster;

namespace {

template <auto free_function> struct Free {
  template <typename T> void operator()(T* pointer) const { free_function(pointer); }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

const SystemTime k_made = parse_rfc3339("2026-11-22T02:00:00Z").value();
constexpr std::chrono::hours k_year{24 * 365};

template <typename Write> SecretBytes pem(Write write) {
  BIO* const memory = BIO_new(BIO_s_mem());
  write(memory);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  SecretBytes text(as_bytes(std::string_view(data, static_cast<std::size_t>(size))));
  BIO_free(memory);
  return text;
}

SecretBytes pem_of(X509& certificate) {
  return pem([&](BIO* out) { PEM_write_bio_X509(out, &certificate); });
}

SecretBytes pem_of(EVP_PKEY& key) {
  return pem([&](BIO* out) {
    PEM_write_bio_PrivateKey(out, &key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Certificate read(const SecretBytes& text) {
  BIO* const memory = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  Certificate certificate(PEM_read_bio_X509(memory, nullptr, nullptr, nullptr));
  BIO_free(memory);
  REQUIRE(certificate);
  return certificate;
}

/// What k3s makes: an authority for ten years, and an administrator for one.
struct Made {
  Key authority_key{EVP_EC_gen("P-256")};
  Key key{EVP_EC_gen("P-256")};
  Certificate authority = signed_by(*authority_key, "k3s-client-ca", 10);
  Certificate administrator = signed_by(*key, "system:admin", 1);

  Certificate signed_by(EVP_PKEY& own, const char* name, int years) const {
    Certificate made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), years);
    const std::time_t begin = k_made.time_since_epoch().count();
    ASN1_TIME_set(X509_getm_notBefore(made.get()), begin);
    ASN1_TIME_set(X509_getm_notAfter(made.get()),
                  begin + std::chrono::seconds(k_year * years).count());
    X509_set_pubkey(made.get(), &own);
    X509_NAME* const subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(made.get(), authority ? X509_get_subject_name(authority.get()) : subject);
    X509_sign(made.get(), authority_key.get(), EVP_sha256());
    return made;
  }

  [[nodiscard]] SecretBytes at(SystemTime now) const {
    return valid_certificate(
        pem_of(*administrator), pem_of(*authority), pem_of(*authority_key), now);
  }
};

} // namespace

TEST_CASE("within its year the certificate of the set is shown as it is") {
  const Made made;
  const SecretBytes own = pem_of(*made.administrator);
  CHECK(made.at(k_made + std::chrono::hours(1)).text() == own.text());
  CHECK(made.at(k_made + k_year - std::chrono::hours(1)).text() == own.text());
}

TEST_CASE("after its year it is made anew: the same name and key, signed by the same authority") {
  const Made made;
  for (const SystemTime now : {k_made + k_year + std::chrono::hours(1),
                               k_made + k_year * 3,
                               k_made - std::chrono::hours(1)}) { // a clock that lags behind
    const Certificate renewed = read(made.at(now));
    std::time_t time = now.time_since_epoch().count();
    CHECK(X509_cmp_time(X509_get0_notBefore(renewed.get()), &time) < 0);
    CHECK(X509_cmp_time(X509_get0_notAfter(renewed.get()), &time) > 0);
    CHECK(X509_verify(renewed.get(), made.authority_key.get()) == 1);
    CHECK(X509_NAME_cmp(X509_get_subject_name(renewed.get()),
                        X509_get_subject_name(made.administrator.get())) == 0);
    CHECK(EVP_PKEY_eq(X509_get0_pubkey(renewed.get()), made.key.get()) == 1);
  }
}

TEST_CASE("without the authority's own key, or where it is no certificate, nothing is made") {
  const Made made;
  const Made other;
  const SystemTime late = k_made + k_year * 2;
  const SecretBytes own = pem_of(*made.administrator);
  const SecretBytes ca = pem_of(*made.authority);
  CHECK(valid_certificate(pem_of(*made.administrator), ca, {}, late).text() == own.text());
  CHECK(valid_certificate(pem_of(*made.administrator), {}, pem_of(*made.authority_key), late)
            .text() == own.text());
  CHECK(valid_certificate(pem_of(*made.administrator), ca, pem_of(*other.authority_key), late)
            .text() == own.text());
  CHECK(valid_certificate(SecretBytes(as_bytes("of before")), ca, pem_of(*made.authority_key), late)
            .text() == "of before");
}

TEST_CASE("a set that is years old opens the servers all the same") {
  const Made made;
  const test::Scratch scratch;
  const auto write = [&](const char* name, const SecretBytes& content) {
    scratch.write(std::string("data/server/") + name, std::string(content.text()));
  };
  write("tls/server-ca.crt", pem_of(*made.authority));
  write("tls/client-ca.crt", pem_of(*made.authority));
  write("tls/client-ca.key", pem_of(*made.authority_key));
  write("tls/client-admin.crt", pem_of(*made.administrator));
  write("tls/client-admin.key", pem_of(*made.key));
  write("token", SecretBytes(as_bytes("K10aa::server:pass\n")));
  const std::string path = scratch.path("run/access");
  const auto shown = [&](SystemTime now) {
    const auto access = ServerAccess::make("/k3s", nullptr, scratch.path("data"), path, now);
    REQUIRE(access);
    const auto json = nlohmann::json::parse(scratch.read("run/access"));
    return json["users"][0]["user"]["client-certificate-data"].get<std::string>();
  };
  CHECK(shown(k_made + k_year / 2) != shown(k_made + k_year * 2));
}
