// One function a step of the plan. Each can be done again after a crash in the middle of it.
// Private to this room.
#pragma once

#include "restore/cluster/execute.hpp"

namespace rb::cluster {

[[nodiscard]] Status do_decrypt(const JournalState& state, Ports& ports);
/// Errors besides: busy (a server process is left).
[[nodiscard]] Status do_stop(const JournalState& state, Ports& ports);
/// Fills in what `state` says of the time before the reset.
[[nodiscard]] Status do_save_state(JournalState& state, Ports& ports);
/// What lies at the paths that will be put back, copied aside. Of files that the settings name only
/// those of which this host has none of its own; one that keeps its configuration names its own.
[[nodiscard]] Status save_files(JournalState& state, Ports& ports);
/// A file that the settings name, that k3s starts without and that cannot be written is said, and
/// left out.
[[nodiscard]] Status do_put_back(const JournalState& state, Ports& ports);
/// The product's image, where k3s takes it in at its start; without it the restored cluster makes
/// no backups until it is pulled. Whatever fails is said, and fails no restore.
void put_image(const Plan& plan, Ports& ports);
/// Errors besides: busy (a server process is left).
[[nodiscard]] Status do_reset(const JournalState& state, Ports& ports, const Limits& limits);
/// Until the API is ready; the service must go on running meanwhile.
[[nodiscard]] Status do_ready(const Plan& plan, Ports& ports, const Limits& limits);
[[nodiscard]] Status do_compare(const Plan& plan, Ports& ports, Outcome& outcome);

// What a rejoin does besides, and what its way back needs first.

/// The server token of the set, and the agent token where it has one; nothing else of it.
[[nodiscard]] Status do_put_token(const JournalState& state, Ports& ports);

/// db/etcd gets another name, and what all servers of a cluster share goes, so that k3s takes it
/// from the restored one; snapshots and all else stay. Errors besides: busy (a server process is
/// left).
[[nodiscard]] Status do_set_aside(const JournalState& state, Ports& ports);

/// The drop-in that names the server to join.
[[nodiscard]] Status do_name_server(const JournalState& state, Ports& ports);

/// Until etcd lists this host among those that vote. Errors: timeout, cancelled, io (k3s has
/// ended), with k3s's own words.
[[nodiscard]] Status
do_join(const Plan& plan, Ports& ports, const Limits& limits, Outcome& outcome);

/// Until this server serves at least the revision that the restored one serves at the beginning.
/// Where this host has a Node that does not get Ready, that is said. Errors: timeout, those of
/// ask_revision().
[[nodiscard]] Status do_agree(const JournalState& state, Ports& ports, const Limits& limits);

/// Of a rejoin: before this host goes back, it is no voting member any more. Otherwise the cluster
/// would count on a vote that never comes: of two members neither could do anything. Does nothing
/// where this host does not vote, and for a restore. Errors: busy (k3s does not run, so that nobody
/// can take the member out; or there is no other one), unsupported (it has no Node, by which k3s
/// takes members out), unavailable, timeout.
[[nodiscard]] Status leave_cluster(const JournalState& state, Ports& ports, const Limits& limits);

// What the steps use.

/// busy where a k3s server process is there; it is given `patience` to end. Errors: cancelled, io.
[[nodiscard]] Status expect_no_server(const std::string& data_dir,
                                      Ports& ports,
                                      std::chrono::seconds patience = std::chrono::seconds(10));

/// For a server whose service has stopped: with `log:` it is the child of the process that the
/// manager knows, goes on when that one is ended, and ends by itself (k3s,
/// pkg/cli/cmds/log_linux.go). As long as systemd waits.
inline constexpr std::chrono::seconds k_patience_with_end{90};

/// For the reset of a restore that was killed: it ends with the next words that it writes, for
/// which nobody is there any more. While k3s copies a large snapshot it writes none.
inline constexpr std::chrono::seconds k_patience_with_reset{180};

/// Whether the service goes on running while something is waited for.
class ServiceWatch {
public:
  ServiceWatch(std::string data_dir, Ports& ports)
      : m_data_dir(std::move(data_dir)), m_ports(ports) {}
  /// Errors: io (it has ended and stays so, or ends again and again), with k3s's own last words.
  [[nodiscard]] Status look();

private:
  void count_ends();

  std::string m_data_dir;
  Ports& m_ports;
  int m_down = 0;                              ///< Looks since it ended, and stays so.
  std::vector<k3s::ServerProcess> m_processes; ///< At the last look.
  int m_ends = 0;                              ///< Of servers that were seen.
};

/// `error` with what k3s itself says of it, once.
[[nodiscard]] Error with_last_words(Error error, Ports& ports);

/// Where a path of the host is: in a test not at the root.
[[nodiscard]] std::string under_root(const std::string& path, const Plan& plan, const Ports& ports);

/// Adds the directories above `path` that are not there yet to what this restore makes.
void note_made(JournalState& state, const std::string& path);

/// The names in the data directory but ours, those in its agent/, and all below its server/;
/// relative and sorted. Nothing where they could not be read to their end: then no name may pass
/// for a new one.
[[nodiscard]] std::optional<std::vector<std::string>> names_of_data(const Plan& plan);

/// Nothing stays of a restore that was undone or did not touch anything, and the one before it can
/// be undone again. Errors: those of the system.
[[nodiscard]] Status forget(const JournalState& state, const Journal& journal);

} // namespace rb::cluster
