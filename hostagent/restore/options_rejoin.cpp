// The command line of rejoin.
#include "restore/options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace rb::restore {

namespace {

constexpr const char* k_footer = R"(Examples:
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

void add_rejoin(CLI::App& app, RejoinCommand& command) {
  CLI::App* const rejoin = app.add_subcommand(
      "rejoin", "Bring another server back to a cluster that was restored on one");
  rejoin->footer(k_footer);
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
