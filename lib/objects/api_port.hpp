// The API of a server on this host, as a comparison needs it: GET, and nothing else.
#pragma once

#include "base/result.hpp"

#include <string>

namespace rb::objects {

struct ApiAnswer {
  int status = 0;   ///< HTTP status.
  std::string body; ///< Whole.
};

class ApiPort {
public:
  ApiPort() = default;
  virtual ~ApiPort() = default;
  ApiPort(const ApiPort&) = delete;
  ApiPort& operator=(const ApiPort&) = delete;
  ApiPort(ApiPort&&) = delete;
  ApiPort& operator=(ApiPort&&) = delete;

  /// `path` with its query; `accept` is the media type asked for. Any status is an answer.
  /// Errors: unavailable (nobody answers), timeout, corrupt (not HTTP, or cut off), unsupported
  /// (larger than 64 MiB).
  [[nodiscard]] virtual Result<ApiAnswer> get(const std::string& path,
                                              const std::string& accept) = 0;
};

} // namespace rb::objects
