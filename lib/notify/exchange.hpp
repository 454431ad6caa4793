// One HTTP request to a receiver, the status of its answer, and the first words of it: some say
// there that they did not take what they answer with 200. Nothing else is read: the connection is
// closed then. Nobody at the other end can keep us, fill our memory, or send the secret elsewhere.
// Guarantees: ends within its limits and, when it is told to stop, at once; reads 16 KiB at most;
// follows no redirect; over TLS 1.2 or newer with a certificate that the given CAs vouch for, or
// plainly where the URL says http://. Errors name the host and never path, query, token or body.
#pragma once

#include "notify/url.hpp"

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rb::notify {

struct HttpRequest {
  std::string method;
  std::vector<std::pair<std::string, std::string>> headers; ///< No secrets; each is one line.
  /// Header Authorization; empty: what the URL says. Outlives the call.
  std::string_view bearer_token;
  std::string body;
};

struct ExchangeLimits {
  std::chrono::milliseconds lookup{std::chrono::seconds(5)};  ///< For the address of a name.
  std::chrono::milliseconds connect{std::chrono::seconds(5)}; ///< With all addresses, and TLS.
  std::chrono::milliseconds whole{std::chrono::seconds(15)};
  std::chrono::milliseconds words{std::chrono::seconds(2)}; ///< Behind a status that has come.
};

struct HttpAnswer {
  int status = 0;
  std::string body; ///< Its first k_words_limit_bytes, as they came, where the status is 2xx.
};

inline constexpr std::size_t k_words_limit_bytes = 1024;

/// The answer, whatever it is. Once there is a status, nothing is an error. The process ignores
/// SIGPIPE. Errors: unavailable (no such name, nobody there, TLS, cut off), timeout, cancelled,
/// corrupt (no HTTP), those of reading `ca_file` (PEM).
[[nodiscard]] Result<HttpAnswer> exchange(const ReceiverUrl& url,
                                          const HttpRequest& request,
                                          const std::string& ca_file,
                                          const std::stop_token& stop,
                                          const ExchangeLimits& limits = {});

} // namespace rb::notify
