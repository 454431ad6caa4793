#include "kube/transport_failure.hpp"

#include <cerrno>

namespace rb::kube {

namespace {

std::string subject(const FailedExchange& failed) {
  return std::string(to_string(failed.request.method)) + " " + failed.request.path;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The library's error codes say little; its words tell where it failed.
Error connection_error(const FailedExchange& failed) {
  const std::string url = failed.url.text();
  Error error{ErrorCode::unavailable, {}, {}};
  if (failed.said.starts_with("Error resolving") || failed.said.starts_with("Failed to resolve")) {
    error.system_errno = ECONNREFUSED;
    error.message = url + ": cannot resolve " + failed.url.host;
    error.hint = "check the server's name and the DNS";
  } else if (failed.said.starts_with("Failed to connect")) {
    error.system_errno = ECONNREFUSED;
    error.message = url + ": cannot connect (refused or unreachable)";
    error.hint = "is the API server running, and is this its address?";
  } else if (!failed.tls_reason.empty() || contains(failed.said, "SSL handshake")) {
    error.system_errno = EPROTO;
    error.message =
        url + ": TLS: " + (failed.tls_reason.empty() ? "the handshake failed" : failed.tls_reason);
    error.hint = "expected is a server called \"" + std::string(failed.verified_name) +
                 "\" with a certificate from " + failed.ca_name;
  } else {
    error.message = subject(failed) + ": connection to " + url + " lost before the answer's end";
  }
  return error;
}

} // namespace

Error error_of(const FailedExchange& failed) {
  switch (failed.ending) {
  case Ending::stopped:
  case Ending::enough:
    return {ErrorCode::cancelled, subject(failed) + ": stopped", {}};
  case Ending::deadline:
    return {ErrorCode::timeout,
            subject(failed) + ": nothing from " + failed.url.text() + " for " +
                std::to_string(failed.patience.count()) + " ms",
            {}};
  case Ending::too_large:
    return {ErrorCode::unsupported,
            subject(failed) + ": the answer is larger, or comes faster, than our limit of " +
                std::to_string(failed.request.body_limit_bytes) + " bytes allows",
            {}};
  case Ending::not_chunked:
    return {ErrorCode::unsupported,
            subject(failed) + ": the answer is neither chunked nor has it a length",
            "is there an old proxy in front of the API server?"};
  case Ending::none:
    return connection_error(failed);
  }
  return connection_error(failed);
}

} // namespace rb::kube
