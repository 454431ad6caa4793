#include "cli/connect.hpp"

#include "kube/connection.hpp"

#include <unistd.h>

namespace rb::cli {

namespace {

constexpr const char* k_k3s_kubeconfig = "/etc/rancher/k3s/k3s.yaml";

class ConnectedApi final : public Api {
public:
  explicit ConnectedApi(std::unique_ptr<kube::Connection> connection)
      : m_connection(std::move(connection)) {}
  [[nodiscard]] kube::Client& client() override { return m_connection->client(); }
  [[nodiscard]] const std::string& server() const override { return m_connection->server(); }

private:
  std::unique_ptr<kube::Connection> m_connection;
};

std::vector<std::string> split_paths(const std::string& text) {
  std::vector<std::string> paths;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t colon = std::min(text.find(':', start), text.size());
    if (colon > start) {
      paths.push_back(text.substr(start, colon - start));
    }
    start = colon + 1;
  }
  return paths;
}

Error nothing_found(const std::vector<std::string>& candidates) {
  std::string places;
  for (const std::string& path : candidates) {
    places += (places.empty() ? "" : ", ") + path;
  }
  return Error{ErrorCode::unavailable,
               "no kubeconfig: none of " + places + " can be read, and this is not a pod",
               "run it as root on the k3s server, or name a kubeconfig with --kubeconfig or "
               "KUBECONFIG"};
}

} // namespace

std::vector<std::string> kubeconfig_candidates(const kube::Environment& environment) {
  if (const auto variable = environment("KUBECONFIG"); variable && !variable->empty()) {
    return split_paths(*variable);
  }
  const auto home = environment("HOME");
  const bool has_home = home && !home->empty();
  std::vector<std::string> paths;
  if (has_home) {
    paths.push_back(*home + "/.kube/config-hosteurope");
  }
  paths.emplace_back(k_k3s_kubeconfig);
  if (has_home) {
    paths.push_back(*home + "/.kube/config");
  }
  return paths;
}

Result<kube::ClientConfig> choose_cluster(const ClusterChoice& choice,
                                          const kube::Environment& environment,
                                          const Readable& readable) {
  if (!choice.kubeconfig.empty()) {
    return kube::load_kubeconfig(choice.kubeconfig, choice.context);
  }
  const std::vector<std::string> candidates = kubeconfig_candidates(environment);
  for (const std::string& path : candidates) {
    if (readable(path)) {
      return kube::load_kubeconfig(path, choice.context);
    }
  }
  if (environment("KUBERNETES_SERVICE_HOST")) {
    return kube::in_cluster_config(environment);
  }
  return nothing_found(candidates);
}

Result<std::unique_ptr<Api>> connect_to_cluster(const ClusterChoice& choice) {
  const auto readable = [](const std::string& path) { return ::access(path.c_str(), R_OK) == 0; };
  auto config = choose_cluster(choice, kube::process_environment, readable);
  if (!config) {
    Error error = std::move(config).error();
    if (error.code == ErrorCode::not_found) {
      // A kubeconfig that was named and is not there is a cluster that can't be reached.
      error.code = ErrorCode::unavailable;
      if (error.hint.empty()) {
        error.hint = "name a kubeconfig that exists with --kubeconfig or KUBECONFIG; on the k3s "
                     "server it is /etc/rancher/k3s/k3s.yaml";
      }
    }
    return error;
  }
  kube::ClientOptions options;
  options.user_agent = "railiance-backup/" RB_VERSION;
  RB_TRY_ASSIGN(auto connection, kube::Connection::make(std::move(*config), {}, options));
  return std::unique_ptr<Api>(std::make_unique<ConnectedApi>(std::move(connection)));
}

} // namespace rb::cli
