#include "controller/summary.hpp"

#include "terminal/format.hpp"

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
                                   {type::k_snapshot_taken, api::ArtifactType::etcd_snapshot},
                                   {type::k_proven, api::ArtifactType::etcd_snapshot},
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

/// Writes conditions of one object, for its generation.
class Writer {
public:
  Writer(const ClusterBackup& backup, ClusterBackupStatus& status, SystemTime now)
      : m_generation(backup.meta.generation), m_status(status), m_now(now) {
    status.observed_generation = m_generation;
  }

  void
  put(std::string_view condition, ConditionStatus value, std::string reason, std::string message) {
    api::set_condition(
        m_status.conditions,
        {std::string(condition), value, std::move(reason), std::move(message), {}, m_generation},
        m_now);
  }
  void put(std::string_view condition, ConditionStatus value, Reason reason, std::string message) {
    put(condition, value, std::string(api::to_string(reason)), std::move(message));
  }

private:
  std::int64_t m_generation;
  ClusterBackupStatus& m_status;
  SystemTime m_now;
};

/// All known conditions, on the first visit (API conventions: absence means Unknown, so say it).
void complete_conditions(const ClusterBackup& backup, ClusterBackupStatus& status, Writer& writer) {
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

void put_helm(const ClusterBackup& backup, const NodeBackup& order, Writer& writer) {
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

/// A message alone is no reason to write while the agent works.
void put_agent_conditions(const NodeBackup& order, ClusterBackupStatus& status, Writer& writer) {
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

std::string describe_helm(const api::HelmStatus& helm) {
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
  Writer writer(backup, status, now);
  writer.put(
      type::k_succeeded, ConditionStatus::unknown, Reason::queued, "another run is in progress");
  writer.put(
      type::k_scheduled, ConditionStatus::false_, Reason::queued, "another run is in progress");
  complete_conditions(backup, status, writer);
  return status;
}

ClusterBackupStatus
started(const ClusterBackup& backup, const std::string& run_id, SystemTime now) {
  ClusterBackupStatus status = backup.status;
  Writer writer(backup, status, now);
  writer.put(type::k_succeeded, ConditionStatus::unknown, Reason::running, "the run has begun");
  writer.put(type::k_scheduled, ConditionStatus::unknown, Reason::pending, "");
  complete_conditions(backup, status, writer);
  status.run_id = run_id;
  status.start_time = now;
  return status;
}

ClusterBackupStatus helm_begun(const ClusterBackup& backup, int attempt, SystemTime now) {
  ClusterBackupStatus status = backup.status;
  Writer writer(backup, status, now);
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
  Writer writer(backup, status, now);
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
  status.artifacts = order.status.artifacts;
  status.missing = all_missing(order);
  status.etcd = order.status.etcd;
  status.signing_key = order.status.signing_key;
  status.helm = order.spec.helm;
  status.total_size_bytes = 0;
  for (const api::ArtifactStatus& artifact : status.artifacts) {
    status.total_size_bytes += artifact.size_bytes;
  }
  return status;
}

std::optional<api::Condition>
replicated(const ClusterBackup& backup, const NodeBackup& order, SystemTime now) {
  const api::Condition* report = api::find_condition(order.status.conditions, type::k_replicated);
  if (report == nullptr) {
    return std::nullopt;
  }
  std::vector<api::Condition> conditions;
  if (const auto* known = api::find_condition(backup.status.conditions, type::k_replicated)) {
    conditions.push_back(*known);
  }
  const nlohmann::json before = api::to_json(conditions);
  api::Condition wanted = *report;
  wanted.observed_generation = backup.meta.generation;
  api::set_condition(conditions, std::move(wanted), now);
  return api::to_json(conditions) == before ? std::nullopt : std::optional(conditions.front());
}

ClusterBackupStatus ended(const ClusterBackup& backup,
                          const NodeBackup* order,
                          const Verdict& verdict,
                          SystemTime now) {
  ClusterBackupStatus status = order == nullptr ? backup.status : mirrored(backup, *order, now);
  Writer writer(backup, status, now);
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

} // namespace rb::controller
