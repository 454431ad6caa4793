#include "restore/proof/messages.hpp"

#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace rb::proof {

namespace {

using nlohmann::json;

constexpr std::uint32_t k_limit_bytes = std::uint32_t{16} << 20U;
constexpr int k_poll_ms = 100;

Error gone() {
  return {ErrorCode::unavailable, "the scratch server's namespaces are gone", {}};
}

Status send_bytes(const Fd& socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return gone();
    }
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

Status receive_bytes(const Fd& socket, MutableByteView bytes, const std::stop_token& stop) {
  while (!bytes.empty()) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop", {}};
    }
    pollfd polled{socket.get(), POLLIN, 0};
    if (::poll(&polled, 1, k_poll_ms) <= 0) {
      continue;
    }
    const ssize_t got = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return gone();
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Status send_message(const Fd& socket, const json& message) {
  // Output of other programs need not be UTF-8.
  std::string text = message.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto length = static_cast<std::uint32_t>(text.size());
  std::array<std::uint8_t, sizeof(length)> head{};
  std::memcpy(head.data(), &length, sizeof(length));
  Status sent = send_bytes(socket, head);
  if (sent) {
    sent = send_bytes(socket, as_bytes(text));
  }
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}); // it may hold the token
  return sent;
}

Result<json> receive_message(const Fd& socket, const std::stop_token& stop) {
  std::uint32_t length = 0;
  std::array<std::uint8_t, sizeof(length)> head{};
  RB_TRY(receive_bytes(socket, head, stop));
  std::memcpy(&length, head.data(), sizeof(length));
  if (length > k_limit_bytes) {
    return Error{ErrorCode::corrupt, "the scratch server's helper: too long a message", {}};
  }
  SecretBytes text(length);
  RB_TRY(receive_bytes(socket, text.span(), stop));
  json message = json_of(text.text());
  if (!message.is_object()) {
    return Error{ErrorCode::corrupt, "the scratch server's helper: not a message", {}};
  }
  return message;
}

/// Both ends are this program: a field that is missing is a bug, and caught where it is read.
Request read_request(const json& message) {
  Request request;
  request.op = static_cast<Op>(json_integer<int>(message.at("op")));
  request.log_path = message.at("log").get<std::string>();
  request.spec.program = message.at("program").get<std::string>();
  request.spec.arguments = message.at("arguments").get<std::vector<std::string>>();
  request.spec.environment = message.at("environment").get<std::map<std::string, std::string>>();
  request.spec.timeout = std::chrono::seconds(json_integer<std::int64_t>(message.at("timeout")));
  return request;
}

Reply read_reply(const json& message) {
  Reply reply;
  reply.ok = message.at("ok").get<bool>();
  reply.error.code = static_cast<ErrorCode>(json_integer<int>(message.at("code")));
  reply.error.message = message.at("message").get<std::string>();
  reply.error.hint = message.at("hint").get<std::string>();
  reply.result.exit_status = json_integer<int>(message.at("exit"));
  reply.result.signal = json_integer<int>(message.at("signal"));
  reply.result.timed_out = message.at("timed_out").get<bool>();
  reply.result.out = message.at("out").get<std::string>();
  reply.result.err = message.at("err").get<std::string>();
  return reply;
}

Error not_understood(const json::exception& exception) {
  return {ErrorCode::internal, std::string("the scratch server's helper: ") + exception.what(), {}};
}

} // namespace

Status send_request(const Fd& socket, const Request& request) {
  json message{{"op", static_cast<int>(request.op)},
               {"log", request.log_path},
               {"program", request.spec.program},
               {"arguments", request.spec.arguments},
               {"environment", request.spec.environment},
               {"timeout", request.spec.timeout.count()}};
  return send_message(socket, message);
}

Status send_reply(const Fd& socket, const Reply& reply) {
  return send_message(socket,
                      {{"ok", reply.ok},
                       {"code", static_cast<int>(reply.error.code)},
                       {"message", reply.error.message},
                       {"hint", reply.error.hint},
                       {"exit", reply.result.exit_status},
                       {"signal", reply.result.signal},
                       {"timed_out", reply.result.timed_out},
                       {"out", reply.result.out},
                       {"err", reply.result.err}});
}

Result<Request> receive_request(const Fd& socket) {
  RB_TRY_ASSIGN(const json message, receive_message(socket, {}));
  try {
    return read_request(message);
  } catch (const json::exception& exception) {
    return not_understood(exception);
  }
}

Result<Reply> receive_reply(const Fd& socket, const std::stop_token& stop) {
  RB_TRY_ASSIGN(const json message, receive_message(socket, stop));
  try {
    return read_reply(message);
  } catch (const json::exception& exception) {
    return not_understood(exception);
  }
}

} // namespace rb::proof
