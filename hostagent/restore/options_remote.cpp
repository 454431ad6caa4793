#include "restore/options_remote.hpp"

#include "offsite/rclone.hpp"

#include <CLI/CLI.hpp>

namespace rb::restore {

namespace {

constexpr const char* k_fetch_footer = R"(Examples:
  railiance-restore list --remote nextcloud:backups/cluster
  railiance-restore fetch latest --remote nextcloud:backups/cluster --to /root/backup
  railiance-restore --backup-dir /root/backup verify

"latest" is the newest set from which a cluster can be restored; newer ones are named.
Every file is compared with the manifest of the set: size and SHA-256. Nothing is
replaced; a fetch that was cut off goes on where it was. The network is rclone's
(https://rclone.org): it must be on this machine, and know the remote.
Exit codes: 4 no such set, 6 a file over there is damaged, 7 the directory is in use,
8 the remote cannot be reached.)";

std::string check(const std::string& text) {
  const Status status = offsite::check_remote(text);
  return status ? std::string() : status.error().message + ": " + status.error().hint;
}

} // namespace

void add_remote(CLI::App& command, RemoteOptions& remote) {
  command.add_option("--remote", remote.remote, "Copy off-site: NAME:PATH of rclone")
      ->check(CLI::Validator(check, ""));
  command.add_option("--rclone", remote.program, "The rclone program (default: on $PATH)");
  command.add_option(
      "--rclone-config", remote.config_file, "Its configuration (default: where rclone looks)");
}

void add_fetch(CLI::App& app, FetchCommand& fetch) {
  CLI::App* command = app.add_subcommand("fetch", "Fetch one set from an off-site copy");
  command->footer(k_fetch_footer);
  add_remote(*command, fetch.remote);
  command->get_option("--remote")->required();
  command->add_option("--to", fetch.to, "Directory to write to (default: the backup directory)");
  command->add_flag("--allow-unsigned",
                    fetch.allow_unsigned,
                    "Fetch a set that is not signed by the known key, or was changed");
  command->add_option("SET", fetch.set, "Run id, or latest")->required();
}

} // namespace rb::restore
