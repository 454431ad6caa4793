#include "cli/report.hpp"

namespace rb::cli {

namespace {

std::string advice_for(api::Reason reason) {
  switch (reason) {
  case api::Reason::pending:
  case api::Reason::queued:
  case api::Reason::running:
  case api::Reason::running_again:
  case api::Reason::completed:
  case api::Reason::not_requested:
    return {};
  case api::Reason::agent_unavailable:
    return "is an agent ready on the server node? kubectl -n railiance-backup get pods -l "
           "app.kubernetes.io/component=agent -o wide";
  case api::Reason::datastore_not_etcd:
    return "this server keeps its state in SQLite or an external database; k3s moves to embedded "
           "etcd when it is started once with --cluster-init";
  case api::Reason::server_unreachable:
    return "does the k3s server run on that node, and does it listen on 127.0.0.1:6443? another "
           "port is set with the chart's agent.etcdServer";
  case api::Reason::not_authorized:
    return "restart k3s on that node (systemctl restart k3s): its token was rotated, and the "
           "server "
           "still has the old one";
  case api::Reason::k3s_not_found:
    return "where is k3s on that node? set the chart's agent.k3sPath";
  case api::Reason::snapshot_failed:
    return "the server's log says why: journalctl -u k3s; often its disk is full";
  case api::Reason::snapshot_invalid:
    return "the snapshot was damaged before it was encrypted; check the disk of the server, then "
           "run the backup again";
  case api::Reason::recipient_missing:
  case api::Reason::recipient_invalid:
    return "put at least one age recipient (age1...) into .sops.yaml and install it: helm upgrade "
           "... --set-file sops.config=.sops.yaml";
  case api::Reason::helm_undecodable:
  case api::Reason::helm_failed:
    return "the message names the releases; helm list -A shows what Helm makes of them";
  case api::Reason::collection_lost:
    return "kubectl -n railiance-backup describe pod -l app.kubernetes.io/component=controller "
           "says why it ended; OOMKilled: raise controller.resources.limits.memory";
  case api::Reason::kubeconfig_missing:
    return "set the chart's agent.kubeconfigSources, or see that k3s writes "
           "/etc/rancher/k3s/k3s.yaml";
  case api::Reason::host_state_missing:
    return "without the server's token a snapshot cannot be restored on another host: is "
           "server/token in k3s's data directory (agent.dataDir)?";
  case api::Reason::storage_full:
    return "make room on the node's disk; earlier sets are untouched, and a lower keepLast takes "
           "effect after the next complete run only";
  case api::Reason::storage_not_mounted:
    return "mount the disk of the backup directory on the node; nothing was written to another one "
           "(docs/runbooks/RailianceBackupDiskNotMounted.md)";
  case api::Reason::storage_failed:
    return "the backup directory on the node must be writable for root (agent.backupDir)";
  case api::Reason::verification_failed:
    return "what was read back is not what was written: suspect the disk; earlier sets are "
           "untouched";
  case api::Reason::proof_failed:
    return "the set is stored, but a server that was booted from it did not come up or served "
           "something else: on the server, railiance-restore drill --boot tells more; take a new "
           "one; earlier sets are untouched";
  case api::Reason::proof_unavailable:
    return "the set is stored and verified, but no scratch server could be booted on the node; "
           "railiance-restore drill --boot proves it on another machine";
  case api::Reason::incomplete:
    return "what is there is good; see above what is missing";
  case api::Reason::deadline_exceeded:
    return "give it more time with --deadline, or see what the agent waits for: kubectl -n "
           "railiance-backup logs -l app.kubernetes.io/component=agent";
  case api::Reason::interrupted:
    return "the agent or the controller ended in mid-run; run the backup again";
  case api::Reason::host_busy:
    return "another backup, restore or drill has the backup directory; try again later";
  case api::Reason::prune_failed:
  case api::Reason::clock_anomaly:
    return "the new set is whole; old sets were left alone";
  case api::Reason::remote_unreachable:
  case api::Reason::remote_denied:
  case api::Reason::remote_full:
  case api::Reason::remote_failed:
    return "the copy off-site says nothing about the set on the node; see docs/offsite.md";
  case api::Reason::internal_error:
    return "see the logs: kubectl -n railiance-backup logs -l app.kubernetes.io/name="
           "railiance-backup --prefix";
  }
  return {};
}

} // namespace

std::string advice(const api::ClusterBackup& backup) {
  const api::Condition* summary =
      api::find_condition(backup.status.conditions, api::condition_type::k_succeeded);
  if (summary == nullptr || summary->status != api::ConditionStatus::false_) {
    return {};
  }
  const auto reason = api::parse_reason(summary->reason);
  return reason ? advice_for(*reason) : std::string{};
}

} // namespace rb::cli
