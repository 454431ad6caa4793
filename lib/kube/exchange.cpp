#include "kube/exchange.hpp"

#include "base/fd.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

namespace rb::kube {

DeadlineTimer::DeadlineTimer() : m_thread([this](const std::stop_token& stop) { run(stop); }) {}

DeadlineTimer::~DeadlineTimer() {
  m_thread.request_stop();
  m_thread.join();
}

DeadlineTimer::TimePoint DeadlineTimer::earliest_locked() const {
  TimePoint earliest = TimePoint::max();
  for (const auto& [id, entry] : m_entries) {
    earliest = std::min(earliest, entry.due);
  }
  return earliest;
}

void DeadlineTimer::fire_due_locked() {
  const TimePoint now = std::chrono::steady_clock::now();
  for (auto it = m_entries.begin(); it != m_entries.end();) {
    if (it->second.due <= now) {
      // Under the lock, so that an Alarm's destructor waits for it.
      it->second.expired();
      it = m_entries.erase(it);
    } else {
      ++it;
    }
  }
}

void DeadlineTimer::run(const std::stop_token& stop) {
  std::unique_lock lock(m_mutex);
  while (!stop.stop_requested()) {
    m_sleeping_until = earliest_locked();
    const auto earlier = [this] { return earliest_locked() < m_sleeping_until; };
    if (m_sleeping_until == TimePoint::max()) {
      m_changed.wait(lock, stop, earlier);
    } else {
      m_changed.wait_until(lock, stop, m_sleeping_until, earlier);
    }
    fire_due_locked();
  }
}

std::uint64_t DeadlineTimer::add(std::chrono::milliseconds delay, std::function<void()> expired) {
  const std::lock_guard lock(m_mutex);
  const std::uint64_t id = ++m_next_id;
  m_entries.emplace(id, Entry{std::chrono::steady_clock::now() + delay, std::move(expired)});
  m_changed.notify_one();
  return id;
}

DeadlineTimer::Alarm::Alarm(DeadlineTimer& timer,
                            std::chrono::milliseconds delay,
                            std::function<void()> expired)
    : m_timer(timer), m_id(timer.add(delay, std::move(expired))) {}

DeadlineTimer::Alarm::~Alarm() {
  const std::lock_guard lock(m_timer.m_mutex);
  m_timer.m_entries.erase(m_id);
}

void DeadlineTimer::Alarm::restart(std::chrono::milliseconds delay) {
  const std::lock_guard lock(m_timer.m_mutex);
  const auto found = m_timer.m_entries.find(m_id);
  if (found != m_timer.m_entries.end()) {
    const TimePoint due = std::chrono::steady_clock::now() + delay;
    const bool sooner = due < m_timer.m_sleeping_until;
    found->second.due = due;
    if (sooner) {
      m_timer.m_changed.notify_one();
    }
  }
}

bool Flow::is_too_far_ahead(std::uint64_t read_bytes) {
  if (read_bytes <= taken_bytes.load() + ahead_limit_bytes) {
    return false;
  }
  Ending none = Ending::none;
  ending.compare_exchange_strong(none, Ending::too_large);
  return true;
}

Exchange::Exchange(DeadlineTimer& timer,
                   std::chrono::milliseconds timeout,
                   std::uint64_t ahead_limit_bytes,
                   const std::stop_token& stop,
                   std::function<void()> cancel)
    : m_flow(std::make_shared<Flow>()), m_cancel(std::move(cancel)),
      m_alarm(timer, timeout, [this] { end(Ending::deadline); }),
      m_on_stop(stop, [this] { end(Ending::stopped); }) {
  m_flow->ahead_limit_bytes = ahead_limit_bytes;
}

void Exchange::end(Ending why) {
  Ending none = Ending::none;
  m_flow->ending.compare_exchange_strong(none, why);
  m_cancel();
}

void keep_alive(int socket) {
  const auto set = [socket](int level, int name, int value) {
    // Where one is refused, the others stand.
    static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
  };
  set(IPPROTO_TCP, TCP_KEEPIDLE, k_alive_idle_seconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, k_alive_interval_seconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, k_alive_probes);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
}

namespace {

constexpr std::size_t k_pem_limit_bytes = std::size_t{4} * 1024 * 1024;

struct Free {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T> using Owned = std::unique_ptr<T, Free>;

Error bad(const FileOrBytes& source, std::string_view what, std::string_view why) {
  ERR_clear_error();
  const std::string subject = source.path.empty() ? std::string(what) : source.path;
  return {ErrorCode::corrupt, subject + ": " + std::string(why), {}};
}

Result<SecretBytes> content_of(const FileOrBytes& source) {
  if (source.path.empty()) {
    return SecretBytes(source.bytes.view());
  }
  return read_secret_file(source.path, k_pem_limit_bytes);
}

Owned<BIO> memory(const SecretBytes& pem) {
  return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

/// Nothing was read because there is nothing more, and not because a certificate cannot be read.
bool is_at_end(BIO* bio) {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  return BIO_pending(bio) == 0 ||
         (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
}

/// Calls `take` for each certificate. One that cannot be read does not take those behind it along:
/// so it is in Go, and therefore in kubectl.
template <typename Take> void for_each_certificate(BIO* bio, Take take) {
  while (true) {
    const Owned<X509> certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
    if (certificate) {
      take(certificate.get());
    } else if (is_at_end(bio)) {
      return;
    }
  }
}

Status trust(SSL_CTX* context, const FileOrBytes& ca) {
  RB_TRY_ASSIGN(const SecretBytes pem, content_of(ca));
  const Owned<BIO> bio = memory(pem);
  Owned<X509_STORE> store(X509_STORE_new());
  int count = 0;
  for_each_certificate(bio.get(), [&](X509* certificate) {
    X509_STORE_add_cert(store.get(), certificate);
    ++count;
  });
  if (count == 0) {
    return bad(ca, "certificate authority", "no PEM certificate in it");
  }
  SSL_CTX_set_cert_store(context, store.release()); // replaces the system's certificates
  return {};
}

Status show_certificate(SSL_CTX* context, const FileOrBytes& source) {
  RB_TRY_ASSIGN(const SecretBytes pem, content_of(source));
  const Owned<BIO> bio = memory(pem);
  const Owned<X509> leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return bad(source, "client certificate", "no PEM certificate in it");
  }
  SSL_CTX_clear_chain_certs(context);
  for_each_certificate(bio.get(), [&](X509* issuer) { SSL_CTX_add1_chain_cert(context, issuer); });
  return {};
}

Status use_key(SSL_CTX* context, const FileOrBytes& source) {
  RB_TRY_ASSIGN(const SecretBytes pem, content_of(source));
  const Owned<BIO> bio = memory(pem);
  bool asked = false;
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked));
  if (asked) {
    Error error = bad(source, "client key", "the key has a passphrase");
    error.code = ErrorCode::unsupported;
    error.hint = "use a key without a passphrase, in a file that only you can read";
    return error;
  }
  if (!key) {
    return bad(source, "client key", "no PEM private key in it");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return bad(source, "client key", "the key does not belong to the certificate");
  }
  return {};
}

int as_found(int ok, X509_STORE_CTX* /*store*/) {
  return ok;
}

/// X509_verify_cert then takes a certificate for this name alone. False: the name is none.
bool expect(X509_STORE_CTX* store, const std::string& name) {
  X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(store);
  if (name.empty()) {
    return false; // OpenSSL would take any certificate
  }
  // What was given as a CA is one, also without the root above it, as in kubectl.
  X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_PARTIAL_CHAIN);
  return is_ip_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1
                             : X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size()) == 1;
}

} // namespace

TlsSetup::TlsSetup(FileOrBytes ca,
                   FileOrBytes client_certificate,
                   FileOrBytes client_key,
                   std::string server_name)
    : m_ca(std::move(ca)), m_certificate(std::move(client_certificate)),
      m_key(std::move(client_key)), m_server_name(std::move(server_name)) {}

Status TlsSetup::apply(ssl_ctx_st* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (m_ca.given()) {
    RB_TRY(trust(context, m_ca));
  }
  if (m_certificate.given()) {
    RB_TRY(show_certificate(context, m_certificate));
    RB_TRY(use_key(context, m_key));
  }
  SSL_CTX_set_cert_verify_callback(context, &TlsSetup::verify, this);
  return {};
}

int TlsSetup::verify(x509_store_ctx_st* store, void* self) {
  auto& setup = *static_cast<TlsSetup*>(self);
  // Ours is the check of the name: the library's takes what the Host header says for the name, and
  // that has a port.
  X509_STORE_CTX_set_verify_cb(store, as_found);
  if (!expect(store, setup.m_server_name)) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
  } else if (X509_verify_cert(store) == 1) {
    return 1;
  }
  const int reason = X509_STORE_CTX_get_error(store);
  const bool name =
      reason == X509_V_ERR_HOSTNAME_MISMATCH || reason == X509_V_ERR_IP_ADDRESS_MISMATCH;
  const std::lock_guard lock(setup.m_mutex);
  setup.m_failure =
      name ? "the certificate is for another name" : X509_verify_cert_error_string(reason);
  return 0;
}

void TlsSetup::note(Error error) {
  const std::lock_guard lock(m_mutex);
  m_failure = std::move(error.message);
}

std::string TlsSetup::take_failure() {
  const std::lock_guard lock(m_mutex);
  return std::exchange(m_failure, {});
}

std::string TlsSetup::ca_name() const {
  if (!m_ca.path.empty()) {
    return "the CA in " + m_ca.path;
  }
  return m_ca.given() ? "the CA in the kubeconfig" : "the CAs of the system";
}

} // namespace rb::kube
