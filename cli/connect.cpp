#include "cli/connect.hpp"

#include "k3s/server_settings.hpp"

#include "kube/connection.hpp"
#include "kube/resource.hpp"
#include "kube/retry.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace rb::cli {

namespace {

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

/// Of kubeconfigs that are each another cluster's: the first one, or the first that has the context
/// that is named.
Result<kube::ClientConfig> first_with_context(const std::vector<std::string>& files,
                                              const std::string& context) {
  auto first = kube::load_kubeconfig(files.front(), context);
  const auto lacks_context = [&] {
    return !first && first.error().code == ErrorCode::invalid_argument;
  };
  for (std::size_t i = 1; i < files.size() && !context.empty() && lacks_context(); ++i) {
    if (auto other = kube::load_kubeconfig(files[i], context)) {
      return other;
    }
  }
  return first;
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
  paths.emplace_back(k3s::k_usual_kubeconfig);
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
  std::vector<std::string> found;
  std::ranges::copy_if(candidates, std::back_inserter(found), readable);
  if (!found.empty()) {
    const auto variable = environment("KUBECONFIG");
    return variable && !variable->empty() ? kube::load_kubeconfigs(found, choice.context)
                                          : first_with_context(found, choice.context);
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

ExitCode exit_code_of(const Error& error) {
  if (error.code == ErrorCode::invalid_argument) {
    return ExitCode::usage;
  }
  if (error.code == ErrorCode::corrupt) {
    return ExitCode::failed; // an answer of the server, not a backup
  }
  return exit_code_for(error.code);
}

namespace {

/// What the operator of this command can do, where we know more of that than who made the error.
std::string our_hint(const Error& error, const std::string& server) {
  if (error.code == ErrorCode::unauthenticated) {
    return "the server does not know these credentials; take a fresh kubeconfig (k3s renews "
           "/etc/rancher/k3s/k3s.yaml when it starts)";
  }
  if (error.code == ErrorCode::permission_denied && error.http_status == 403 &&
      error.hint.starts_with(kube::k_rbac_hint)) {
    return "this user needs the verbs create, get, list and watch on clusterbackups in the group "
           "backup.railiance.io, get on backupstatuses (status, guard), and patch there "
           "(notify-test)";
  }
  const bool never_reached = error.system_errno == ECONNREFUSED || error.hint.empty();
  const bool no_answer =
      exit_code_of(error) == ExitCode::unreachable || error.code == ErrorCode::timeout;
  if (no_answer && never_reached) {
    return "is the API server at " + server +
           " running and reachable from here? on the server: systemctl status k3s; elsewhere, name "
           "the right kubeconfig with --kubeconfig or KUBECONFIG";
  }
  return {};
}

} // namespace

Error not_installed(Error error) {
  error.message =
      "railiance-backup is not installed in this cluster: it does not know ClusterBackup";
  error.hint =
      "install it first: on the k3s server, railiance-backup install --sops .sops.yaml; or "
      "helm install railiance-backup charts/railiance-backup -n railiance-backup "
      "--create-namespace --set-file sops.config=.sops.yaml";
  return error;
}

int fail(const Io& io, const Error& error, const std::string& server) {
  Error shown = error;
  if (std::string ours = server.empty() ? std::string() : our_hint(error, server); !ours.empty()) {
    shown.hint = std::move(ours);
  }
  return rb::fail(io, shown, exit_code_of(error));
}

int fail_unanswered(const Io& io, const Error& error, const std::string& server) {
  static_cast<void>(fail(io, error, server));
  const int signal = error.code == ErrorCode::cancelled && io.stop_signal ? io.stop_signal() : 0;
  return signal == 0 ? static_cast<int>(ExitCode::unreachable) : 128 + signal;
}

namespace {

constexpr std::chrono::seconds k_fresh{30}; ///< Twice the time after which another may take it.
constexpr std::chrono::seconds k_between_looks{5};

Result<kube::LeaseRecord> read_lease(Api& api, const Io& io) {
  RB_TRY_ASSIGN(
      const nlohmann::json object,
      api.client().get({kube::k_leases, "railiance-backup", "railiance-backup-controller", ""},
                       io.stop));
  return kube::lease_from_json(object);
}

/// Fractions of a second are of no interest here.
std::optional<SystemTime> renewed_at(const kube::LeaseRecord& lease) {
  const auto time = parse_rfc3339(lease.renew_time.substr(0, 19) + "Z");
  return time ? std::optional(*time) : std::nullopt;
}

ControllerSeen seen_of(Presence presence, const Result<kube::LeaseRecord>& lease) {
  return {presence, lease && presence == Presence::there ? renewed_at(*lease) : std::nullopt};
}

} // namespace

std::optional<Presence> judge_lease(const Result<kube::LeaseRecord>& seen, SystemTime now) {
  if (!seen) {
    return Presence::unknown;
  }
  if (seen->holder.empty()) {
    return Presence::released;
  }
  const auto renewed = renewed_at(*seen);
  const bool fresh = renewed && now - *renewed <= k_fresh && *renewed - now <= k_fresh;
  return fresh ? std::optional(Presence::there) : std::nullopt;
}

Presence judge_lease(const kube::LeaseRecord& before, const Result<kube::LeaseRecord>& after) {
  if (!after) {
    return Presence::unknown;
  }
  if (after->holder.empty()) {
    return Presence::released;
  }
  return *after == before ? Presence::silent : Presence::there;
}

std::string describe(Presence presence) {
  switch (presence) {
  case Presence::unknown:
  case Presence::there:
    return {};
  case Presence::released:
    return "no controller runs in the cluster: the last one ended, and no other came";
  case Presence::silent:
    return "no controller runs in the cluster: the last one does not renew its Lease";
  }
  return {};
}

ControllerSeen look_for_controller(Api& api, const Io& io) {
  const auto first = read_lease(api, io);
  if (const auto presence = judge_lease(first, io.clock.now())) {
    return seen_of(*presence, first);
  }
  RealWaiter().wait(k_between_looks, io.stop);
  if (io.stop.stop_requested()) {
    return {};
  }
  const auto second = read_lease(api, io);
  return seen_of(judge_lease(*first, second), second);
}

SystemTime cluster_time(const ControllerSeen& seen, SystemTime now) {
  return seen.renewed && now - *seen.renewed > k_fresh ? *seen.renewed : now;
}

Result<api::BackupStatus> read_backup_status(kube::Client& client, const std::stop_token& stop) {
  RB_TRY_ASSIGN(
      const nlohmann::json object,
      client.get({kube::k_backup_statuses, "", std::string(api::k_backup_status_name), ""}, stop));
  return api::backup_status_from_json(object);
}

} // namespace rb::cli
