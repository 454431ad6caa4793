#include "api/reason.hpp"

#include <array>
#include <string>
#include <utility>

namespace rb::api {

namespace {

struct Row {
  Reason reason;
  std::string_view word;
  ExitCode exit_code;
};

constexpr std::array<Row, 40> k_rows{{
    {Reason::pending, "Pending", ExitCode::failed},
    {Reason::queued, "Queued", ExitCode::failed},
    {Reason::running, "Running", ExitCode::failed},
    {Reason::running_again, "RunningAgain", ExitCode::failed},
    {Reason::completed, "Completed", ExitCode::done},
    {Reason::agent_unavailable, "AgentUnavailable", ExitCode::unreachable},
    {Reason::datastore_not_etcd, "DatastoreNotEtcd", ExitCode::failed},
    {Reason::datastore_external, "DatastoreExternal", ExitCode::incomplete},
    {Reason::server_unreachable, "ServerUnreachable", ExitCode::unreachable},
    {Reason::not_authorized, "NotAuthorized", ExitCode::failed},
    {Reason::k3s_not_found, "K3sNotFound", ExitCode::failed},
    {Reason::snapshot_failed, "SnapshotFailed", ExitCode::failed},
    {Reason::snapshot_invalid, "SnapshotInvalid", ExitCode::damaged},
    {Reason::recipient_missing, "RecipientMissing", ExitCode::failed},
    {Reason::recipient_invalid, "RecipientInvalid", ExitCode::failed},
    {Reason::helm_undecodable, "HelmUndecodable", ExitCode::incomplete},
    {Reason::helm_failed, "HelmFailed", ExitCode::incomplete},
    {Reason::collection_lost, "CollectionLost", ExitCode::incomplete},
    {Reason::kubeconfig_missing, "KubeconfigMissing", ExitCode::incomplete},
    {Reason::host_state_missing, "HostStateMissing", ExitCode::incomplete},
    {Reason::storage_full, "StorageFull", ExitCode::failed},
    {Reason::storage_not_mounted, "StorageNotMounted", ExitCode::failed},
    {Reason::storage_failed, "StorageFailed", ExitCode::failed},
    {Reason::verification_failed, "VerificationFailed", ExitCode::damaged},
    {Reason::proof_failed, "ProofFailed", ExitCode::damaged},
    {Reason::proof_unavailable, "ProofUnavailable", ExitCode::incomplete},
    {Reason::incomplete, "Incomplete", ExitCode::incomplete},
    {Reason::deadline_exceeded, "DeadlineExceeded", ExitCode::deadline_passed},
    {Reason::interrupted, "Interrupted", ExitCode::failed},
    {Reason::host_busy, "HostBusy", ExitCode::busy},
    {Reason::member_not_voting, "MemberNotVoting", ExitCode::incomplete},
    {Reason::no_quorum, "NoQuorum", ExitCode::unreachable},
    {Reason::prune_failed, "PruneFailed", ExitCode::failed},
    {Reason::clock_anomaly, "ClockAnomaly", ExitCode::failed},
    {Reason::not_requested, "NotRequested", ExitCode::failed},
    {Reason::remote_unreachable, "RemoteUnreachable", ExitCode::unreachable},
    {Reason::remote_denied, "RemoteDenied", ExitCode::failed},
    {Reason::remote_full, "RemoteFull", ExitCode::failed},
    {Reason::remote_failed, "RemoteFailed", ExitCode::failed},
    {Reason::internal_error, "InternalError", ExitCode::failed},
}};

const Row& row_of(Reason reason) {
  for (const Row& row : k_rows) {
    if (row.reason == reason) {
      return row;
    }
  }
  return k_rows.back();
}

} // namespace

std::string_view to_string(Reason reason) {
  return row_of(reason).word;
}

Result<Reason> parse_reason(std::string_view text) {
  for (const Row& row : k_rows) {
    if (row.word == text) {
      return row.reason;
    }
  }
  return Error{ErrorCode::invalid_argument, "unknown reason: " + std::string(text), {}};
}

ExitCode exit_code_for(Reason reason) {
  return row_of(reason).exit_code;
}

} // namespace rb::api
