// The command lines of restore and rejoin.
#include "restore/options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace rb::restore {

namespace {

constexpr const char* k_footer = R"(Examples:
  railiance-restore restore
  railiance-restore restore latest --dry-run -i keys.txt
  railiance-restore restore 20261122T020000Z --execute -i keys.txt
  railiance-restore restore --execute --set-address 192.0.2.10=198.51.100.7 --set-interface enp7s0=eth0
  railiance-restore restore --execute --keep-config
  railiance-restore restore --rollback
  railiance-restore restore --artifact helm-values --to values

Without --execute it lists the sets and prints the commands for this host; nothing is
changed. With --execute: all checks, then decrypt, stop k3s, reset, start, wait for
the API, compare the objects. When the restored server does not come up, it goes back
to the old data by itself. A restore that was cut off is continued by the same command
(or --resume), or undone by --rollback.

Exit codes: 1 failed and rolled back, or refused; 3 the set lacks what is needed, or
objects are missing after the restore; 4 no set; 5 no identity opens it; 6 damaged
or tampered with; 7 k3s still runs. Nothing was touched by 3 to 7 but where it says so.
On a new machine with another address or interface the checks say which settings do
not fit: --set-address and --set-interface rewrite them (whole words, in k3s's
configuration, unit, drop-ins and environment files) in what is put back.
A set that is not signed by a known host is refused: --public-key, --allow-unsigned.
--artifact decrypts and unpacks one artifact; of Helm values it prints the lines that
rebuild the releases.)";

void add_cluster_options(CLI::App& restore, RestoreCommand& command) {
  restore.add_flag("--execute", command.execute, "Do it");
  restore.add_flag("--single-server",
                   command.wishes.single_server,
                   "All other servers of the cluster are stopped or lost");
  restore.add_flag("--replace-cluster",
                   command.wishes.replace_cluster,
                   "Put the set's cluster in the place of another one on this host");
  restore.add_flag("--without-host-state",
                   command.wishes.without_host_state,
                   "Take a set without host state, with the token that is on this host");
  restore.add_flag(
      "--allow-unsigned",
      command.wishes.allow_unsigned,
      "Take a set that nobody vouches for: unsigned, of another host, or tampered with");
  restore.add_flag("--restart-workloads",
                   command.restart_workloads,
                   "Afterwards restart the workloads whose programs may watch the API (without it "
                   "they are named)");
  restore
      .add_option("--set-address",
                  command.set_addresses,
                  "OLD=NEW: an address of the old host, rewritten in the configuration that is put "
                  "back; OLD=OLD: it is right as it is (repeatable)")
      ->type_name("OLD=NEW")
      ->allow_extra_args(false);
  restore
      .add_option(
          "--set-interface", command.set_interfaces, "The same for an interface (flannel-iface)")
      ->type_name("OLD=NEW")
      ->allow_extra_args(false);
  restore.add_flag("--keep-config",
                   command.wishes.keep_config,
                   "On a bare host: take token and state from the set, and leave the configuration "
                   "and the unit of this host as they are");
  restore
      .add_option("--reset-timeout",
                  command.reset_timeout_seconds,
                  "Seconds for k3s's own reset (default: 600, and one more for each 4 MiB of the "
                  "datastore)")
      ->check(CLI::Range(1U, 86400U));
}

constexpr const char* k_rejoin_footer = R"(Examples:
  railiance-restore rejoin -i keys.txt --dry-run
  railiance-restore rejoin -i keys.txt
  railiance-restore rejoin --server https://192.0.2.11:6443
  railiance-restore rejoin --resume
  railiance-restore rejoin --rollback

For each other server of a cluster that was restored on one of them (restore
--execute --single-server). k3s must be stopped here. It asks the servers that the set
names for the one that was restored, compares its certificate authority and its
kube-system with those of the set, moves server/db/etcd aside, takes the authorities,
keys and passwords that all servers share from that server, names it in a drop-in of
k3s's configuration, starts k3s, and waits until this host is a voting member of etcd
and holds the same revision. On an empty disk, or where the token was rotated since, the
server token of the set is put back, too; configuration and unit of this host must be
there.
A host that votes already is left alone.

What was cut off is continued by the same command (or --resume), or undone by
--rollback: a host that votes by then is taken out of the restored cluster first.

Exit codes: 1 failed and rolled back, or refused; 3 the set lacks what is needed; 4 no
set; 5 no identity opens it; 6 damaged or tampered with; 7 k3s still runs; 8 no server
of the cluster answers; 9 a deadline passed. Nothing was touched by 3 to 8.)";

/// "https://192.0.2.11" gets the usual port; a slash at the end goes.
Result<std::string> server_url(std::string text) {
  constexpr std::string_view k_scheme = "https://";
  while (text.ends_with('/')) {
    text.pop_back();
  }
  const std::string host = text.substr(std::min(text.size(), k_scheme.size()));
  const bool plain =
      !host.empty() && host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789.-:[]") == std::string::npos;
  if (!text.starts_with(k_scheme) || !plain) {
    return Error{ErrorCode::invalid_argument,
                 "rejoin: --server takes the URL of a server",
                 "https://192.0.2.11:6443, for example"};
  }
  return cluster::port_of(text).empty() ? text + ":6443" : text;
}

} // namespace

void add_host_options(CLI::App& app, HostCommand& command) {
  app.add_option("SET", command.set, "Run id, or latest")
      ->each([&command](const std::string&) { command.set_given = true; })
      ->capture_default_str();
  add_identity(
      app, command.identity_files, "File with private age keys (default: all that SOPS finds)");
  app.add_flag("--dry-run", command.dry_run, "Make the checks, print the plan, do nothing");
  app.add_flag("--resume", command.resume, "Continue what was cut off");
  app.add_flag("--rollback", command.rollback, "Go back to the data from before");
  app.add_flag("--yes", command.yes, "Do not ask");
  app.add_option("--k3s", command.hints.k3s_program, "The k3s program");
  app.add_option("--data-dir", command.hints.data_dir, "k3s's data directory");
  app.add_option("--start-command", command.hints.commands.start, "Starts k3s; no shell");
  app.add_option("--stop-command", command.hints.commands.stop, "Stops k3s");
  app.add_option("--status-command", command.hints.commands.status, "Exit status 0: k3s runs");
  app.add_option("--log-command",
                 command.hints.commands.log,
                 "Prints the log of k3s, where it is not the journal's");
  app.add_option("--ready-timeout",
                 command.ready_timeout_seconds,
                 "Seconds until the API answers (default: 300, and one more for each 4 MiB of the "
                 "datastore)")
      ->check(CLI::Range(1U, 86400U));
}

void add_restore(CLI::App& app, RestoreCommand& command) {
  CLI::App* const restore =
      app.add_subcommand("restore", "Bring the cluster back, or say how it is done");
  restore->footer(k_footer);
  add_host_options(*restore, command);
  restore->add_option(
      "--artifact", command.artifact, "Unpack only this: helm-values, kubeconfig or host-state");
  restore->add_option("--to", command.to, "The directory to unpack into");
  restore->add_flag("--force", command.force, "Replace files in it that are in the way");
  add_cluster_options(*restore, command);
}

std::optional<api::ArtifactType> artifact_of(const std::string& name) {
  return name == "helm-values"  ? std::optional(api::ArtifactType::helm_values)
         : name == "kubeconfig" ? std::optional(api::ArtifactType::kubeconfig)
         : name == "host-state" ? std::optional(api::ArtifactType::host_state)
                                : std::nullopt;
}

Status finish_restore(RestoreCommand& command) {
  const auto wrong = [](const std::string& what) {
    return Error{ErrorCode::invalid_argument, "restore: " + what, {}};
  };
  const int ways = (command.dry_run ? 1 : 0) + (command.rollback ? 1 : 0) +
                   (command.execute || command.resume ? 1 : 0) + (command.artifact.empty() ? 0 : 1);
  const bool would_execute = // "what would this command do"
      command.dry_run && command.execute && !command.rollback && !command.resume &&
      command.artifact.empty();
  if (ways > 1 && !would_execute) {
    return wrong("give one of --execute, --dry-run, --rollback and --artifact");
  }
  if (!command.to.empty() && command.artifact.empty()) {
    return wrong("--to goes with --artifact");
  }
  if (command.restart_workloads && !command.execute && !command.resume) {
    return wrong("--restart-workloads goes with --execute or --resume");
  }
  std::vector<cluster::Replacement>& replacements = command.wishes.replacements;
  const auto parse = [&](cluster::ReplacementKind kind, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      auto one = cluster::parse_replacement(kind, text);
      if (!one) {
        return Status(wrong(one.error().message + "; " + one.error().hint));
      }
      replacements.push_back(std::move(*one));
    }
    return Status();
  };
  RB_TRY(parse(cluster::ReplacementKind::address, command.set_addresses));
  RB_TRY(parse(cluster::ReplacementKind::interface, command.set_interfaces));
  const bool rewrites = std::ranges::any_of(
      replacements, [](const cluster::Replacement& one) { return !one.keeps(); });
  if (command.wishes.keep_config && rewrites) {
    return wrong("--keep-config puts no configuration back that --set-address or --set-interface "
                 "could rewrite: give one of them");
  }
  return command.hints.commands.given() ? k3s::check_commands(command.hints.commands) : Status();
}

void add_rejoin(CLI::App& app, RejoinCommand& command) {
  CLI::App* const rejoin = app.add_subcommand(
      "rejoin", "Bring another server back to a cluster that was restored on one");
  rejoin->footer(k_rejoin_footer);
  add_host_options(*rejoin, command);
  rejoin->add_option("--server",
                     command.wishes.server,
                     "URL of the server that was restored (default: the one of the set's servers "
                     "that answers)");
  rejoin->add_flag(
      "--allow-unsigned",
      command.wishes.allow_unsigned,
      "Take a set that nobody vouches for: unsigned, of another host, or tampered with");
}

Status finish_rejoin(RejoinCommand& command) {
  if ((command.dry_run ? 1 : 0) + (command.rollback ? 1 : 0) + (command.resume ? 1 : 0) > 1) {
    return Error{
        ErrorCode::invalid_argument, "rejoin: give one of --dry-run, --resume and --rollback", {}};
  }
  if (!command.wishes.server.empty()) {
    RB_TRY_ASSIGN(command.wishes.server, server_url(std::move(command.wishes.server)));
  }
  return command.hints.commands.given() ? k3s::check_commands(command.hints.commands) : Status();
}

} // namespace rb::restore
