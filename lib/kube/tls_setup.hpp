// What a TLS connection to the API server trusts and shows (OpenSSL).
#pragma once

#include "kube/client_config.hpp"

#include <mutex>
#include <string>

struct ssl_ctx_st;
struct x509_store_ctx_st;

namespace rb::kube {

/// Certificates and keys of one server, and why the last verification failed. Safe to share;
/// outlives the contexts that it set up.
class TlsSetup {
public:
  TlsSetup(FileOrBytes ca, FileOrBytes client_certificate, FileOrBytes client_key);

  /// TLS 1.2 or newer; trusts the given CA alone (or the system's, when none was given); the files
  /// are read now. Errors: not_found, permission_denied, corrupt, unsupported (a key with a
  /// passphrase).
  [[nodiscard]] Status apply(ssl_ctx_st* context);

  /// Remembers the error of apply for take_failure: the library loses it.
  void note(Error error);

  /// Why the last handshake failed on our side, and forgets it; "" when unknown.
  [[nodiscard]] std::string take_failure();

  /// For hints: "the CA in FILE", "the CA of the kubeconfig", "the CAs of the system".
  [[nodiscard]] std::string ca_name() const;

private:
  static int verify(x509_store_ctx_st* store, void* self);

  const FileOrBytes m_ca;
  const FileOrBytes m_certificate;
  const FileOrBytes m_key;
  std::mutex m_mutex;
  std::string m_failure;
};

} // namespace rb::kube
