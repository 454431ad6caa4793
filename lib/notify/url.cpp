#include "notify/url.hpp"

#include <algorithm>
#include <charconv>

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

/// "HOST", "HOST:PORT", "[ADDRESS]", "[ADDRESS]:PORT".
Status read_authority(std::string_view text, ReceiverUrl& url) {
  if (text.find('@') != std::string_view::npos) {
    return bad("has a user or a password in it", "put the token into the key webhook-token");
  }
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
  if (host.empty() || host.size() > k_host_limit_bytes || !fits) {
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

std::string ReceiverUrl::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
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
  return {url.tls, url.host, url.port, std::move(buffer).take()};
}

} // namespace rb::notify
