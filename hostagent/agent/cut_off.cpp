#include "agent/cut_off.hpp"

#include "agent/plaintext.hpp"
#include "set/backup_log.hpp"
#include "set/names.hpp"
#include "terminal/log.hpp"

#include <set>

namespace rb::agent {

namespace {

constexpr std::string_view k_action = "backup";

/// `line` has run, result and message.
Status append_once(set::Directory& directory, set::LogLine line, SystemTime now) {
  RB_TRY_ASSIGN(const bool there, set::has_line(directory, k_action, line.run_id));
  if (there) {
    return {};
  }
  line.time = now;
  line.action = std::string(k_action);
  return set::append_log(directory, line);
}

Status log_all(set::Directory& directory, SystemTime now) {
  RB_TRY_ASSIGN(std::vector<std::string> marked, unfinished_runs(directory));
  RB_TRY_ASSIGN(const auto entries, directory.fs().list());
  for (const std::string& run_id : cut_off_runs(entries, std::move(marked))) {
    set::LogLine line;
    line.result = std::string(api::to_string(api::Reason::interrupted));
    line.run_id = run_id;
    line.message = "the agent ended in mid-run";
    RB_TRY(append_once(directory, std::move(line), now));
  }
  return {};
}

} // namespace

std::vector<std::string> cut_off_runs(const std::vector<DirectoryEntry>& entries,
                                      std::vector<std::string> marked) {
  std::set<std::string> runs;
  std::set<std::string> known;
  for (const DirectoryEntry& entry : entries) {
    const set::NameInfo info = set::classify_name(entry.name);
    if (info.kind == set::NameKind::artifact) {
      runs.insert(info.run_id);
    } else if (info.kind == set::NameKind::manifest || info.kind == set::NameKind::removing) {
      known.insert(info.run_id);
    }
  }
  runs.insert(std::make_move_iterator(marked.begin()), std::make_move_iterator(marked.end()));
  std::erase_if(runs, [&](const std::string& run_id) { return known.contains(run_id); });
  return {runs.begin(), runs.end()};
}

void log_cut_off(set::Directory& directory, SystemTime now) {
  if (const Status logged = log_all(directory, now); !logged) {
    log::warn("backup.log", logged.error());
  }
}

void log_settled(set::Directory& directory,
                 const std::string& run_id,
                 const RunReport& report,
                 SystemTime now) {
  set::LogLine line;
  line.result = std::string(api::to_string(report.reason));
  line.run_id = run_id;
  line.message = report.message;
  if (const Status logged = append_once(directory, std::move(line), now); !logged) {
    log::warn("backup.log", logged.error());
  }
}

} // namespace rb::agent
