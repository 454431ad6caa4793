#include "cli/report.hpp"

#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

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
    rows.push_back({"  etcd",
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

std::string describe(const api::ClusterBackup& backup) {
  return outcome(backup) + "\n" + facts(backup) + files(backup) + gaps(backup);
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
         status.total_size_bytes == 0 ? "-" : format_size(status.total_size_bytes),
         number_or_dash(status.helm.has_value(), status.helm ? status.helm->releases : 0),
         number_or_dash(status.etcd.has_value(), status.etcd ? status.etcd->revision : 0),
         proven_or_dash(backup),
         format_age(std::max(now - backup.meta.creation_timestamp, std::chrono::seconds(0)))});
  }
  return text_table(rows);
}

} // namespace rb::cli
