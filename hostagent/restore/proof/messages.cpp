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

Status send_text(const Fd& socket, std::string text) {
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

template <typename Message> Status send(const Fd& socket, Message& message) {
  nlohmann::ordered_json written;
  JsonFields writer(written);
  fields(writer, message);
  // Output of other programs need not be UTF-8.
  return send_text(socket, written.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Result<nlohmann::json> receive_message(const Fd& socket, const std::stop_token& stop) {
  std::uint32_t length = 0;
  std::array<std::uint8_t, sizeof(length)> head{};
  RB_TRY(receive_bytes(socket, head, stop));
  std::memcpy(&length, head.data(), sizeof(length));
  if (length > k_limit_bytes) {
    return Error{ErrorCode::corrupt, "the scratch server's helper: too long a message", {}};
  }
  SecretBytes text(length);
  RB_TRY(receive_bytes(socket, text.span(), stop));
  nlohmann::json message = json_of(text.text());
  if (!message.is_object()) {
    return Error{ErrorCode::corrupt, "the scratch server's helper: not a message", {}};
  }
  return message;
}

/// Of an enumeration that is no file's: its number.
template <typename Enum> void number(JsonFields& json, std::string_view key, Enum& value) {
  int text = static_cast<int>(value);
  json.required(key, text);
  value = static_cast<Enum>(text);
}

/// Both ends are this program: a field that is missing is a bug, and caught where it is read.
template <typename Message> Result<Message> receive(const Fd& socket, const std::stop_token& stop) {
  RB_TRY_ASSIGN(const nlohmann::json message, receive_message(socket, stop));
  auto read = from_json_fields<Message>(message);
  return read ? std::move(read)
              : Result<Message>(std::move(read).error().within("the scratch server's helper"));
}

} // namespace

void fields(JsonFields& json, Request& request) {
  number(json, "op", request.op);
  json.required("log", request.log_path);
  json.required("program", request.spec.program);
  json.required("arguments", request.spec.arguments);
  json.required("environment", request.spec.environment);
  auto seconds = static_cast<std::int64_t>(request.spec.timeout.count());
  json.required("timeout", seconds);
  request.spec.timeout = std::chrono::seconds(seconds);
}

void fields(JsonFields& json, Reply& reply) {
  json.required("ok", reply.ok);
  number(json, "code", reply.error.code);
  json.required("message", reply.error.message);
  json.required("hint", reply.error.hint);
  json.required("exit", reply.result.exit_status);
  json.required("signal", reply.result.signal);
  json.required("timed_out", reply.result.timed_out);
  json.required("out", reply.result.out);
  json.required("err", reply.result.err);
}

Status send_request(const Fd& socket, Request request) {
  return send(socket, request);
}

Status send_reply(const Fd& socket, Reply reply) {
  return send(socket, reply);
}

Result<Request> receive_request(const Fd& socket) {
  return receive<Request>(socket, {});
}

Result<Reply> receive_reply(const Fd& socket, const std::stop_token& stop) {
  return receive<Reply>(socket, stop);
}

} // namespace rb::proof
