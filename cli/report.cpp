#include "cli/report.hpp"

#include "cli/progress.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

#include "api/backup.hpp"

#include <algorithm>

namespace rb::cli {

namespace {

const api::Condition* summary_of(const api::ClusterBackup& backup) {
  return api::find_condition(backup.status.conditions, api::condition_type::k_succeeded);
}

/// Everything is stored; the proof that was asked for is not there.
bool lacks_proof(const api::Condition& summary) {
  return summary.reason == api::to_string(api::Reason::proof_failed) ||
         summary.reason == api::to_string(api::Reason::proof_unavailable);
}

std::string proven_or_dash(const api::ClusterBackup& backup) {
  const api::Condition* proven =
      api::find_condition(backup.status.conditions, api::condition_type::k_proven);
  return proven == nullptr ? "-" : std::string(api::to_string(proven->status));
}

/// "2 of 3 servers"
std::string copies_of(const std::vector<api::ServerCopy>& copies) {
  return std::to_string(api::whole_copies(copies)) + " of " + std::to_string(copies.size()) +
         " servers";
}

/// A line for each server of a run on several.
std::string servers(const api::ClusterBackup& backup) {
  std::vector<std::vector<std::string>> rows;
  for (const api::ServerCopy& copy : backup.status.servers) {
    rows.push_back({"  server " + terminal_text(copy.node_name),
                    copy.size_bytes == 0 ? "-" : format_size(copy.size_bytes),
                    copy.revision == 0 ? "-" : "revision " + std::to_string(copy.revision),
                    terminal_text(words_of_copy(copy))});
  }
  return text_table(rows);
}

std::string outcome(const api::ClusterBackup& backup) {
  const api::Condition* summary = summary_of(backup);
  const std::string name = "backup " + terminal_text(backup.meta.name);
  if (summary == nullptr || summary->status == api::ConditionStatus::unknown) {
    return name + ": " + (summary == nullptr ? "not started yet" : "in progress") +
           (summary != nullptr && !summary->reason.empty()
                ? " (" + terminal_text(summary->reason) + ")"
                : "");
  }
  std::string text = name;
  if (summary->status == api::ConditionStatus::true_) {
    text += ": done";
  } else {
    text += ": " +
            std::string(lacks_proof(*summary)                          ? "NOT PROVEN"
                        : exit_code_of(backup) == ExitCode::incomplete ? "INCOMPLETE"
                                                                       : "FAILED") +
            " (" + terminal_text(summary->reason) + ")";
  }
  if (backup.status.start_time && backup.status.completion_time) {
    text += " in " + format_elapsed(*backup.status.completion_time - *backup.status.start_time);
  }
  if (!backup.status.servers.empty()) {
    text += ", " + copies_of(backup.status.servers);
  }
  if (summary->status == api::ConditionStatus::false_ && !summary->message.empty()) {
    text += "\n  " + terminal_text(summary->message);
  }
  return text;
}

std::string facts(const api::ClusterBackup& backup) {
  const api::ClusterBackupStatus& status = backup.status;
  std::vector<std::vector<std::string>> rows;
  if (!status.run_id.empty()) {
    rows.push_back({"  run", status.run_id});
  }
  if (!status.node_name.empty()) {
    rows.push_back({"  node", status.node_name});
  }
  if (!status.signing_key.empty()) {
    rows.push_back({"  signed by", status.signing_key});
  }
  if (status.etcd) {
    rows.push_back({"  " + std::string(word_of(status.etcd->kind)),
                    "revision " + std::to_string(status.etcd->revision) + ", " +
                        std::to_string(status.etcd->total_keys) + " keys"});
  }
  if (const api::Condition* proven =
          api::find_condition(status.conditions, api::condition_type::k_proven);
      proven != nullptr && proven->status == api::ConditionStatus::true_) {
    rows.push_back({"  proven", proven->message});
  }
  if (status.helm) {
    rows.push_back({"  helm",
                    std::to_string(status.helm->releases) + " releases" +
                        (status.helm->undecodable_total == 0
                             ? ""
                             : ", " + std::to_string(status.helm->undecodable_total) +
                                   " kept as stored, not decoded")});
  }
  return text_table(rows);
}

std::string files(const api::ClusterBackup& backup) {
  std::vector<std::vector<std::string>> rows;
  for (const api::ArtifactStatus& artifact : backup.status.artifacts) {
    rows.push_back({"  " + artifact.file_name,
                    format_size(artifact.size_bytes),
                    "sha256 " + artifact.sha256.substr(0, 12)});
  }
  return text_table(rows);
}

std::string gaps(const api::ClusterBackup& backup) {
  std::string text;
  for (const api::MissingArtifact& missing : backup.status.missing) {
    text += "  missing: " + std::string(api::to_string(missing.type)) + " (" +
            terminal_text(missing.reason_word()) + ")" +
            (missing.message.empty() ? "" : ": " + terminal_text(missing.message)) + "\n";
  }
  if (backup.status.helm) {
    for (const api::UndecodableRelease& release : backup.status.helm->undecodable) {
      text += "  undecodable: " +
              terminal_text(release.name_space + "/" + release.storage_object + ": " +
                            release.message) +
              "\n";
    }
  }
  return text;
}

std::string number_or_dash(bool known, std::int64_t number) {
  return known ? std::to_string(number) : "-";
}

constexpr const char* k_install_sops =
    "helm upgrade ... --reset-then-reuse-values --set-file sops.config=.sops.yaml, or, where that "
    "installed it, railiance-backup install --sops .sops.yaml on the server";

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
           "app.kubernetes.io/component=agent -o wide; where there is no pod, the reason is in "
           "kubectl -n railiance-backup get events";
  case api::Reason::datastore_not_etcd:
    return "there is no datastore on that server to take a copy of: name another node with --node, "
           "or none";
  case api::Reason::datastore_external:
    return "back the database up with its own tools; `--artifacts HelmValues,Kubeconfig,HostState` "
           "makes sets that are complete without it";
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
    return std::string(
               "put at least one age recipient (age1...) into .sops.yaml and install it: ") +
           k_install_sops;
  case api::Reason::recipient_invalid:
    return std::string("mend .sops.yaml as the message says (`railiance-backup recipients "
                       ".sops.yaml` checks it) and install it: ") +
           k_install_sops;
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
           "railiance-backup logs -l app.kubernetes.io/component=agent; where the message names a "
           "clock, set that right first (timedatectl)";
  case api::Reason::interrupted:
    return "the agent or the controller ended in mid-run; run the backup again";
  case api::Reason::host_busy:
    return "another backup, restore or drill has the backup directory; try again later";
  case api::Reason::member_not_voting:
    return "the server has joined and does not vote yet: it has a copy from the next run on";
  case api::Reason::no_quorum:
    return "the etcd member of that server has lost the others: is the network between them up?";
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

std::string json_lines(const nlohmann::json& json) {
  return json.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

ExitCode exit_code_of(const api::ClusterBackup& backup) {
  const api::Condition* summary = summary_of(backup);
  if (summary == nullptr || summary->status != api::ConditionStatus::false_) {
    return ExitCode::done;
  }
  const auto reason = api::parse_reason(summary->reason);
  return reason ? api::exit_code_for(*reason) : ExitCode::failed;
}

std::string words_of_copy(const api::ServerCopy& copy) {
  const std::string why =
      copy.reason + (copy.message.empty() ? std::string() : ": " + copy.message);
  switch (copy.result) {
  case api::CopyState::pending:
    return "waiting";
  case api::CopyState::running:
    return words_of_step(copy.message);
  case api::CopyState::succeeded:
    return "done";
  case api::CopyState::incomplete:
    return "INCOMPLETE (" + why + ")";
  case api::CopyState::failed:
    return "FAILED (" + why + ")";
  case api::CopyState::left_out:
    return "left out (" + why + ")";
  }
  return {};
}

std::string missing_copies(const api::ClusterBackup& backup) {
  const api::Condition* summary = summary_of(backup);
  const api::Condition* copies =
      api::find_condition(backup.status.conditions, api::condition_type::k_copies);
  const bool some = summary != nullptr && summary->status == api::ConditionStatus::true_ &&
                    copies != nullptr && copies->status == api::ConditionStatus::false_;
  return some ? "a whole set on " + terminal_text(copies->message) : std::string();
}

std::string describe(const api::ClusterBackup& backup) {
  return outcome(backup) + "\n" + facts(backup) + servers(backup) + files(backup) + gaps(backup);
}

std::string who_reads(const api::NodeFacts& node) {
  if (node.recipients == 0) {
    return {};
  }
  return std::to_string(node.recipients) + (node.recipients == 1 ? " public key" : " public keys") +
         (node.recipient_rule.empty()
              ? std::string()
              : ", by " + terminal_text(node.recipient_rule) + " of .sops.yaml");
}

std::string condition_table(const api::ClusterBackup& backup) {
  std::vector<std::vector<std::string>> rows{
      {"  CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"}};
  for (const api::Condition& condition : backup.status.conditions) {
    rows.push_back({"  " + condition.type,
                    std::string(api::to_string(condition.status)),
                    condition.reason,
                    format_rfc3339(condition.last_transition_time),
                    condition.message});
  }
  return text_table(rows);
}

std::string backup_table(std::vector<api::ClusterBackup> backups, SystemTime now) {
  std::stable_sort(backups.begin(), backups.end(), [](const auto& left, const auto& right) {
    return left.meta.creation_timestamp != right.meta.creation_timestamp
               ? left.meta.creation_timestamp > right.meta.creation_timestamp
               : left.meta.name < right.meta.name;
  });
  std::vector<std::vector<std::string>> rows{{"NAME",
                                              "RUN",
                                              "SUCCEEDED",
                                              "REASON",
                                              "NODE",
                                              "SERVERS",
                                              "SIZE",
                                              "RELEASES",
                                              "REVISION",
                                              "PROVEN",
                                              "AGE"}};
  for (const api::ClusterBackup& backup : backups) {
    const api::ClusterBackupStatus& status = backup.status;
    const api::Condition* summary = summary_of(backup);
    rows.push_back(
        {backup.meta.name,
         status.run_id.empty() ? "-" : status.run_id,
         summary == nullptr ? "-" : std::string(api::to_string(summary->status)),
         summary == nullptr ? "-" : summary->reason,
         status.node_name.empty() ? "-" : status.node_name,
         status.servers.empty() ? "-" : api::copies_text(status.servers),
         status.total_size_bytes == 0 ? "-" : format_size(status.total_size_bytes),
         number_or_dash(status.helm.has_value(), status.helm ? status.helm->releases : 0),
         number_or_dash(status.etcd.has_value(), status.etcd ? status.etcd->revision : 0),
         proven_or_dash(backup),
         format_age(std::max(now - backup.meta.creation_timestamp, std::chrono::seconds(0)))});
  }
  return text_table(rows);
}

std::string advice(const api::ClusterBackup& backup) {
  const api::Condition* summary =
      api::find_condition(backup.status.conditions, api::condition_type::k_succeeded);
  if (summary == nullptr || summary->status != api::ConditionStatus::false_) {
    return {};
  }
  if (api::is_not_repeated(backup)) {
    return "its files, where they are still kept, are on the server: railiance-restore list; a "
           "backup of now: railiance-backup create";
  }
  if (api::is_superseded(backup)) {
    return "the newer request makes the backup: railiance-backup list; why nobody carried this one "
           "out in time: railiance-backup status";
  }
  const auto reason = api::parse_reason(summary->reason);
  return reason ? advice_for(*reason) : std::string{};
}

std::string advice(const status::Current& current) {
  switch (current.reason) {
  case status::CurrentReason::current:
    return {};
  case status::CurrentReason::never_ran:
    return "make the first one: railiance-backup create --wait";
  case status::CurrentReason::stale:
    return "does the schedule run? kubectl -n railiance-backup get cronjob,job; then: "
           "railiance-backup create --wait";
  case status::CurrentReason::last_failed:
  case status::CurrentReason::incomplete:
    return "railiance-backup list, then railiance-backup show NAME, says why";
  case status::CurrentReason::agent_unavailable:
  case status::CurrentReason::facts_stale:
    return "kubectl -n railiance-backup get pods,events (where there is no pod, an event says "
           "why); on the server, railiance-restore list shows what the disk holds";
  case status::CurrentReason::clock_anomaly:
    return "set the clock of the server right (timedatectl); where it is right, it was ahead when "
           "the newest set was made: railiance-restore list there shows which, move its files away";
  case status::CurrentReason::no_expected_interval:
    return "enable the schedule, or set monitoring.expectedIntervalSeconds of the chart";
  case status::CurrentReason::run_stalled:
    return "railiance-backup list, then railiance-backup show NAME, says where it stands; then: "
           "kubectl -n railiance-backup get pods";
  case status::CurrentReason::controller_restarting:
    return "kubectl -n railiance-backup describe pod -l app.kubernetes.io/component=controller "
           "says why it ended (OOMKilled: raise controller.resources.limits.memory)";
  case status::CurrentReason::controller_unavailable:
    return "kubectl -n railiance-backup get deployment,pods,events (where there is no pod, an "
           "event says why); on the server, railiance-restore list shows what the disk holds";
  }
  return {};
}

} // namespace rb::cli
