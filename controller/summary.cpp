#include "controller/summary.hpp"

#include "terminal/format.hpp"

#include "api/backup.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace rb::controller {

namespace {

using api::ClusterBackup;
using api::ClusterBackupStatus;
using api::ConditionStatus;
using api::NodeBackup;
using api::Reason;
namespace type = api::condition_type;

/// Which artifact a step belongs to; the others belong to every run, but for Proven.
struct Step {
  std::string_view condition;
  std::optional<api::ArtifactType> artifact;
};
const std::array<Step, 7> k_steps{{{type::k_scheduled, {}},
                                   {type::k_helm_values_collected, api::ArtifactType::helm_values},
                                   {type::k_snapshot_taken, api::ArtifactType::datastore},
                                   {type::k_proven, api::ArtifactType::datastore},
                                   {type::k_artifacts_stored, {}},
                                   {type::k_verified, {}},
                                   {type::k_pruned, {}}}};

bool asked_for(const ClusterBackup& backup, api::ArtifactType artifact) {
  return std::ranges::find(backup.spec.artifacts, artifact) != backup.spec.artifacts.end();
}

/// Proven is absent where nobody asked for it.
bool belongs(const ClusterBackup& backup, const Step& step) {
  return step.condition != type::k_proven || backup.spec.verification == api::Verification::boot;
}

/// The status is of the object as it is now.
ConditionWriter
writer_of(const ClusterBackup& backup, ClusterBackupStatus& status, SystemTime now) {
  status.observed_generation = backup.meta.generation;
  return {backup, status, now};
}

/// All known conditions, on the first visit (API conventions: absence means Unknown, so say it).
void complete_conditions(const ClusterBackup& backup,
                         ClusterBackupStatus& status,
                         ConditionWriter& writer) {
  for (const Step& step : k_steps) {
    if (!belongs(backup, step) ||
        api::find_condition(status.conditions, step.condition) != nullptr) {
      continue;
    }
    if (step.artifact && !asked_for(backup, *step.artifact)) {
      writer.put(step.condition, ConditionStatus::false_, Reason::not_requested, "");
    } else {
      writer.put(step.condition, ConditionStatus::unknown, Reason::pending, "");
    }
  }
}

void put_helm(const ClusterBackup& backup, const NodeBackup& order, ConditionWriter& writer) {
  if (!asked_for(backup, api::ArtifactType::helm_values)) {
    return;
  }
  const auto missing = std::ranges::find(
      order.spec.missing, api::ArtifactType::helm_values, &api::MissingArtifact::type);
  if (missing != order.spec.missing.end()) {
    writer.put(
        type::k_helm_values_collected, ConditionStatus::false_, missing->reason, missing->message);
    return;
  }
  if (!order.spec.helm && !order.spec.helm_payload) {
    // The order only asked what is on the disk.
    const bool stored =
        std::ranges::find(order.status.artifacts,
                          api::ArtifactType::helm_values,
                          &api::ArtifactStatus::type) != order.status.artifacts.end();
    if (stored) {
      writer.put(type::k_helm_values_collected,
                 ConditionStatus::true_,
                 Reason::completed,
                 "found in the set on the disk");
    }
    return;
  }
  const api::HelmStatus helm = order.spec.helm.value_or(api::HelmStatus{});
  writer.put(type::k_helm_values_collected,
             ConditionStatus::true_,
             helm.undecodable_total == 0 ? Reason::completed : Reason::helm_undecodable,
             describe_helm(helm));
}

std::uint64_t stored_bytes(const NodeBackup& order) {
  std::uint64_t bytes = 0;
  for (const api::ArtifactStatus& artifact : order.status.artifacts) {
    bytes += artifact.size_bytes;
  }
  return bytes;
}

/// A message alone is no reason to write while the agent works.
void put_agent_conditions(const NodeBackup& order,
                          ClusterBackupStatus& status,
                          ConditionWriter& writer) {
  for (const std::string_view condition : {type::k_snapshot_taken,
                                           type::k_proven,
                                           type::k_artifacts_stored,
                                           type::k_verified,
                                           type::k_pruned}) {
    const api::Condition* report = api::find_condition(order.status.conditions, condition);
    if (report == nullptr || report->reason.empty()) {
      continue;
    }
    const api::Condition* known = api::find_condition(status.conditions, condition);
    const bool same =
        known != nullptr && known->status == report->status && known->reason == report->reason;
    if (!same || order.finished()) {
      writer.put(condition, report->status, report->reason, report->message);
    }
  }
}

} // namespace

void ConditionWriter::put(std::string_view condition,
                          ConditionStatus value,
                          std::string reason,
                          std::string message) {
  api::set_condition(
      m_conditions,
      {std::string(condition), value, std::move(reason), std::move(message), {}, m_generation},
      m_now);
}

void ConditionWriter::put(std::string_view condition,
                          ConditionStatus value,
                          Reason reason,
                          std::string message) {
  put(condition, value, std::string(api::to_string(reason)), std::move(message));
}

std::string describe_helm(const api::HelmStatus& helm) {
  if (helm.releases == 0 && helm.undecodable_total == 0) {
    return "no release is in Secrets or ConfigMaps; one in a database (HELM_DRIVER=sql) is not "
           "seen";
  }
  constexpr std::size_t k_named = 3;
  std::string text = count_of(static_cast<std::uint64_t>(helm.releases), "release");
  if (helm.undecodable_total == 0) {
    return text;
  }
  text += ", " + std::to_string(helm.undecodable_total) + " kept as stored:";
  const std::size_t named = std::min(helm.undecodable.size(), k_named);
  for (std::size_t i = 0; i < named; ++i) {
    const api::UndecodableRelease& release = helm.undecodable[i];
    text.append(i == 0 ? " " : ", ").append(release.name_space).append("/");
    text.append(release.storage_object).append(" (").append(release.message).append(")");
  }
  return static_cast<std::int64_t>(named) < helm.undecodable_total ? text + ", …" : text;
}

ClusterBackupStatus queued(const ClusterBackup& backup, SystemTime now) {
  ClusterBackupStatus status = backup.status;
  ConditionWriter writer = writer_of(backup, status, now);
  writer.put(
      type::k_succeeded, ConditionStatus::unknown, Reason::queued, "another run is in progress");
  writer.put(
      type::k_scheduled, ConditionStatus::false_, Reason::queued, "another run is in progress");
  complete_conditions(backup, status, writer);
  return status;
}

ClusterBackupStatus not_repeated(const ClusterBackup& backup, SystemTime now) {
  const std::string run_id = api::marked_run(backup.meta).value_or(std::string());
  const auto begun = parse_run_id(run_id);
  Verdict verdict;
  verdict.newer_reason = api::k_not_repeated;
  verdict.message = "this is the request of run " + run_id +
                    ", which came back without its status (by Velero, or an export): it is not "
                    "carried out again";
  ClusterBackupStatus status = ended(backup, nullptr, verdict, now);
  status.completion_time = begun ? std::min(*begun, now) : now;
  return status;
}

ClusterBackupStatus
superseded(const ClusterBackup& backup, const ClusterBackup& newer, SystemTime now) {
  Verdict verdict;
  verdict.newer_reason = api::k_superseded;
  verdict.message = "nobody carried it out in time, and " + newer.meta.name +
                    ", a newer request of the schedule, asks for the same: each of them would push "
                    "an older set out";
  return ended(backup, nullptr, verdict, now);
}

ClusterBackupStatus
started(const ClusterBackup& backup, const std::string& run_id, SystemTime now) {
  ClusterBackupStatus status = backup.status;
  ConditionWriter writer = writer_of(backup, status, now);
  writer.put(type::k_succeeded, ConditionStatus::unknown, Reason::running, "the run has begun");
  writer.put(type::k_scheduled, ConditionStatus::unknown, Reason::pending, "");
  complete_conditions(backup, status, writer);
  status.run_id = run_id;
  status.start_time = now;
  return status;
}

ClusterBackupStatus helm_begun(const ClusterBackup& backup, int attempt, SystemTime now) {
  ClusterBackupStatus status = backup.status;
  ConditionWriter writer = writer_of(backup, status, now);
  writer.put(type::k_helm_values_collected,
             ConditionStatus::unknown,
             attempt == 1 ? Reason::running : Reason::running_again,
             attempt == 1 ? "" : "the controller ended while it collected them");
  return status;
}

int helm_attempts(const ClusterBackupStatus& status) {
  const api::Condition* condition =
      api::find_condition(status.conditions, type::k_helm_values_collected);
  const bool begun = condition != nullptr && condition->status == ConditionStatus::unknown;
  return !begun                                                       ? 0
         : condition->reason == api::to_string(Reason::running)       ? 1
         : condition->reason == api::to_string(Reason::running_again) ? 2
                                                                      : 0;
}

ClusterBackupStatus mirrored(const ClusterBackup& backup, const NodeBackup& order, SystemTime now) {
  ClusterBackupStatus status = backup.status;
  ConditionWriter writer = writer_of(backup, status, now);
  const std::string& node = order.spec.node_name;
  const std::string step = order.status.progress ? order.status.progress->step : std::string{};
  writer.put(type::k_succeeded,
             ConditionStatus::unknown,
             Reason::running,
             !order.accepted() ? node + ": waiting for the agent to take the order"
                               : node + ": " + (step.empty() ? "at work" : step));
  complete_conditions(backup, status, writer);
  writer.put(type::k_scheduled, ConditionStatus::true_, Reason::completed, "node " + node);
  put_helm(backup, order, writer);
  put_agent_conditions(order, status, writer);
  status.node_name = node;
  static_cast<api::RunResults&>(status) = static_cast<const api::RunResults&>(order.status);
  status.missing = all_missing(order);
  status.helm = order.spec.helm;
  status.total_size_bytes = stored_bytes(order);
  return status;
}

ClusterBackupStatus ended(const ClusterBackup& backup,
                          const NodeBackup* order,
                          const Verdict& verdict,
                          SystemTime now) {
  ClusterBackupStatus status = order == nullptr ? backup.status : mirrored(backup, *order, now);
  ConditionWriter writer = writer_of(backup, status, now);
  complete_conditions(backup, status, writer);
  writer.put(type::k_succeeded,
             verdict.succeeded ? ConditionStatus::true_ : ConditionStatus::false_,
             verdict.reason_word(),
             verdict.message);
  for (const Step& step : k_steps) {
    const api::Condition* known = api::find_condition(status.conditions, step.condition);
    if (known != nullptr && known->status == ConditionStatus::unknown) {
      writer.put(step.condition,
                 ConditionStatus::false_,
                 verdict.succeeded ? std::string(api::to_string(Reason::not_requested))
                                   : verdict.reason_word(),
                 "the run ended before this step was reported");
    }
  }
  status.completion_time = now;
  return status;
}

bool same_status(const ClusterBackupStatus& seen, const ClusterBackupStatus& wanted) {
  return to_json(seen) == to_json(wanted);
}

namespace {

using api::ConditionStatus;
using api::Reason;

/// Asked for, stored nowhere, and not yet in the list.
void add_unaccounted(const api::ClusterBackup& backup,
                     const api::NodeBackup& order,
                     std::vector<api::MissingArtifact>& missing) {
  for (const api::ArtifactType artifact : backup.spec.artifacts) {
    const auto is_it = [&](const auto& item) { return item.type == artifact; };
    if (std::ranges::none_of(order.status.artifacts, is_it) &&
        std::ranges::none_of(missing, is_it)) {
      missing.push_back({artifact, Reason::internal_error, "the agent did not report it"});
    }
  }
}

std::string describe_missing(const std::vector<api::MissingArtifact>& missing) {
  std::string text = "missing or not whole:";
  for (const api::MissingArtifact& item : missing) {
    text.append(&item == &missing.front() ? " " : "; ");
    text.append(api::to_string(item.type)).append(" (").append(item.reason_word());
    if (!item.message.empty()) {
      text.append(": ").append(item.message);
    }
    text.append(")");
  }
  return text;
}

bool reported(const api::NodeBackup& order, std::string_view type) {
  const auto* condition = api::find_condition(order.status.conditions, type);
  return condition != nullptr && condition->status == ConditionStatus::true_;
}

} // namespace

std::string Verdict::reason_word() const {
  return newer_reason.empty() ? std::string(api::to_string(reason)) : newer_reason;
}

std::vector<api::MissingArtifact> all_missing(const api::NodeBackup& order) {
  std::vector<api::MissingArtifact> missing = order.spec.missing;
  for (const api::MissingArtifact& item : order.status.missing) {
    if (std::ranges::find(missing, item.type, &api::MissingArtifact::type) == missing.end()) {
      missing.push_back(item);
    }
  }
  return missing;
}

std::string describe_success(const api::NodeBackup& order) {
  std::string text = count_of(order.status.artifacts.size(), "file") + ", " +
                     format_size(stored_bytes(order)) + " on node " + order.spec.node_name;
  if (order.status.etcd) {
    text += "; " + std::string(word_of(order.status.etcd->kind)) + " revision " +
            std::to_string(order.status.etcd->revision);
  }
  if (order.spec.helm) {
    text += "; " + count_of(static_cast<std::uint64_t>(order.spec.helm->releases), "Helm release");
    if (order.spec.helm->undecodable_total != 0) {
      text += ", " + std::to_string(order.spec.helm->undecodable_total) + " kept as stored";
    }
  }
  if (reported(order, api::condition_type::k_proven)) {
    text += "; proven by a boot";
  }
  return text;
}

Verdict verdict_of(const api::ClusterBackup& backup, const api::NodeBackup& order) {
  const api::Condition* result =
      api::find_condition(order.status.conditions, api::condition_type::k_succeeded);
  const bool agent_succeeded = result != nullptr && result->status == ConditionStatus::true_;
  const Reason agent_reason =
      result == nullptr ? Reason::internal_error
                        : api::parse_reason(result->reason).value_or(Reason::internal_error);
  if (!agent_succeeded && agent_reason != Reason::incomplete) {
    Verdict verdict{false, agent_reason, result == nullptr ? "" : result->message};
    if (result != nullptr && !api::parse_reason(result->reason)) {
      verdict.newer_reason = result->reason;
    }
    return verdict;
  }
  std::vector<api::MissingArtifact> missing = all_missing(order);
  add_unaccounted(backup, order, missing);
  if (!missing.empty()) {
    return {false, Reason::incomplete, describe_missing(missing)};
  }
  if (!agent_succeeded) {
    return {false, Reason::incomplete, result->message};
  }
  if (!backup.spec.unknown.empty()) {
    return {false,
            Reason::incomplete,
            "asked for " + backup.spec.unknown.front() +
                ", which this release does not know; all else is stored and was read back"};
  }
  if (!reported(order, api::condition_type::k_verified)) {
    return {
        false, Reason::verification_failed, "the agent did not report that the set was verified"};
  }
  if (backup.spec.verification == api::Verification::boot &&
      !reported(order, api::condition_type::k_proven)) {
    return {false,
            Reason::proof_unavailable,
            "the agent did not report a proof: is it older than the controller?"};
  }
  return {true, Reason::completed, describe_success(order)};
}

} // namespace rb::controller
