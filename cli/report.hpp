// ClusterBackups as text, and what to do about them. Pure.
#pragma once

#include "status/current.hpp"

#include "api/backup.hpp"
#include "api/backup_status.hpp"
#include "base/error.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace rb::cli {

/// The exit code that the end of that run stands for; `done` while it has not ended.
[[nodiscard]] ExitCode exit_code_of(const api::ClusterBackup& backup);

/// What `create --wait` and `show` print: outcome, files, counts, what is missing and why.
[[nodiscard]] std::string describe(const api::ClusterBackup& backup);

/// "a whole set on 2 of 3 servers: …" of a run that succeeded on some servers and not on all; else
/// "".
[[nodiscard]] std::string missing_copies(const api::ClusterBackup& backup);

/// One server of a run, in a few words: "taking the snapshot", "done", "left out: its agent …".
[[nodiscard]] std::string words_of_copy(const api::ServerCopy& copy);

/// What is written beside each other.
using Rows = std::vector<std::vector<std::string>>;

/// "3 h ago", "in 20 min".
[[nodiscard]] std::string ago(SystemTime time, SystemTime now);

/// What that server's agent says of it, for `status`.
[[nodiscard]] Rows node_rows(const api::NodeFacts& node, SystemTime now);

/// "2 public keys, by creation rule 1 (...)": who reads the newest complete set of that node. ""
/// where there is none.
[[nodiscard]] std::string who_reads(const api::NodeFacts& node);

/// For scripts: indented, in ASCII, so that nothing in it can upset a terminal, and a line end.
[[nodiscard]] std::string json_lines(const nlohmann::json& json);

/// The conditions as a table, for `show`.
[[nodiscard]] std::string condition_table(const api::ClusterBackup& backup);

/// What to do about a run that did not succeed, or "".
[[nodiscard]] std::string advice(const api::ClusterBackup& backup);

/// What to do about a cluster without a current backup, or "".
[[nodiscard]] std::string advice(const status::Current& current);

/// NAME RUN SUCCEEDED REASON NODE SERVERS SIZE RELEASES REVISION AGE, the newest first.
[[nodiscard]] std::string backup_table(std::vector<api::ClusterBackup> backups, SystemTime now);

} // namespace rb::cli
