// uninstall: takes back what install laid down, on this server and in its cluster. The sets stay.
#include "cli/commands.hpp"
#include "cli/connect.hpp"
#include "cli/install/installed.hpp"
#include "cli/install/kept.hpp"
#include "cli/install/lay_down.hpp"
#include "cli/on_server.hpp"
#include "objects/manifests.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

namespace rb::cli {

const char* const k_uninstall_footer = R"(Example:
  railiance-backup uninstall

The backup sets, the host's signing key, the CRDs and the ClusterBackups stay. With several
servers, run it on each.)";

namespace {

using install::Directories;
using install::Installer;
using Objects = std::vector<nlohmann::json>;

constexpr const char* k_signing_key_dir = "/var/lib/railiance-backup";

/// What is to be removed: as it was laid down, else as the package has it; empty: nobody knows.
Result<Objects> objects_to_remove(const std::optional<std::string>& laid,
                                  const UninstallCommand& command,
                                  const Io& io) {
  if (laid) {
    if (auto objects = objects::objects_of_yaml(*laid)) {
      return objects;
    }
  }
  const auto package = package_for(command.from, io);
  if (!package) {
    return Objects();
  }
  RB_TRY_ASSIGN(const std::string text, install::packaged_manifests(*package));
  return objects::objects_of_yaml(text);
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + terminal_text(name);
  }
  return text;
}

void say_what_stays(const Objects& objects, const install::Removal& removal, Io& io) {
  const std::string sets = install::backup_dir_in(objects);
  io.out
      << "uninstalled: " << count_of(removal.removed, "object") << " removed\n"
      << "what stays:\n  the backup sets" << (sets.empty() ? "" : ": " + terminal_text(sets))
      << "\n  the host's signing key: " << k_signing_key_dir
      << "\n  rclone's configuration with its password, where sets were copied off-site: "
      << k_signing_key_dir << "/offsite/rclone"
      << "\n  the CRDs and ClusterBackups: k3s kubectl delete crd "
         "clusterbackups.backup.railiance.io nodebackups.backup.railiance.io "
         "backupstatuses.backup.railiance.io\n"
      << "    (Helm takes them over with: helm install --take-ownership, of Helm 3.17 or newer)\n";
  if (!removal.kept_secrets.empty()) {
    io.out << "  the namespace railiance-backup, for it holds Secrets of yours: "
           << listed(removal.kept_secrets) << '\n';
  }
}

/// Words alone: a list that cannot be had keeps nothing from being taken back.
void say_where_else(const Result<std::vector<std::string>>& servers, Io& io) {
  if (servers && servers->empty()) {
    return;
  }
  io.out << "other servers of this cluster: "
         << (servers ? listed(*servers) : "not known (" + servers.error().message + ")")
         << "\n  what was laid down there is applied again when k3s starts there: run the same on "
            "each\n";
}

Status
uninstall_here(const UninstallCommand& command, const install::Server& server, Api& api, Io& io) {
  kube::Client& client = api.client();
  RB_TRY_ASSIGN(const install::Installed installed, install::who_installed(client, io.stop));
  if (installed.by == Installer::helm) {
    return installed_by_helm(installed.release,
                             "helm uninstall " + terminal_text(installed.release) +
                                 " -n railiance-backup");
  }
  RB_TRY_ASSIGN(const Directories directories, install::open_directories(server.data_dir));
  RB_TRY_ASSIGN(const auto laid, install::laid_manifests(*directories.manifests));
  if (installed.by == Installer::kubectl && !laid) {
    return Error{ErrorCode::already_exists,
                 "railiance-backup was not installed here by this command; nothing was changed",
                 "take it away as it came: kubectl delete -k deploy"};
  }
  RB_TRY_ASSIGN(const Objects objects, objects_to_remove(laid, command, io));
  if (!laid && installed.by == Installer::nobody) {
    RB_TRY_ASSIGN(const bool removed, install::take_away(directories));
    io.out << (removed ? "what was left of an installation is removed\n"
                       : "railiance-backup is not installed here\n");
    return {};
  }
  if (objects.empty()) {
    return Error{ErrorCode::not_found,
                 "nothing here says what was installed: " + manifest_file(server) +
                     " is gone, and so is the package",
                 "name the package's directory with --from"};
  }
  const auto others = install::other_servers(client, server.node_name, io.stop);
  if (laid) {
    RB_TRY(install::hold_back(*directories.manifests));
  }
  RB_TRY_ASSIGN(const install::Removal removal, install::remove_objects(client, objects, io.stop));
  if (removal.kept_secrets.empty()) {
    io.err << "removed; waiting until the pods have ended\n";
    RB_TRY(install::wait_until_gone(client, command.timeout, io.clock, *io.waiter, io.stop));
  }
  RB_TRY(install::take_away(directories));
  say_what_stays(objects, removal, io);
  say_where_else(others, io);
  return {};
}

} // namespace

int uninstall(const UninstallCommand& command, const ClusterChoice& cluster, Io& io) {
  const auto server = this_server(command.k3s, io);
  if (!server) {
    return fail(io, server.error());
  }
  const auto api = connect_to_server(cluster, *server, io);
  if (!api) {
    return fail_or_stop(io, api.error(), "this host");
  }
  const Status done = uninstall_here(command, *server, **api, io);
  return done ? static_cast<int>(ExitCode::done) : fail_or_stop(io, done.error(), (*api)->server());
}

} // namespace rb::cli
