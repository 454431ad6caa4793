// What install and uninstall share: the server that they work on, the package, and its cluster.
#pragma once

#include "cli/install/package.hpp"
#include "cli/install/server.hpp"
#include "cli/io.hpp"

#include "base/error.hpp"

#include <memory>
#include <string>

namespace rb::cli {

/// Warns of what is odd. Errors: those of install::server_of.
[[nodiscard]] Result<install::Server> this_server(const std::string& k3s_program, const Io& io);

/// `from` empty: where packages are. Errors: those of install::find_package.
[[nodiscard]] Result<install::Package> package_for(const std::string& from, const Io& io);

/// Where the manifests are laid down.
[[nodiscard]] std::string manifest_file(const install::Server& server);

/// By the admin's kubeconfig of this server: its own cluster is meant, whatever else this user
/// could reach. Errors: those of Io::connect, and unavailable: it does not answer.
[[nodiscard]] Result<std::unique_ptr<Api>>
connect_to_server(const ClusterChoice& choice, const install::Server& server, const Io& io);

/// `hint` says what to do instead.
[[nodiscard]] Error installed_by_helm(const std::string& release, std::string hint);

/// As fail(); 128 and the signal where that ended it.
int fail_or_stop(const Io& io, const Error& error, const std::string& server);

} // namespace rb::cli
