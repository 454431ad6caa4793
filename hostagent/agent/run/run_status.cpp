#include "agent/run/run_status.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace rb::agent {

namespace {

struct StorageReason {
  ErrorCode code;
  api::Reason reason;
};

constexpr StorageReason k_storage_reasons[] = {
    {ErrorCode::no_space, api::Reason::storage_full},
    {ErrorCode::corrupt, api::Reason::verification_failed},
    {ErrorCode::busy, api::Reason::host_busy},
    {ErrorCode::unavailable, api::Reason::storage_not_mounted},
    {ErrorCode::cancelled, api::Reason::interrupted},
    {ErrorCode::timeout, api::Reason::deadline_exceeded},
    {ErrorCode::internal, api::Reason::internal_error},
};

api::Reason storage_reason(ErrorCode code) {
  for (const auto& [of, reason] : k_storage_reasons) {
    if (of == code) {
      return reason;
    }
  }
  return api::Reason::storage_failed;
}

api::ConditionStatus condition_of(bool good) {
  return good ? api::ConditionStatus::true_ : api::ConditionStatus::false_;
}

/// What a disk says that is not there any more, and a server or a program that served one. The
/// mount of a container stays that of when it started.
constexpr std::array<int, 6> k_gone{EIO, ENODEV, ENXIO, ESTALE, ESHUTDOWN, ENOTCONN};

std::string_view advice_for(const Error& error, api::Reason reason) {
  if (reason == api::Reason::storage_full) {
    return "; free some space; earlier sets are untouched";
  }
  if (error.system_errno == EROFS) {
    return "; the disk is mounted read-only, as the kernel makes it after an error (dmesg says "
           "which): unmount it, start the agent again, which holds it (kubectl -n "
           "railiance-backup rollout restart ds/railiance-backup-agent), check its file system "
           "(fsck), mount it again, and start the backup again";
  }
  if (error.system_errno == EFBIG) {
    return "; the file system of that disk takes no file of that size (FAT: 4 GiB): use exFAT, or "
           "ext4";
  }
  if (std::ranges::find(k_gone, error.system_errno) != k_gone.end()) {
    return "; dmesg says why; a disk that was unplugged, exchanged or mounted again is seen when "
           "the agent starts again: kubectl -n railiance-backup rollout restart "
           "ds/railiance-backup-agent";
  }
  return {};
}

constexpr std::size_t k_missing_message_limit = 300;

} // namespace

Outcome outcome_of(const Error& error) {
  const api::Reason reason = error.reason.value_or(storage_reason(error.code));
  return {reason,
          error.hint.empty() ? error.message + std::string(advice_for(error, reason))
                             : error.text()};
}

void put_facts(api::NodeBackupStatus& status, const set::Manifest& manifest) {
  status.artifacts = manifest.artifacts;
  status.missing = manifest.missing;
  if (manifest.snapshot) {
    status.etcd = api::EtcdStatus{
        manifest.snapshot->revision, manifest.snapshot->total_keys, manifest.snapshot->kind};
  }
}

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
                      message,
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
        .append(api::bounded(artifact.message, k_missing_message_limit));
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

Outcome outcome_of(const set::Manifest& manifest) {
  const auto& proof = manifest.proof;
  const bool lacks_proof = proof && !proof->proven();
  const std::string gaps = describe_missing(manifest.missing);
  if (lacks_proof && (manifest.complete || proof->reason == api::Reason::proof_failed)) {
    return {proof->reason,
            "backup set " + manifest.run_id + " is stored, but not proven: " + proof->message +
                (gaps.empty() ? "" : "; " + gaps) + "; earlier sets are untouched"};
  }
  if (!manifest.complete) {
    return {api::Reason::incomplete, gaps + (lacks_proof ? "; not proven: " + proof->message : "")};
  }
  return {api::Reason::completed,
          "backup set " + manifest.run_id +
              " is complete: " + std::to_string(manifest.artifacts.size()) +
              " artifacts, read back and verified" + (proof ? ", proven by a boot" : "")};
}

void finish_status(api::NodeBackupStatus& status, const Outcome& outcome, SystemTime now) {
  for (api::Condition& condition : status.conditions) {
    if (condition.status == api::ConditionStatus::unknown &&
        condition.type != api::condition_type::k_succeeded) {
      condition.status = api::ConditionStatus::false_;
      condition.reason = std::string(api::to_string(outcome.reason));
      condition.message = outcome.message;
      condition.last_transition_time = now;
    }
  }
  set_step(status,
           api::condition_type::k_succeeded,
           condition_of(outcome.succeeded()),
           outcome.reason,
           outcome.message,
           now);
  status.completion_time = now;
  status.progress.reset();
}

RunReport report_of_manifest(const set::Manifest& manifest, SystemTime now) {
  RunReport report(outcome_of(manifest));
  put_facts(report.status, manifest);
  const std::string found = "found on the disk after a restart of the agent";
  if (report.succeeded()) {
    report.message = "backup set " + manifest.run_id + " is complete; " + found;
  }
  const auto step = [&](std::string_view type, bool good, api::Reason reason, const auto& message) {
    set_step(report.status, type, condition_of(good), reason, message, now);
  };
  if (manifest.snapshot) {
    step(api::condition_type::k_snapshot_taken, true, api::Reason::completed, found);
  }
  if (manifest.proof) {
    step(api::condition_type::k_proven,
         manifest.proof->proven(),
         manifest.proof->reason,
         proof_text(*manifest.proof));
  }
  step(api::condition_type::k_artifacts_stored,
       manifest.complete,
       manifest.complete ? api::Reason::completed : api::Reason::incomplete,
       manifest.complete ? found : describe_missing(manifest.missing));
  step(api::condition_type::k_verified,
       true,
       api::Reason::completed,
       "each file was read back when it was written");
  finish_status(report.status, report, now);
  report.status.start_time = manifest.start_time;
  report.status.completion_time = manifest.completion_time;
  return report;
}

RunReport failed_report(const Error& error, SystemTime now) {
  RunReport report(outcome_of(error));
  finish_status(report.status, report, now);
  return report;
}

} // namespace rb::agent
