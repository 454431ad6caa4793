#include "kube/client_config.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace rb::kube {

namespace {

Error bad_url(std::string_view url, std::string_view why) {
  return {ErrorCode::invalid_argument,
          "\"" + std::string(url.substr(0, 256)) + "\": " + std::string(why),
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
  return host == "localhost" || (is_ipv4_address(host) && host.starts_with("127."));
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
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= 65535;
}

} // namespace

bool is_ipv4_address(std::string_view host) {
  unsigned numbers = 0;
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view part = host.substr(0, dot);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (part.empty() || error != std::errc() || end != part.data() + part.size() || value > 255) {
      return false;
    }
    ++numbers;
    if (dot == std::string_view::npos) {
      return numbers == 4;
    }
    host.remove_prefix(dot + 1);
  }
}

std::string ServerUrl::text() const {
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(port) + prefix;
}

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
  if (rest.starts_with('[')) {
    return Error{ErrorCode::unsupported,
                 "\"" + std::string(url.substr(0, 256)) + "\": an IPv6 address as the server",
                 "the HTTP library cannot connect to IPv6 literals: use a host name that resolves "
                 "to it and is in the server's certificate"};
  }
  const std::size_t colon = rest.find(':');
  if (colon != std::string_view::npos && !parse_port(rest.substr(colon + 1), parsed.port)) {
    return bad_url(url, "the port is not a number from 1 to 65535");
  }
  parsed.host = rest.substr(0, colon);
  if (!is_host(parsed.host)) {
    return bad_url(url, "the host is neither a name nor an IPv4 address");
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
  // The library cannot connect to IPv6 literals; the API server's certificate has this name.
  const bool ipv6 = host->find(':') != std::string::npos;
  const std::string server =
      "https://" + (ipv6 ? std::string("kubernetes.default.svc") : *host) + ":" + *port;
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
