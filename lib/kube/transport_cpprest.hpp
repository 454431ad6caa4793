// The Transport over HTTP/1.1 and TLS, on cpprestsdk. Nothing of the library shows here.
#pragma once

#include "kube/client_config.hpp"
#include "kube/transport.hpp"

#include <memory>

namespace rb::kube {

/// Starts the library's thread pool with `count` threads instead of 40. Call it first thing in
/// main; later calls do nothing.
void initialize_http_threads(unsigned count = 4);

/// Uses server, tls_server_name, ca, client_certificate and client_key of `config`, never the
/// token (AuthorizingTransport does). TLS 1.2 or newer; only the given CA is trusted; certificate
/// files are read again for each connection; redirects are not followed. No connection is made
/// here. Errors: invalid_argument, unsupported (IPv6 literal, http to another host).
///
/// Caveat: a request on a kept connection that the server closes is sent a second time by the
/// library, POST included. Callers use deterministic names and resource versions.
[[nodiscard]] Result<std::unique_ptr<Transport>> make_cpprest_transport(ClientConfig config);

} // namespace rb::kube
