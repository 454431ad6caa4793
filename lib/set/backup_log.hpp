// `backup.log`: one line a run, oldest first, bounded: at k_log_limit_bytes it becomes
// `backup.log.1`, which replaces the one before.
#pragma once

#include "set/directory.hpp"

#include "base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rb::set {

inline constexpr std::uint64_t k_log_limit_bytes = 1U << 20U;

struct LogLine {
  SystemTime time{};
  std::string action; ///< "backup", "drill", "verify", "rewrap"
  std::string result; ///< The word of api::Reason ("Completed", "Incomplete", "StorageFull").
  std::string run_id; ///< May be empty.
  /// More, in this order: {"etcd_bytes", "1234"}. Keys are ours; values are quoted where needed.
  std::vector<std::pair<std::string, std::string>> fields;
  std::string message; ///< May be empty; cut after 1,024 characters.
};

/// "2026-11-22T02:00:41Z backup result=Completed run=… etcd_bytes=… message=\"…\"" and a newline;
/// control characters become blanks, so a line stays a line.
[[nodiscard]] std::string format_log_line(const LogLine& line);

/// Appends and syncs. Errors: those of Fs.
[[nodiscard]] Status append_log(Directory& directory, const LogLine& line);

/// Time, action, result and run of a line; nothing for a line that is not of that form.
[[nodiscard]] std::optional<LogLine> parse_log_line(std::string_view line);

/// The last line of that action among the last 64 KiB of `backup.log`, or of `backup.log.1` when
/// that has none. Errors: those of Fs.
[[nodiscard]] Result<std::optional<LogLine>> read_last_line(Directory& directory,
                                                            std::string_view action);

/// There is a line of that action and run among the last 64 KiB of `backup.log` or `backup.log.1`.
/// Errors: those of Fs.
[[nodiscard]] Result<bool>
has_line(Directory& directory, std::string_view action, std::string_view run_id);

} // namespace rb::set
