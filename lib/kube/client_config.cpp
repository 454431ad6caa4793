#include "kube/client_config.hpp"

#include "base/fd.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>

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

Result<ClientConfig> load_kubeconfig(const std::string& path, std::string_view context) {
  RB_TRY_ASSIGN(const SecretBytes text, read_secret_file(path, k_file_limit_bytes));
  const std::string directory = std::filesystem::path(path).parent_path().string();
  auto config = parse_kubeconfig(text.text(), directory.empty() ? "." : directory, context);
  if (!config) {
    return std::move(config).error().within(path);
  }
  return config;
}

// A kubeconfig (Kubernetes documentation, "kubeconfig (v1)"). What we do not do is refused by name:
// a setting that is silently ignored would connect as somebody else, or nowhere.
namespace {

Error malformed(std::string message) {
  return {ErrorCode::corrupt, std::move(message), {}};
}

/// The scalar under `key`, or "" when it is absent or null.
std::string scalar(const YAML::Node& map, const char* key) {
  const YAML::Node value = map[key];
  return value && value.IsScalar() ? value.Scalar() : std::string();
}

/// The member `inner` of the entry called `name` in the list `list`.
Result<YAML::Node>
entry(const YAML::Node& root, const char* list, const char* inner, const std::string& name) {
  const YAML::Node entries = root[list];
  if (entries && entries.IsSequence()) {
    for (const YAML::Node& candidate : entries) {
      if (candidate.IsMap() && scalar(candidate, "name") == name) {
        const YAML::Node body = candidate[inner];
        return body && body.IsMap() ? body : YAML::Node(YAML::NodeType::Map);
      }
    }
  }
  return Error{ErrorCode::invalid_argument,
               "no entry \"" + name + "\" in \"" + list + "\"",
               "see: kubectl config view"};
}

Result<SecretBytes> decode(const std::string& text, const char* key) {
  std::string compact;
  for (const char c : text) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
      compact.push_back(c);
    }
  }
  auto decoded = from_base64(compact);
  wipe({reinterpret_cast<std::uint8_t*>(compact.data()), compact.size()});
  if (!decoded) {
    return malformed(std::string(key) + " is not base64");
  }
  SecretBytes bytes{ByteView(*decoded)};
  wipe(*decoded);
  return bytes;
}

/// `key`-data wins over the file `key`, as in client-go.
Result<FileOrBytes>
material(const YAML::Node& map, const std::string& key, const std::string& directory) {
  FileOrBytes result;
  const std::string data_key = key + "-data";
  const std::string data = scalar(map, data_key.c_str());
  if (!data.empty()) {
    RB_TRY_ASSIGN(result.bytes, decode(data, data_key.c_str()));
    return result;
  }
  const std::string path = scalar(map, key.c_str());
  if (!path.empty()) {
    result.path = (std::filesystem::path(directory) / path).string(); // an absolute path stays
  }
  return result;
}

Status refuse(const YAML::Node& map, const char* key, const char* instead) {
  const YAML::Node value = map[key];
  if (!value || value.IsNull() || (value.IsScalar() && value.Scalar() == "false")) {
    return {};
  }
  return Error{ErrorCode::unsupported, "\"" + std::string(key) + "\" is not supported", instead};
}

Status read_cluster(const YAML::Node& cluster, const std::string& directory, ClientConfig& config) {
  RB_TRY(refuse(
      cluster, "insecure-skip-tls-verify", "put the server's CA into certificate-authority-data"));
  RB_TRY(refuse(cluster, "proxy-url", "connect to the API server directly"));
  RB_TRY_ASSIGN(const ServerUrl url, parse_server_url(scalar(cluster, "server")));
  config.server = url.text();
  config.tls_server_name = scalar(cluster, "tls-server-name");
  RB_TRY_ASSIGN(config.ca, material(cluster, "certificate-authority", directory));
  return {};
}

Status read_user(const YAML::Node& user, const std::string& directory, ClientConfig& config) {
  constexpr const char* use = "use a client certificate or a token (kubectl create token)";
  for (const char* key : {"exec", "auth-provider", "username", "as", "as-groups", "as-uid"}) {
    RB_TRY(refuse(user, key, use));
  }
  RB_TRY_ASSIGN(config.client_certificate, material(user, "client-certificate", directory));
  RB_TRY_ASSIGN(config.client_key, material(user, "client-key", directory));
  if (config.client_certificate.given() != config.client_key.given()) {
    return malformed("a client certificate needs its key, and a key its certificate");
  }
  const std::string token_file = scalar(user, "tokenFile");
  const std::string token = scalar(user, "token");
  if (!token_file.empty()) {
    config.token.path = (std::filesystem::path(directory) / token_file).string();
  } else if (!token.empty()) {
    config.token.bytes = SecretBytes(as_bytes(token));
  }
  return {};
}

Result<ClientConfig>
read(const YAML::Node& root, const std::string& directory, std::string_view wanted) {
  if (!root.IsMap()) {
    return malformed("not a kubeconfig");
  }
  const std::string name = wanted.empty() ? scalar(root, "current-context") : std::string(wanted);
  if (name.empty()) {
    return Error{ErrorCode::invalid_argument,
                 "no current-context is set",
                 "name one with --context, or: kubectl config use-context NAME"};
  }
  RB_TRY_ASSIGN(const YAML::Node context, entry(root, "contexts", "context", name));
  RB_TRY_ASSIGN(const YAML::Node cluster,
                entry(root, "clusters", "cluster", scalar(context, "cluster")));
  ClientConfig config;
  RB_TRY(read_cluster(cluster, directory, config));
  const std::string user_name = scalar(context, "user");
  if (!user_name.empty()) {
    RB_TRY_ASSIGN(const YAML::Node user, entry(root, "users", "user", user_name));
    RB_TRY(read_user(user, directory, config));
  }
  config.name_space = scalar(context, "namespace");
  return config;
}

} // namespace

bool may_have_context(const std::string& path, std::string_view context) {
  const auto text = read_secret_file(path, k_file_limit_bytes);
  if (!text) {
    return true;
  }
  try {
    const YAML::Node root = YAML::Load(std::string(text->text()));
    if (!root.IsMap()) {
      return !root.IsNull(); // an empty file has none
    }
    return context.empty() ? !scalar(root, "current-context").empty()
                           : entry(root, "contexts", "context", std::string(context)).has_value();
  } catch (const YAML::Exception&) {
    return true;
  }
}

Result<ClientConfig>
parse_kubeconfig(std::string_view text, const std::string& directory, std::string_view context) {
  try {
    return read(YAML::Load(std::string(text)), directory, context);
  } catch (const YAML::Exception& e) {
    // Its text may quote the file; the place is enough.
    return malformed("not valid YAML at line " + std::to_string(e.mark.line + 1));
  }
}

} // namespace rb::kube
