// The summary of a run that goes to several servers: what is said of each, and the whole.
#include "controller/summary.hpp"

#include <algorithm>

namespace rb::controller {

namespace {

using api::ClusterBackup;
using api::ClusterBackupStatus;
using api::ConditionStatus;
using api::CopyState;
using api::Reason;
using api::ServerCopy;
namespace type = api::condition_type;

std::string word(Reason reason) {
  return std::string(api::to_string(reason));
}

CopyState state_of(const Verdict& verdict) {
  return verdict.succeeded                      ? CopyState::succeeded
         : verdict.reason == Reason::incomplete ? CopyState::incomplete
                                                : CopyState::failed;
}

/// What the order says of the set.
void put_results(ServerCopy& copy, const api::NodeBackup& order) {
  copy.size_bytes = 0;
  for (const api::ArtifactStatus& artifact : order.status.artifacts) {
    copy.size_bytes += artifact.size_bytes;
  }
  copy.revision = order.status.etcd ? order.status.etcd->revision : 0;
}

ServerCopy ended_copy(ServerCopy copy, const RunPart& part, SystemTime now) {
  if (part.order != nullptr) {
    put_results(copy, *part.order);
  }
  const SystemTime known = copy.ended() && copy.completion_time ? *copy.completion_time : now;
  copy.completion_time =
      part.order == nullptr ? known : part.order->status.completion_time.value_or(known);
  copy.result = state_of(*part.verdict);
  copy.reason = part.verdict->reason_word();
  copy.message = part.verdict->succeeded ? std::string() : part.verdict->message;
  return copy;
}

ServerCopy copy_now(ServerCopy copy, const RunPart& part, SystemTime now) {
  if (part.verdict) {
    return ended_copy(std::move(copy), part, now);
  }
  if (part.order != nullptr) {
    const api::NodeBackupStatus& report = part.order->status;
    put_results(copy, *part.order);
    copy.result = CopyState::running;
    copy.reason = word(Reason::running);
    copy.message = !part.order->accepted()                             ? "waiting for the agent"
                   : !report.progress || report.progress->step.empty() ? "at work"
                                                                       : report.progress->step;
    copy.completion_time.reset();
  }
  return copy;
}

std::vector<ServerCopy>
copies_now(const ClusterBackup& backup, const std::vector<RunPart>& parts, SystemTime now) {
  std::vector<ServerCopy> copies = backup.status.servers;
  for (std::size_t i = 0; i < copies.size() && i < parts.size(); ++i) {
    copies[i] = copy_now(std::move(copies[i]), parts[i], now);
  }
  return copies;
}

/// "cp-1: TakingSnapshot, cp-2: Succeeded, cp-3: LeftOut"
std::string describe_progress(const std::vector<ServerCopy>& copies) {
  std::string text;
  for (const ServerCopy& copy : copies) {
    text.append(text.empty() ? "" : ", ").append(copy.node_name).append(": ");
    text.append(copy.result == CopyState::running ? copy.message
                                                  : std::string(to_string(copy.result)));
  }
  return text;
}

std::string nodes_with_order(const std::vector<ServerCopy>& copies) {
  std::string text;
  for (const ServerCopy& copy : copies) {
    if (copy.result != CopyState::left_out) {
      text.append(text.empty() ? "nodes " : ", ").append(copy.node_name);
    }
  }
  return text;
}

void put_copies(const ClusterBackup& backup, ClusterBackupStatus& status, SystemTime now) {
  const auto missing = std::ranges::find_if(
      status.servers, [](const ServerCopy& copy) { return copy.result != CopyState::succeeded; });
  const bool all = missing == status.servers.end();
  ConditionWriter(backup, status, now)
      .put(type::k_copies,
           all ? ConditionStatus::true_ : ConditionStatus::false_,
           all ? word(Reason::completed) : missing->reason,
           describe_copies(status.servers));
}

/// A whole set, else one in which something is missing, else the first server's failure.
std::size_t best_of(const ClusterBackup& backup, const std::vector<RunPart>& parts) {
  const auto key = [&](std::size_t i) {
    const std::optional<Verdict>& verdict = parts[i].verdict;
    const int grade = !verdict                                ? 3
                      : verdict->succeeded                    ? 0
                      : verdict->reason == Reason::incomplete ? 1
                                                              : 2;
    return std::pair(grade, backup.status.servers[i].node_name != backup.status.node_name);
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    best = key(i) < key(best) ? i : best;
  }
  return best;
}

} // namespace

ClusterBackupStatus announced(const ClusterBackup& backup,
                              const std::string& first,
                              std::vector<ServerCopy> servers,
                              SystemTime now) {
  ClusterBackupStatus status = backup.status;
  status.node_name = first;
  status.servers = std::move(servers);
  ConditionWriter(backup, status, now)
      .put(type::k_copies, ConditionStatus::unknown, Reason::pending, "");
  return status;
}

ClusterBackupStatus mirrored_on_servers(const ClusterBackup& backup,
                                        const std::vector<RunPart>& parts,
                                        SystemTime now) {
  ClusterBackupStatus status = backup.status;
  const bool has_news = std::ranges::any_of(
      parts, [](const RunPart& part) { return part.order != nullptr || part.verdict.has_value(); });
  if (!has_news) { // nothing is ordered yet
    return status;
  }
  for (const RunPart& part : parts) {
    if (part.order != nullptr && part.order->spec.node_name == backup.status.node_name) {
      status = mirrored(backup, *part.order, now);
    }
  }
  status.servers = copies_now(backup, parts, now);
  ConditionWriter writer(backup, status, now);
  writer.put(type::k_succeeded,
             ConditionStatus::unknown,
             Reason::running,
             describe_progress(status.servers));
  writer.put(type::k_copies,
             ConditionStatus::unknown,
             Reason::running,
             std::to_string(api::whole_copies(status.servers)) + " of " +
                 std::to_string(status.servers.size()) + " servers");
  const auto* scheduled = api::find_condition(status.conditions, type::k_scheduled);
  if (scheduled != nullptr && scheduled->status == ConditionStatus::true_) {
    writer.put(type::k_scheduled,
               ConditionStatus::true_,
               Reason::completed,
               nodes_with_order(status.servers));
  }
  return status;
}

RunEnd
ended_on_servers(const ClusterBackup& backup, const std::vector<RunPart>& parts, SystemTime now) {
  RunEnd end;
  const std::vector<ServerCopy> copies = copies_now(backup, parts, now);
  const std::size_t best = best_of(backup, parts);
  end.verdict = parts.at(best).verdict.value_or(
      Verdict{false, Reason::agent_unavailable, "no server was chosen"});
  if (end.verdict.succeeded) {
    const std::string found = end.verdict.message;
    end.verdict.message = (found.empty() ? "node " + copies.at(best).node_name : found) + "; on " +
                          describe_copies(copies);
  }
  end.status = ended(backup, parts.at(best).order, end.verdict, now);
  if (parts.at(best).order == nullptr && copies.at(best).node_name != backup.status.node_name) {
    static_cast<api::RunResults&>(end.status) = {}; // of the first server
    end.status.total_size_bytes = copies.at(best).size_bytes;
  }
  end.status.node_name = copies.at(best).node_name;
  end.status.servers = copies;
  put_copies(backup, end.status, now);
  return end;
}

Verdict verdict_of(const ServerCopy& copy) {
  Verdict verdict{copy.result == CopyState::succeeded, Reason::internal_error, copy.message};
  if (const auto known = api::parse_reason(copy.reason)) {
    verdict.reason = *known;
  } else {
    verdict.newer_reason = copy.reason;
  }
  return verdict;
}

std::string describe_copies(const std::vector<ServerCopy>& copies) {
  std::string text = std::to_string(api::whole_copies(copies)) + " of " +
                     std::to_string(copies.size()) + " servers";
  std::string_view separator = ": ";
  for (const ServerCopy& copy : copies) {
    if (copy.result != CopyState::succeeded) {
      text.append(separator).append(copy.node_name).append(": ");
      text.append(copy.message.empty() ? copy.reason : copy.message);
      separator = "; ";
    }
  }
  return text;
}

} // namespace rb::controller
