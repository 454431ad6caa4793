#include "agent/run_status.hpp"

namespace rb::agent {

namespace {

constexpr std::size_t k_message_limit = 1024;
constexpr std::size_t k_missing_message_limit = 300;

/// Cuts at a character boundary of UTF-8.
std::string cut(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) {
    return text;
  }
  std::size_t end = limit - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end) + "…";
}

} // namespace

void set_step(api::NodeBackupStatus& status,
              std::string_view type,
              api::ConditionStatus value,
              api::Reason reason,
              const std::string& message,
              SystemTime now) {
  api::set_condition(status.conditions,
                     {std::string(type),
                      value,
                      std::string(api::to_string(reason)),
                      cut(message, k_message_limit),
                      now,
                      status.observed_generation},
                     now);
}

std::string describe_missing(const std::vector<api::MissingArtifact>& missing) {
  std::string text;
  for (const api::MissingArtifact& artifact : missing) {
    text.append(text.empty() ? "" : "; ")
        .append(artifact.reason_word())
        .append(" (")
        .append(api::to_string(artifact.type))
        .append("): ")
        .append(cut(artifact.message, k_missing_message_limit));
  }
  return text;
}

std::string proof_text(const set::ProofRecord& proof) {
  if (!proof.proven()) {
    return proof.message;
  }
  return std::to_string(proof.objects) + " objects of " + std::to_string(proof.kinds) +
         " kinds are as in the snapshot (" + std::to_string(proof.milliseconds / 1000) + "." +
         std::to_string(proof.milliseconds / 100 % 10) + " s, peak memory " +
         std::to_string(proof.peak_memory_bytes >> 20U) + " MiB)";
}

Failure outcome_of(const set::Manifest& manifest) {
  const auto& proof = manifest.proof;
  const bool lacks_proof = proof && !proof->proven();
  const std::string gaps = describe_missing(manifest.missing);
  if (lacks_proof && (manifest.complete || proof->reason == api::Reason::proof_failed)) {
    return {proof->reason,
            "backup set " + manifest.run_id + " is stored, but not proven: " + proof->message +
                (gaps.empty() ? "" : "; " + gaps),
            "earlier sets are untouched"};
  }
  if (!manifest.complete) {
    return {
        api::Reason::incomplete, gaps + (lacks_proof ? "; not proven: " + proof->message : ""), {}};
  }
  return {api::Reason::completed,
          "backup set " + manifest.run_id +
              " is complete: " + std::to_string(manifest.artifacts.size()) +
              " artifacts, read back and verified" + (proof ? ", proven by a boot" : ""),
          {}};
}

void finish_status(api::NodeBackupStatus& status,
                   api::Reason reason,
                   const std::string& message,
                   SystemTime now) {
  for (api::Condition& condition : status.conditions) {
    if (condition.status == api::ConditionStatus::unknown &&
        condition.type != api::condition_type::k_succeeded) {
      condition.status = api::ConditionStatus::false_;
      condition.reason = std::string(api::to_string(reason));
      condition.message = cut(message, k_message_limit);
      condition.last_transition_time = now;
    }
  }
  set_step(status,
           api::condition_type::k_succeeded,
           reason == api::Reason::completed ? api::ConditionStatus::true_
                                            : api::ConditionStatus::false_,
           reason,
           message,
           now);
  status.completion_time = now;
  status.progress.reset();
}

RunReport report_of_manifest(const set::Manifest& manifest, SystemTime now) {
  using api::ConditionStatus;
  RunReport report;
  api::NodeBackupStatus& status = report.status;
  status.artifacts = manifest.artifacts;
  status.missing = manifest.missing;
  const std::string found = "found on the disk after a restart of the agent";
  if (manifest.snapshot) {
    status.etcd = api::EtcdStatus{manifest.snapshot->revision, manifest.snapshot->total_keys};
    set_step(status,
             api::condition_type::k_snapshot_taken,
             ConditionStatus::true_,
             api::Reason::completed,
             found,
             now);
  }
  if (manifest.proof) {
    set_step(status,
             api::condition_type::k_proven,
             manifest.proof->proven() ? ConditionStatus::true_ : ConditionStatus::false_,
             manifest.proof->reason,
             proof_text(*manifest.proof),
             now);
  }
  const Failure outcome = outcome_of(manifest);
  report.reason = outcome.reason;
  report.message = report.succeeded() ? "backup set " + manifest.run_id + " is complete; " + found
                                      : outcome.text();
  set_step(status,
           api::condition_type::k_artifacts_stored,
           manifest.complete ? ConditionStatus::true_ : ConditionStatus::false_,
           manifest.complete ? api::Reason::completed : api::Reason::incomplete,
           manifest.complete ? found : describe_missing(manifest.missing),
           now);
  set_step(status,
           api::condition_type::k_verified,
           ConditionStatus::true_,
           api::Reason::completed,
           "each file was read back when it was written",
           now);
  finish_status(status, report.reason, report.message, now);
  status.start_time = manifest.start_time;
  status.completion_time = manifest.completion_time;
  return report;
}

RunReport failed_report(const Failure& failure, SystemTime now) {
  RunReport report;
  report.reason = failure.reason;
  report.message = failure.text();
  finish_status(report.status, report.reason, report.message, now);
  return report;
}

} // namespace rb::agent
