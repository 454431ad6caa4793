#include "kube/client_config.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>

namespace rb::kube {

namespace {

/// Without a user, who may have a password, and without a query.
std::string shown(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t at = url.rfind('@');
  std::string text(url.substr(0, begin));
  text += at == std::string_view::npos ? std::string(url.substr(begin))
                                       : "..." + std::string(url.substr(at));
  const std::size_t query = text.find('?');
  return (query == std::string::npos ? text : text.substr(0, query) + "?...").substr(0, 256);
}

Error bad_url(std::string_view url, std::string_view why) {
  return {ErrorCode::invalid_argument,
          "\"" + shown(url) + "\": " + std::string(why),
          "the server's address has the form https://HOST:PORT"};
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253) {
    return false;
  }
  return std::ranges::all_of(host, [](char c) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return alnum || c == '-' || c == '.' || c == '_';
  });
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" ||
         (is_ipv4_address(host) && host.starts_with("127."));
}

bool take_scheme(std::string_view& rest, bool& tls) {
  constexpr std::string_view https = "https://";
  constexpr std::string_view http = "http://";
  tls = rest.starts_with(https);
  if (!tls && !rest.starts_with(http)) {
    return false;
  }
  rest.remove_prefix(tls ? https.size() : http.size());
  return true;
}

bool parse_port(std::string_view text, unsigned& port) {
  port = whole_number<unsigned>(text).value_or(0);
  return port > 0 && port <= 65535;
}

} // namespace

bool is_ipv4_address(std::string_view host) {
  unsigned numbers = 0;
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view part = host.substr(0, dot);
    if (whole_number<unsigned>(part).value_or(256) > 255) {
      return false;
    }
    ++numbers;
    if (dot == std::string_view::npos) {
      return numbers == 4;
    }
    host.remove_prefix(dot + 1);
  }
}

bool is_ipv6_address(std::string_view host) {
  in6_addr address{};
  return host.find('\0') == std::string_view::npos &&
         ::inet_pton(AF_INET6, std::string(host).c_str(), &address) == 1;
}

bool is_ip_address(std::string_view host) {
  return is_ipv4_address(host) || is_ipv6_address(host);
}

std::string ServerUrl::authority() const {
  return (is_ipv6_address(host) ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string ServerUrl::text() const {
  return (tls ? "https://" : "http://") + authority() + prefix;
}

namespace {

/// Takes "HOST", "HOST:PORT" and "[HOST]:PORT" apart: `port` is what stands behind the colon.
struct Authority {
  std::string_view host;
  std::optional<std::string_view> port;
};

Authority split_authority(std::string_view text) {
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  if (bracket == std::string_view::npos) {
    const std::size_t colon = text.find(':');
    return colon == std::string_view::npos
               ? Authority{text, std::nullopt}
               : Authority{text.substr(0, colon), text.substr(colon + 1)};
  }
  const std::string_view behind = text.substr(bracket + 1);
  const std::string_view host = text.substr(1, bracket - 1);
  if (!is_ipv6_address(host) || (!behind.empty() && behind.front() != ':')) {
    return {}; // no host
  }
  return behind.empty() ? Authority{host, std::nullopt} : Authority{host, behind.substr(1)};
}

} // namespace

Result<ServerUrl> parse_server_url(std::string_view url) {
  ServerUrl parsed;
  std::string_view rest = url;
  if (!take_scheme(rest, parsed.tls)) {
    return bad_url(url, "not an http or https URL");
  }
  parsed.port = parsed.tls ? 443 : 80;
  if (rest.find_first_of("?#@ ") != std::string_view::npos) {
    return bad_url(url, "a user, a query or a fragment has no place in it");
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    parsed.prefix = rest.substr(slash);
    rest = rest.substr(0, slash);
    parsed.prefix.erase(parsed.prefix.find_last_not_of('/') + 1);
  }
  const Authority authority = split_authority(rest);
  if (authority.port && !parse_port(*authority.port, parsed.port)) {
    return bad_url(url, "the port is not a number from 1 to 65535");
  }
  parsed.host = authority.host;
  if (!is_host(parsed.host) && !is_ipv6_address(parsed.host)) {
    return bad_url(url, "the host is neither a name nor an address (one of IPv6 in brackets)");
  }
  if (!parsed.tls && !is_loopback(parsed.host)) {
    return Error{ErrorCode::unsupported,
                 "\"" + std::string(url.substr(0, 256)) + "\": plain http to another host",
                 "use https; plain http is taken only for a proxy on this host (kubectl proxy)"};
  }
  return parsed;
}

namespace {

constexpr std::size_t k_file_limit_bytes = std::size_t{4} * 1024 * 1024;

} // namespace

std::optional<std::string> process_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str()); // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<ClientConfig> in_cluster_config(const Environment& environment,
                                       const std::string& directory) {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  const auto port = environment("KUBERNETES_SERVICE_PORT");
  if (!host || host->empty() || !port || port->empty()) {
    return Error{ErrorCode::not_found,
                 "not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set",
                 "outside a cluster, give a kubeconfig"};
  }
  // By its address: the network policy of the pods lets no DNS through.
  const std::string server =
      "https://" + (is_ipv6_address(*host) ? "[" + *host + "]" : *host) + ":" + *port;
  RB_TRY_ASSIGN(const ServerUrl url, parse_server_url(server));

  ClientConfig config;
  config.server = url.text();
  config.ca.path = directory + "/ca.crt";
  config.token.path = directory + "/token";
  RB_TRY(read_secret_file(config.token.path, k_file_limit_bytes));
  RB_TRY(read_text_file(config.ca.path, k_file_limit_bytes));
  RB_TRY_ASSIGN(config.name_space, read_text_file(directory + "/namespace", 256));
  config.name_space.erase(config.name_space.find_last_not_of(" \r\n\t") + 1);
  return config;
}

} // namespace rb::kube
