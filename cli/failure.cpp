#include "cli/failure.hpp"

#include <cerrno>

namespace rb::cli {

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
  if (error.code == ErrorCode::permission_denied && error.http_status == 403) {
    return "this user needs the verbs create, get, list and watch on clusterbackups in the group "
           "backup.railiance.io";
  }
  const bool never_reached = error.system_errno == ECONNREFUSED || error.hint.empty();
  if (exit_code_of(error) == ExitCode::unreachable && never_reached) {
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
  error.hint = "install it first: helm install railiance-backup charts/railiance-backup -n "
               "railiance-backup --create-namespace --set-file sops.config=.sops.yaml";
  return error;
}

int fail(const Io& io, const Error& error, const std::string& server) {
  Error told = error;
  if (std::string ours = server.empty() ? std::string() : our_hint(error, server); !ours.empty()) {
    told.hint = std::move(ours);
  }
  return rb::fail(io, told, exit_code_of(error));
}

} // namespace rb::cli
