// How a finished order is judged.
#include "controller/summary.hpp"
#include "terminal/format.hpp"

#include <algorithm>

namespace rb::controller {

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
  std::uint64_t bytes = 0;
  for (const api::ArtifactStatus& artifact : order.status.artifacts) {
    bytes += artifact.size_bytes;
  }
  std::string text = count_of(order.status.artifacts.size(), "file") + ", " + format_size(bytes) +
                     " on node " + order.spec.node_name;
  if (order.status.etcd) {
    text += "; etcd revision " + std::to_string(order.status.etcd->revision);
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
