// The address of an API server, taken apart and checked. Pure.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace rb::kube {

struct ServerUrl {
  bool tls = true;
  std::string host; ///< A name or an IPv4 address.
  unsigned port = 443;
  std::string prefix;      ///< "" or "/path" without a slash at the end.
  bool is_address = false; ///< `host` is an IPv4 address.

  /// "https://HOST:PORT/PREFIX".
  [[nodiscard]] std::string text() const;
};

/// Errors: invalid_argument (no URL, user or query in it, bad port), unsupported (an IPv6 literal;
/// http to anything but loopback).
[[nodiscard]] Result<ServerUrl> parse_server_url(std::string_view url);

/// Four decimal numbers.
[[nodiscard]] bool is_ipv4_address(std::string_view host);

} // namespace rb::kube
