// The socket that is listened on.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <string>

namespace rb::status {

struct Listener {
  Fd socket; ///< Non-blocking, not inherited by programs.
  int port = 0;
};

/// `listen` is "HOST:PORT"; port 0 takes a free one. Errors: invalid_argument, io.
[[nodiscard]] Result<Listener> listen_on(const std::string& listen);

} // namespace rb::status
