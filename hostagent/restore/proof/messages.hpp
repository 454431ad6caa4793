// What the program and its helper in the namespaces say to each other: JSON, a length before each
// message, over a pair of sockets.
#pragma once

#include "base/fd.hpp"
#include "base/process.hpp"

#include <stop_token>
#include <string>

namespace rb::proof {

enum class Op { run, start, alive };

struct Request {
  Op op = Op::alive;
  ProcessSpec spec;     ///< run, start
  std::string log_path; ///< start
};

struct Reply {
  bool ok = true;
  Error error = {};          ///< Where not ok.
  ProcessResult result = {}; ///< run
};

/// Errors: unavailable (the other side is gone), io.
[[nodiscard]] Status send_request(const Fd& socket, Request request);
[[nodiscard]] Status send_reply(const Fd& socket, Reply reply);

/// Errors: unavailable (the other side is gone), corrupt, cancelled.
[[nodiscard]] Result<Request> receive_request(const Fd& socket);
[[nodiscard]] Result<Reply> receive_reply(const Fd& socket, const std::stop_token& stop);

} // namespace rb::proof
