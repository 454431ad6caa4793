#include "restore/cluster/server_access.hpp"

#include "k3s/token.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/journal.hpp"

#include "base/open_beneath.hpp"
#include "base/secret_bytes.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

namespace rb::cluster {

namespace {

constexpr std::size_t k_limit_bytes = std::size_t{1} << 20U;
constexpr const char* k_admin = "admin";
constexpr const char* k_supervisor = "supervisor";

/// What a kubeconfig is made of.
struct Credentials {
  SecretBytes authority;
  SecretBytes certificate;
  SecretBytes key;
  SecretBytes token;

  [[nodiscard]] bool whole() const {
    return !authority.empty() && !certificate.empty() && !key.empty() && !token.empty();
  }
};

/// `read`: the content of a file below the data directory, or nothing.
template <typename Read> Credentials credentials_of(const Read& read, SystemTime now) {
  return {read(std::string(k3s::k_server_ca)),
          valid_certificate(read("server/tls/client-admin.crt"),
                            read("server/tls/client-ca.crt"),
                            read("server/tls/client-ca.key"),
                            now),
          read("server/tls/client-admin.key"),
          read("server/token")};
}

Credentials of_state(const set::HostState& state, SystemTime now) {
  const std::string data_dir = state.data_dir.empty() ? k_usual_data_dir : state.data_dir;
  const auto read = [&](const std::string& name) {
    const archive::Entry* const entry = state.find(data_dir + "/" + name);
    return entry == nullptr ? SecretBytes() : SecretBytes(entry->content.view());
  };
  return credentials_of(read, now);
}

Credentials of_host(const std::string& data_dir, SystemTime now) {
  const auto read = [&](const std::string& name) {
    auto content = read_regular(data_dir + "/" + name, k_limit_bytes);
    return content ? std::move(*content) : SecretBytes();
  };
  return credentials_of(read, now);
}

/// JSON, which a kubeconfig may be.
class Writer {
public:
  Writer& text(std::string_view text) {
    m_buffer.append(text);
    return *this;
  }
  Writer& base64(const SecretBytes& bytes) {
    std::string encoded = to_base64(bytes.view());
    m_buffer.append("\"");
    m_buffer.append(encoded);
    m_buffer.append("\"");
    wipe(MutableByteView(reinterpret_cast<std::uint8_t*>(encoded.data()), encoded.size()));
    return *this;
  }
  Writer& quoted(std::string_view secret) {
    constexpr std::string_view k_digits = "0123456789abcdef";
    m_buffer.append("\"");
    for (const char c : secret) {
      const std::size_t byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        m_buffer.append('\\');
        m_buffer.append(c);
      } else if (byte < 0x20) {
        m_buffer.append("\\u00");
        m_buffer.append(k_digits[byte >> 4U]);
        m_buffer.append(k_digits[byte & 15U]);
      } else {
        m_buffer.append(c);
      }
    }
    m_buffer.append("\"");
    return *this;
  }
  [[nodiscard]] ByteView view() const { return m_buffer.view(); }

private:
  SecretBuffer m_buffer;
};

Writer kubeconfig_of(const Credentials& all) {
  Writer writer;
  writer
      .text(R"({"apiVersion":"v1","kind":"Config","current-context":"admin","clusters":[)"
            R"({"name":"set","cluster":{"server":"https://127.0.0.1:6443",)"
            R"("certificate-authority-data":)")
      .base64(all.authority)
      .text(R"(}}],"users":[{"name":"admin","user":{"client-certificate-data":)")
      .base64(all.certificate)
      .text(R"(,"client-key-data":)")
      .base64(all.key)
      .text(R"(}},{"name":"supervisor","user":{"username":"server","password":)")
      .quoted(k3s::token_password(all.token.text()))
      .text(R"(}}],"contexts":[{"name":"admin","context":{"cluster":"set","user":"admin"}},)"
            R"({"name":"supervisor","context":{"cluster":"set","user":"supervisor"}}]})"
            "\n");
  return writer;
}

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

Result<ServerAccess> ServerAccess::make(const std::string& k3s_program,
                                        const set::HostState* state,
                                        const std::string& data_dir,
                                        const std::string& path,
                                        SystemTime now) {
  Credentials found = state == nullptr ? Credentials() : of_state(*state, now);
  if (!found.whole()) {
    found = of_host(data_dir, now);
  }
  if (!found.whole()) {
    return Error{ErrorCode::not_found,
                 "neither the set nor " + data_dir +
                     "/server has the certificate of an administrator and the token, by which the "
                     "other servers could be asked",
                 "choose a set with host state"};
  }
  RB_TRY(make_directories(path.substr(0, path.rfind('/')), 0711));
  RB_TRY(write_file(path, kubeconfig_of(found).view(), 0600));
  return ServerAccess(Access{{k3s_program, path, data_dir}, k_admin, k_supervisor});
}

ServerAccess::ServerAccess(ServerAccess&& other) noexcept : m_access(std::move(other.m_access)) {
  other.m_access.kubectl.kubeconfig.clear();
}

ServerAccess::~ServerAccess() {
  if (!m_access.kubectl.kubeconfig.empty()) {
    static_cast<void>(remove_path(m_access.kubectl.kubeconfig)); // forget_access() says why not
  }
}

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
