#include "notify/exchange.hpp"

#include "notify/wire.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace rb::notify {

namespace {

constexpr std::size_t k_head_limit_bytes = 16384;

Error no_http() {
  return {ErrorCode::corrupt, "what answers does not speak HTTP/1.1", {}};
}

/// Leaves no copy behind, as to_base64() would.
void append_base64(SecretBuffer& buffer, ByteView bytes) {
  const std::size_t size = (bytes.size() + 2) / 3 * 4;
  EVP_EncodeBlock(buffer.prepare(size + 1).data(), // it ends its text with a zero
                  bytes.data(),
                  static_cast<int>(bytes.size()));
  buffer.commit(size);
}

SecretBytes head_of(const ReceiverUrl& url, const HttpRequest& request) {
  SecretBuffer head(1024);
  head.append(request.method);
  head.append(' ');
  head.append(url.target.view());
  head.append(" HTTP/1.1\r\nHost: " + url.authority() +
              "\r\nUser-Agent: railiance-backup/" RB_VERSION
              "\r\nAccept: */*\r\nConnection: close\r\n");
  for (const auto& [name, value] : request.headers) {
    head.append(name + ": " + value + "\r\n");
  }
  if (!request.bearer_token.empty()) {
    head.append(std::string_view("Authorization: Bearer "));
    head.append(request.bearer_token);
    head.append(std::string_view("\r\n"));
  } else if (!url.credentials.empty()) {
    head.append(std::string_view("Authorization: Basic "));
    append_base64(head, url.credentials.view());
    head.append(std::string_view("\r\n"));
  }
  if (request.method != "GET") {
    head.append("Content-Length: " + std::to_string(request.body.size()) + "\r\n");
  }
  head.append(std::string_view("\r\n"));
  head.append(request.body);
  return std::move(head).take();
}

/// "HTTP/1.1 200 OK". Nothing: its line has not come whole.
Result<std::optional<int>> status_of(std::string_view text) {
  constexpr std::string_view k_version = "HTTP/1.";
  const std::size_t compared = std::min(text.size(), k_version.size());
  if (text.substr(0, compared) != k_version.substr(0, compared)) {
    return no_http();
  }
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return std::optional<int>();
  }
  int status = 0;
  const bool long_enough = end >= 12;
  const auto read = std::from_chars(text.data() + 9, text.data() + (long_enough ? 12 : 9), status);
  if (!long_enough || read.ec != std::errc() || read.ptr != text.data() + 12 || status < 100) {
    return no_http();
  }
  return std::optional(status);
}

/// What has come behind the head. Nothing: the head has not come whole.
std::optional<std::string_view> body_of(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  return end == std::string_view::npos ? std::nullopt : std::optional(text.substr(end + 4));
}

/// Nothing more comes, by what the head says. Without a length the end is where the other end
/// closes.
bool is_whole(int status, std::string_view text) {
  const auto body = body_of(text);
  if (!body) {
    return false;
  }
  std::string head(text.substr(0, text.size() - body->size()));
  std::ranges::transform(head, head.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  constexpr std::string_view k_length = "\ncontent-length:";
  if (const std::size_t at = head.find(k_length); at != std::string::npos) {
    const std::size_t digits =
        std::min(head.find_first_not_of(' ', at + k_length.size()), head.size());
    std::size_t length = 0;
    const auto read = std::from_chars(head.data() + digits, head.data() + head.size(), length);
    return read.ec == std::errc() && body->size() >= length;
  }
  return status == 204 || body->ends_with("\r\n0\r\n\r\n");
}

/// What comes behind the status, for a moment, and until the other end closes, as it was asked to.
HttpAnswer read_words(int status, std::string text, Wire& wire, const Patience& patience) {
  std::array<std::uint8_t, 2048> piece{};
  while (!is_whole(status, text) && text.size() < k_head_limit_bytes &&
         body_of(text).value_or(std::string_view()).size() < k_words_limit_bytes) {
    const auto got = wire.read(piece, patience);
    if (!got || *got == 0) {
      break;
    }
    text.append(as_text({piece.data(), *got}));
  }
  return {status,
          std::string(body_of(text).value_or(std::string_view()).substr(0, k_words_limit_bytes))};
}

/// The first answer that is none of 1xx, which announce another one.
Result<HttpAnswer>
read_answer(Wire& wire, Patience& patience, std::chrono::milliseconds for_words) {
  std::string text;
  std::array<std::uint8_t, 2048> piece{};
  for (std::size_t total = 0; total < k_head_limit_bytes;) {
    RB_TRY_ASSIGN(const std::size_t got, wire.read(piece, patience));
    total += got;
    if (got == 0) {
      return Error{ErrorCode::unavailable, "the connection was closed without an answer", {}};
    }
    text.append(as_text({piece.data(), got}));
    while (true) {
      RB_TRY_ASSIGN(const std::optional<int> status, status_of(text));
      if (status && *status >= 200 && *status < 300) {
        patience.narrow(for_words);
        return read_words(*status, std::move(text), wire, patience);
      }
      if (status && *status >= 300) {
        return HttpAnswer{*status, {}};
      }
      const std::size_t end = text.find("\r\n\r\n");
      if (!status || end == std::string::npos) {
        break;
      }
      text.erase(0, end + 4);
    }
  }
  return no_http();
}

Result<HttpAnswer> carry_out(const ReceiverUrl& url,
                             const HttpRequest& request,
                             const std::string& ca_file,
                             Patience& patience,
                             const ExchangeLimits& limits) {
  patience.narrow(limits.lookup);
  RB_TRY_ASSIGN(const auto addresses, look_up(url.host, url.port, patience));
  patience.narrow(limits.connect);
  RB_TRY_ASSIGN(Wire wire, Wire::connect(addresses, patience));
  if (url.tls) {
    RB_TRY(wire.start_tls(url.name(), ca_file, patience));
  }
  patience.widen();
  const SecretBytes head = head_of(url, request);
  RB_TRY(wire.write(head.view(), patience));
  return read_answer(wire, patience, limits.words);
}

} // namespace

Result<HttpAnswer> exchange(const ReceiverUrl& url,
                            const HttpRequest& request,
                            const std::string& ca_file,
                            const std::stop_token& stop,
                            const ExchangeLimits& limits) {
  Patience patience(stop, limits.whole);
  auto answer = carry_out(url, request, ca_file, patience, limits);
  return answer ? std::move(answer)
                : Result<HttpAnswer>(std::move(answer).error().within(url.authority()));
}

} // namespace rb::notify
