// HTTP over a Unix socket, to `k3s kubectl proxy`: no port is opened, and a server in namespaces of
// its own is reached by the socket's name.
#pragma once

#include "objects/api_port.hpp"

#include <chrono>
#include <string_view>

namespace rb::objects {

/// An answer to an HTTP/1.0 request, read to its end. Errors: corrupt.
[[nodiscard]] Result<ApiAnswer> parse_answer(std::string_view text);

class SocketApi final : public ApiPort {
public:
  /// `path` must be short enough for a socket address (107 bytes).
  SocketApi(std::string path, std::chrono::seconds timeout)
      : m_path(std::move(path)), m_timeout(timeout) {}

  [[nodiscard]] Result<ApiAnswer> get(const std::string& path, const std::string& accept) override;

private:
  std::string m_path;
  std::chrono::seconds m_timeout; ///< For each part of the answer.
};

} // namespace rb::objects
