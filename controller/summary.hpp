// The status of a ClusterBackup, made from what is known of its run. Pure.
// Guarantees: all conditions of the API are there from the first visit on; what was stored stays
// in the status; Succeeded is True only if everything that was asked for is stored and verified, of
// several servers on one of them; then Copies says whether it is on each.
#pragma once

#include "controller/plan.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rb::controller {

/// How a run ended.
struct Verdict {
  bool succeeded = false;
  api::Reason reason = api::Reason::internal_error;
  std::string message;
  /// Where it is none of these reasons: the word of a newer agent, NotRepeated or Superseded.
  std::string newer_reason{};

  [[nodiscard]] std::string reason_word() const;
};

/// Writes conditions of a status, for the generation of its object.
class ConditionWriter {
public:
  /// `status` outlives it.
  ConditionWriter(const api::ClusterBackup& backup,
                  api::ClusterBackupStatus& status,
                  SystemTime now)
      : m_generation(backup.meta.generation), m_conditions(status.conditions), m_now(now) {}

  void put(std::string_view condition,
           api::ConditionStatus value,
           std::string reason,
           std::string message);
  void put(std::string_view condition,
           api::ConditionStatus value,
           api::Reason reason,
           std::string message);

private:
  std::int64_t m_generation;
  std::vector<api::Condition>& m_conditions;
  SystemTime m_now;
};

/// The request waits behind another run.
[[nodiscard]] api::ClusterBackupStatus queued(const api::ClusterBackup& backup, SystemTime now);

/// It has run before, by its mark (api/run_mark.hpp), and is not run again. What came
/// of it nobody knows here: it ended when it began, so that it is older than all that is known.
[[nodiscard]] api::ClusterBackupStatus not_repeated(const api::ClusterBackup& backup,
                                                    SystemTime now);

/// It was never begun, and is not worth a run any more: `newer` asks for the same.
[[nodiscard]] api::ClusterBackupStatus
superseded(const api::ClusterBackup& backup, const api::ClusterBackup& newer, SystemTime now);

/// The run begins: run id and start time are set, once.
[[nodiscard]] api::ClusterBackupStatus
started(const api::ClusterBackup& backup, const std::string& run_id, SystemTime now);

/// The Helm step is begun for the `attempt`-th time: written before it begins, so that one that is
/// lost with its process is known of.
[[nodiscard]] api::ClusterBackupStatus
helm_begun(const api::ClusterBackup& backup, int attempt, SystemTime now);

/// How often the Helm step was begun by what the status says: 0, 1, or 2 for more than once.
[[nodiscard]] int helm_attempts(const api::ClusterBackupStatus& status);

/// The order is out: what its spec and the agent's report say, up to now. Byte counts stay in the
/// NodeBackup, so that a run costs a few writes of the ClusterBackup only.
[[nodiscard]] api::ClusterBackupStatus
mirrored(const api::ClusterBackup& backup, const api::NodeBackup& order, SystemTime now);

/// The run is over. Steps that were not reached get the reason of the run.
[[nodiscard]] api::ClusterBackupStatus ended(const api::ClusterBackup& backup,
                                             const api::NodeBackup* order,
                                             const Verdict& verdict,
                                             SystemTime now);

/// What is known of one server of a run that goes to several.
struct RunPart {
  const api::NodeBackup* order = nullptr; ///< May be null.
  std::optional<Verdict> verdict;         ///< How it ended there. Nothing: not yet, or left out.
};

/// The servers of the run are chosen, and `first` is the one whose set is told of in the status.
[[nodiscard]] api::ClusterBackupStatus announced(const api::ClusterBackup& backup,
                                                 const std::string& first,
                                                 std::vector<api::ServerCopy> servers,
                                                 SystemTime now);

/// As mirrored(), where the run goes to several servers. `parts` are those of status.servers, in
/// their order.
[[nodiscard]] api::ClusterBackupStatus mirrored_on_servers(const api::ClusterBackup& backup,
                                                           const std::vector<RunPart>& parts,
                                                           SystemTime now);

struct RunEnd {
  api::ClusterBackupStatus status;
  Verdict verdict;
};

/// As ended(). The run is judged by its first server; where that has no whole set, by the best of
/// the others, which the status tells of then.
[[nodiscard]] RunEnd ended_on_servers(const api::ClusterBackup& backup,
                                      const std::vector<RunPart>& parts,
                                      SystemTime now);

/// What the status says of a server where the run has ended.
[[nodiscard]] Verdict verdict_of(const api::ServerCopy& copy);

/// "3 of 3 servers"; "2 of 3 servers: cp-3: its agent is not ready".
[[nodiscard]] std::string describe_copies(const std::vector<api::ServerCopy>& copies);

/// The run is over, and this is what the agents say of the copies off-site: the condition
/// Replicated. Of several whole sets it is True when each is copied, and False while one has
/// failed; of one it is what its agent says. Nothing where nobody says anything, or what is in the
/// status already.
[[nodiscard]] std::optional<api::Condition> replicated(const api::ClusterBackup& backup,
                                                       std::vector<const api::NodeBackup*> orders,
                                                       SystemTime now);

/// What a finished order means for the run.
[[nodiscard]] Verdict verdict_of(const api::ClusterBackup& backup, const api::NodeBackup& order);

/// What is missing by the order or by the agent's report, one entry a type.
[[nodiscard]] std::vector<api::MissingArtifact> all_missing(const api::NodeBackup& order);

/// True when writing `wanted` would change nothing that people see.
[[nodiscard]] bool same_status(const api::ClusterBackupStatus& seen,
                               const api::ClusterBackupStatus& wanted);

/// The Helm artifact in words: "24 releases", "24 releases, 1 kept as stored: apps/secret/… (bad
/// gzip)".
[[nodiscard]] std::string describe_helm(const api::HelmStatus& helm);

/// The result in words, as in the condition and the Event: "4 files, 1.5 MiB on n1; …".
[[nodiscard]] std::string describe_success(const api::NodeBackup& order);

} // namespace rb::controller
