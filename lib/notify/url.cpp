#include "notify/url.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace rb::notify {

namespace {

constexpr std::size_t k_limit_bytes = 2048;
constexpr std::size_t k_host_limit_bytes = 253;
constexpr std::string_view k_white = " \t\r\n";

Error bad(const char* what, const char* hint = "a URL looks like https://hc-ping.com/…") {
  return {ErrorCode::invalid_argument, std::string("the URL ") + what, hint};
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view host) {
  return std::ranges::all_of(
      host, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_ipv6(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
           c == '.';
  });
}

bool take(std::string_view& text, std::string_view prefix) {
  const bool there = text.starts_with(prefix);
  text.remove_prefix(there ? prefix.size() : 0);
  return there;
}

std::optional<std::uint8_t> byte_of(std::string_view hex) {
  return hex.size() == 2 ? whole_number<std::uint8_t>(hex, 16) : std::nullopt;
}

void append_encoded(SecretBuffer& buffer, char c) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  if (is_letter_or_digit(c) || c == '-' || c == '.' || c == '_') {
    buffer.append(c);
    return;
  }
  buffer.append('%');
  buffer.append(k_digits[byte >> 4U]);
  buffer.append(k_digits[byte & 15U]);
}

/// "user:password", each percent-decoded. Takes it and the "@" off `text`, where there is one.
Result<SecretBytes> read_credentials(std::string_view& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) {
    return SecretBytes();
  }
  std::string_view encoded = text.substr(0, at);
  text.remove_prefix(at + 1);
  SecretBuffer decoded(encoded.size() + 1);
  bool has_password = false;
  while (!encoded.empty()) {
    const bool is_encoded = encoded.front() == '%';
    const auto byte = is_encoded ? byte_of(encoded.substr(1, 2))
                                 : std::optional(static_cast<std::uint8_t>(encoded.front()));
    if (!byte) {
      return bad("has a % in its user or password with no two hex digits behind it",
                 "write a % there as %25");
    }
    has_password = has_password || encoded.front() == ':';
    decoded.append(ByteView(&*byte, 1));
    encoded.remove_prefix(is_encoded ? 3 : 1);
  }
  if (!has_password) {
    decoded.append(':');
  }
  return std::move(decoded).take();
}

/// "HOST", "HOST:PORT", "[ADDRESS]", "[ADDRESS]:PORT", each with "USER:PASSWORD@" before it.
Status read_authority(std::string_view text, ReceiverUrl& url) {
  RB_TRY_ASSIGN(url.credentials, read_credentials(text));
  std::string_view host = text;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    host = text.substr(1, end == std::string_view::npos ? end : end - 1);
    rest = end == std::string_view::npos ? std::string_view("?") : text.substr(end + 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  const bool fits = text.starts_with('[') ? is_ipv6(host) : is_name(host);
  if (host.empty() || host == "." || host.size() > k_host_limit_bytes || !fits) {
    return bad("has no host");
  }
  url.host = host;
  if (rest.empty()) {
    return {};
  }
  const char* const end = rest.data() + rest.size();
  const auto read = std::from_chars(rest.data() + 1, end, url.port);
  if (!rest.starts_with(':') || read.ec != std::errc() || read.ptr != end || url.port == 0) {
    return bad("has a port that is none");
  }
  return {};
}

} // namespace

std::string ReceiverUrl::name() const {
  return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
}

std::string ReceiverUrl::authority() const {
  const std::string there = host.find(':') == std::string::npos ? name() : "[" + host + "]";
  return port == (tls ? 443 : 80) ? there : there + ":" + std::to_string(port);
}

Result<ReceiverUrl> parse_url(std::string_view text, PlainHttp plain) {
  const std::size_t begin = std::min(text.find_first_not_of(k_white), text.size());
  text.remove_prefix(begin);
  text = text.substr(0, text.find_last_not_of(k_white) + 1);
  if (text.empty()) {
    return bad("is empty");
  }
  if (text.size() > k_limit_bytes) {
    return bad("is longer than 2048 bytes");
  }
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c > '~'; })) {
    return bad("has white space or another character that must be percent-encoded");
  }
  ReceiverUrl url;
  if (take(text, "http://")) {
    if (plain == PlainHttp::refused) {
      return bad("begins with http://, which shows the secret to everybody on the way",
                 "use https://, or set notify.allowHTTP=true for a receiver within the cluster");
    }
    url.tls = false;
    url.port = 80;
  } else if (!take(text, "https://")) {
    return bad("does not begin with https://");
  }
  const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
  RB_TRY(read_authority(text.substr(0, end), url));
  const std::string_view target = text.substr(end);
  if (target.find('#') != std::string_view::npos) {
    return bad("has a fragment (#), which is never sent");
  }
  SecretBuffer buffer(target.size() + 1);
  if (!target.starts_with('/')) {
    buffer.append('/');
  }
  buffer.append(target);
  url.target = std::move(buffer).take();
  return url;
}

ReceiverUrl with_suffix(const ReceiverUrl& url, std::string_view suffix) {
  const std::string_view target = url.target.text();
  const std::size_t query = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, query);
  if (path.ends_with('/') && !suffix.empty()) {
    path.remove_suffix(1);
  }
  SecretBuffer buffer(target.size() + suffix.size());
  buffer.append(path);
  buffer.append(suffix);
  buffer.append(target.substr(query));
  return {
      url.tls, url.host, url.port, std::move(buffer).take(), SecretBytes(url.credentials.view())};
}

ReceiverUrl with_query(ReceiverUrl url,
                       const std::vector<std::pair<std::string, std::string>>& parameters) {
  const std::string_view target = url.target.text();
  const std::size_t mark = std::min(target.find('?'), target.size());
  SecretBuffer buffer(target.size());
  buffer.append(target.substr(0, mark));
  char separator = '?';
  for (std::string_view rest = target.substr(std::min(mark + 1, target.size())); !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    const std::string_view name = one.substr(0, one.find('='));
    if (one.empty() || std::ranges::any_of(parameters, [&](const auto& parameter) {
          return parameter.first == name;
        })) {
      continue;
    }
    buffer.append(separator);
    buffer.append(one);
    separator = '&';
  }
  for (const auto& [name, value] : parameters) {
    buffer.append(separator);
    buffer.append(name + "=");
    separator = '&';
    for (const char c : value) {
      append_encoded(buffer, c);
    }
  }
  url.target = std::move(buffer).take();
  return url;
}

} // namespace rb::notify
