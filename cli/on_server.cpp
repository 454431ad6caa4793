#include "cli/on_server.hpp"

#include "cli/connect.hpp"
#include "cli/install/lay_down.hpp"
#include "k3s/auto_deploy.hpp"
#include "terminal/terminal_text.hpp"

#include "kube/resource.hpp"

namespace rb::cli {

Result<install::Server> this_server(const std::string& k3s_program, const Io& io) {
  RB_TRY_ASSIGN(install::Server server, install::server_of(io.look_at_host(k3s_program)));
  for (const std::string& warning : server.warnings) {
    warn(io, warning);
  }
  return server;
}

Result<install::Package> package_for(const std::string& from, const Io& io) {
  return install::find_package(from.empty() ? io.package_places : std::vector{from});
}

std::string manifest_file(const install::Server& server) {
  return k3s::manifest_directory(server.data_dir) + "/" + install::k_laid_manifest;
}

Result<std::unique_ptr<Api>>
connect_to_server(const ClusterChoice& choice, const install::Server& server, const Io& io) {
  ClusterChoice own = choice;
  if (own.kubeconfig.empty()) {
    own.kubeconfig = server.kubeconfig;
  }
  RB_TRY_ASSIGN(auto api, io.connect(own));
  RB_TRY(api->client().get({kube::k_namespaces, "", "default", ""}, io.stop));
  return api;
}

Error installed_by_helm(const std::string& release, std::string hint) {
  return {ErrorCode::already_exists,
          "railiance-backup is installed here by Helm (release " + terminal_text(release) +
              "); nothing was changed",
          std::move(hint)};
}

int fail_or_stop(const Io& io, const Error& error, const std::string& server) {
  const int code = fail(io, error, server);
  return error.code == ErrorCode::cancelled && io.stop_signal ? 128 + io.stop_signal() : code;
}

} // namespace rb::cli
