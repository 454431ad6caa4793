#include "kube/client_config.hpp"

#include "base/fd.hpp"
#include "kube/server_url.hpp"

#include <cstdlib>
#include <filesystem>

namespace rb::kube {

namespace {

constexpr std::size_t k_file_limit_bytes = std::size_t{4} * 1024 * 1024;

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

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

Result<std::string> find_kubeconfig(const std::string& path, const Environment& environment) {
  if (!path.empty()) {
    return path; // a file that was named and is not there is an error of its own
  }
  std::string tried;
  const auto listed = environment("KUBECONFIG");
  std::string_view rest = listed ? std::string_view(*listed) : std::string_view();
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string candidate(rest.substr(0, colon));
    if (!candidate.empty() && exists(candidate)) {
      return candidate;
    }
    tried.append(candidate).append(" ");
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  if (listed && !listed->empty()) {
    return Error{ErrorCode::not_found, "no kubeconfig: KUBECONFIG names " + tried + "only", {}};
  }
  const auto home = environment("HOME");
  for (const std::string& candidate :
       {home.value_or("/root") + "/.kube/config", std::string("/etc/rancher/k3s/k3s.yaml")}) {
    if (exists(candidate)) {
      return candidate;
    }
  }
  return Error{ErrorCode::not_found,
               "no kubeconfig: neither ~/.kube/config nor /etc/rancher/k3s/k3s.yaml is there",
               "give one with --kubeconfig or KUBECONFIG"};
}

} // namespace rb::kube
