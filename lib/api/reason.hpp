// The typed reasons of conditions and Events. They are part of the API: scripts match on them.
#pragma once

#include "base/error.hpp"
#include "base/result.hpp"
#include "base/words.hpp"

#include <string_view>

namespace rb::api {

enum class Reason : int { // declared so in base/error.hpp, too
  // Succeeded=Unknown, or a step that has not ended
  pending, ///< Seen, not yet started.
  queued,  ///< Another run is in progress.
  running,
  running_again, ///< The step was begun, lost together with its process, and begun once more.
  // True
  completed,
  // False
  agent_unavailable,  ///< No ready agent on a server node, or it does not take the order.
  datastore_not_etcd, ///< There is no datastore on that server; older agents: no etcd.
  datastore_external, ///< k3s keeps its state in a database on another host.
  server_unreachable, ///< The k3s server does not answer the snapshot command.
  not_authorized,     ///< The k3s server refuses its own token: rotated, and not restarted yet.
  k3s_not_found,      ///< The k3s program is missing or not executable.
  snapshot_failed,    ///< k3s reported an error, or exited 0 without a snapshot.
  snapshot_invalid,   ///< Truncated, empty, bad digest, not a bbolt file.
  recipient_missing,  ///< No .sops.yaml, or no age recipient in it.
  recipient_invalid,  ///< A recipient that cannot be parsed or used.
  helm_undecodable,   ///< Some Helm release could not be decoded; it is kept as it was stored.
  helm_failed,        ///< The releases could not be listed, or the artifact could not be made.
  collection_lost,    ///< The controller ended twice while it collected the Helm values.
  kubeconfig_missing,
  host_state_missing, ///< For example: no server token on the host.
  storage_full,
  storage_not_mounted, ///< The backup directory is not on the disk that it has to be on.
  storage_failed,      ///< The backup directory cannot be written.
  verification_failed, ///< What was read back is not what was written.
  proof_failed,        ///< The scratch server did not come up, or served something else.
  proof_unavailable,   ///< No scratch server could be tried here: memory, disk, rights, time.
  incomplete,          ///< Done, but some artifact is missing (see the other conditions).
  deadline_exceeded,
  interrupted,       ///< The agent or the controller ended in mid-run.
  host_busy,         ///< Another process holds the lock of the backup directory.
  member_not_voting, ///< Of a server: its etcd member is a learner, or none yet.
  no_quorum,         ///< Of a server: its etcd member has lost the others.
  prune_failed,      ///< The set is whole; removing old ones failed.
  clock_anomaly,     ///< The clock is behind the newest set: nothing is pruned.
  not_requested,     ///< The step does not belong to this run.
  // Replicated=False; never of Succeeded
  remote_unreachable, ///< No connection, a timeout, or the other side answers 5xx.
  remote_denied,      ///< The other side refuses user or password.
  remote_full,        ///< No space, or the quota is used up.
  remote_failed,      ///< Anything else, also a remote that is not configured.
  internal_error,
};

/// The CamelCase word of the API ("AgentUnavailable", "DatastoreNotEtcd").
[[nodiscard]] std::string_view to_string(Reason reason);
/// The word of all else that has a table of words.
template <Worded Enum> [[nodiscard]] std::string_view to_string(Enum value) {
  return word_of(value);
}

/// Errors: invalid_argument (a word of a newer release, or of nobody).
[[nodiscard]] Result<Reason> parse_reason(std::string_view text);

/// What `railiance-backup create --wait` exits with when this is the reason of Succeeded.
[[nodiscard]] ExitCode exit_code_for(Reason reason);

} // namespace rb::api
