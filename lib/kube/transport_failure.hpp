// What to tell the operator when an exchange with the API server failed. Pure.
#pragma once

#include "base/error.hpp"
#include "kube/exchange.hpp"
#include "kube/server_url.hpp"
#include "kube/transport.hpp"

#include <string>
#include <string_view>

namespace rb::kube {

struct FailedExchange {
  const Request& request;
  const ServerUrl& url;
  Ending ending = Ending::none;       ///< Why we ended it, if we did.
  std::chrono::milliseconds patience; ///< How long we waited at most.
  std::string_view said;              ///< The library's words: where it failed.
  std::string tls_reason;             ///< Why we did not like the server's certificate, or "".
  std::string_view verified_name;     ///< The name that the certificate must have.
  std::string ca_name;                ///< Of TlsSetup.
};

[[nodiscard]] Error error_of(const FailedExchange& failed);

} // namespace rb::kube
