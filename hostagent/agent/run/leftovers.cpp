#include "agent/run/leftovers.hpp"

#include "set/backup_log.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"
#include "set/sets.hpp"
#include "terminal/log.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace rb::agent {

namespace {

constexpr std::string_view k_marker = ".unfinished-";
constexpr std::string_view k_action = "backup";
constexpr std::size_t k_marker_limit_bytes = 1024;

std::string marker_name(const std::string& run_id) {
  return std::string(k_marker) + run_id;
}

bool run_has_manifest(const std::vector<DirectoryEntry>& entries, const std::string& run_id) {
  return set::current_generation(entries, run_id).has_value();
}

bool run_has_artifacts(const std::vector<DirectoryEntry>& entries, const std::string& run_id) {
  return std::ranges::any_of(entries, [&](const auto& entry) {
    const auto info = set::classify_name(entry.name);
    return info.kind == set::NameKind::artifact && info.run_id == run_id;
  });
}

/// The artifacts of a run that was cut off before its manifest.
Status remove_cut_off(set::Directory& directory, const std::string& run_id, SweepResult& out) {
  RB_TRY_ASSIGN(const auto entries, directory.fs().list());
  if (run_has_manifest(entries, run_id) || !run_has_artifacts(entries, run_id)) {
    return {};
  }
  RB_TRY(set::remove_set(directory, run_id));
  out.cut_off.push_back(run_id);
  return {};
}

void keep_first(Status& first, Status next) {
  if (first && !next) {
    first = std::move(next);
  }
}

/// The snapshots of that run in one directory; one that can't be removed keeps no other.
Status remove_plaintext(ProcessRunner& processes,
                        const K3sPlace& k3s,
                        const std::string& snapshot_dir,
                        const std::string& run_id,
                        SweepResult& out) {
  RB_TRY_ASSIGN(const auto names, snapshots_of_run(snapshot_dir, run_id));
  Status left;
  for (const std::string& name : names) {
    const auto removed = remove_snapshot(processes, k3s, snapshot_dir, name);
    if (removed) {
      out.removed.push_back(name);
    } else {
      keep_first(left, removed.error());
    }
  }
  return left;
}

/// The line of a run that wrote none.
Status log_once(set::Directory& directory,
                const std::string& run_id,
                const Outcome& outcome,
                SystemTime now) {
  RB_TRY_ASSIGN(const bool there, set::has_line(directory, k_action, run_id));
  if (there) {
    return {};
  }
  set::LogLine line;
  line.time = now;
  line.action = std::string(k_action);
  line.result = std::string(api::to_string(outcome.reason));
  line.run_id = run_id;
  line.message = outcome.message;
  return set::append_log(directory, line);
}

Status log_cut_off(set::Directory& directory, SystemTime now) {
  RB_TRY_ASSIGN(std::vector<std::string> marked, unfinished_runs(directory));
  RB_TRY_ASSIGN(const auto entries, directory.fs().list());
  for (const std::string& run_id : cut_off_runs(entries, std::move(marked))) {
    RB_TRY(
        log_once(directory, run_id, {api::Reason::interrupted, "the agent ended in mid-run"}, now));
  }
  return {};
}

void warn_if_failed(const Status& logged) {
  if (!logged) {
    log::warn("backup.log", logged.error());
  }
}

void log_sweep(const SweepResult& swept) {
  for (const std::string& name : swept.removed) {
    log::warn("plaintext snapshot of an interrupted run removed",
              Error{ErrorCode::incomplete, name, {}});
  }
  for (const std::string& run_id : swept.cut_off) {
    log::warn("artifacts of an interrupted run removed", Error{ErrorCode::incomplete, run_id, {}});
  }
}

/// A manifest that names no request is taken for anybody's.
bool is_of(const set::Manifest& manifest, const RunOrder& order, const std::string& node_name) {
  return (manifest.cluster_backup_uid.empty() ||
          manifest.cluster_backup_uid == order.cluster_backup_uid) &&
         !is_of_another_server(manifest, order, node_name);
}

/// Empty where it does not say: of a release before, or of a crash while it was written.
std::string node_of_marker(set::Directory& directory, const std::string& run_id) {
  const auto text = set::read_text(directory, marker_name(run_id), k_marker_limit_bytes);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

bool is_of_another(const std::string& marked, const std::string& node_name) {
  return !marked.empty() && marked != node_name;
}

} // namespace

bool is_of_another_server(const set::Manifest& manifest,
                          const RunOrder& order,
                          const std::string& node_name) {
  const auto is_server = [&](const std::string& name) {
    return std::ranges::find(order.servers, name, &api::ServerEntry::node_name) !=
           order.servers.end();
  };
  return manifest.node_name != node_name && is_server(manifest.node_name) && is_server(node_name);
}

Error shared_with(const std::string& directory,
                  const std::string& run_id,
                  const std::string& node_name) {
  return {ErrorCode::busy,
          directory + ": server " + node_name + " makes a set in the same directory (run " +
              run_id + ")",
          "each server needs a directory of its own: on a NAS, mount another one at this path on "
          "each of them (NAS:/backups/" +
              node_name + "); where " + node_name + " is gone: rm " + directory + "/" +
              marker_name(run_id)};
}

Status check_alone(set::Directory& directory, const std::string& node_name, SystemTime now) {
  RB_TRY_ASSIGN(const std::vector<std::string> runs, unfinished_runs(directory));
  for (const std::string& run_id : runs) {
    const auto started = parse_run_id(run_id);
    const bool recent = started && std::chrono::abs(now - *started) < k_other_server_time;
    const std::string marked = recent ? node_of_marker(directory, run_id) : std::string();
    if (is_of_another(marked, node_name)) {
      return shared_with(directory.path(), run_id, marked);
    }
  }
  return {};
}

Status mark_unfinished(set::Directory& directory,
                       const std::string& run_id,
                       const std::string& node_name) {
  auto file = directory.fs().create(marker_name(run_id));
  if (!file && file.error().code == ErrorCode::already_exists) {
    const std::string marked = node_of_marker(directory, run_id);
    return is_of_another(marked, node_name) ? shared_with(directory.path(), run_id, marked)
                                            : Status();
  }
  if (!file) {
    return std::move(file).error();
  }
  RB_TRY((*file)->write(as_bytes(node_name + "\n")));
  RB_TRY((*file)->sync());
  RB_TRY((*file)->close());
  return directory.fs().sync_directory();
}

Status clear_unfinished(set::Directory& directory, const std::string& run_id) {
  Status removed = directory.fs().remove(marker_name(run_id));
  if (!removed && removed.error().code != ErrorCode::not_found) {
    return removed;
  }
  return directory.fs().sync_directory();
}

Result<std::vector<std::string>> unfinished_runs(set::Directory& directory) {
  RB_TRY_ASSIGN(const auto entries, directory.fs().list());
  std::vector<std::string> runs;
  for (const auto& entry : entries) {
    if (entry.regular && entry.name.starts_with(k_marker)) {
      std::string run_id = entry.name.substr(k_marker.size());
      if (parse_run_id(run_id)) {
        runs.push_back(std::move(run_id));
      }
    }
  }
  return runs;
}

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

Result<SweepResult> sweep_unfinished(set::Directory& directory,
                                     ProcessRunner& processes,
                                     const K3sPlace& k3s,
                                     SystemTime now) {
  warn_if_failed(log_cut_off(directory, now));
  SweepResult result;
  Status left; // what was left first, after all was tried
  RB_TRY_ASSIGN(const auto runs, unfinished_runs(directory));
  for (const std::string& run_id : runs) {
    // The plaintext first: whatever keeps the rest must not keep that.
    Status swept;
    for (const std::string& snapshot_dir : k3s.plaintext_dirs) {
      keep_first(swept, remove_plaintext(processes, k3s, snapshot_dir, run_id, result));
    }
    keep_first(swept, remove_cut_off(directory, run_id, result));
    if (!swept) {
      keep_first(left, std::move(swept)); // its marker stays
      continue;
    }
    const auto started = parse_run_id(run_id);
    // A run from the future (the clock went back) is settled as well.
    const bool settled = started && (now < *started || now - *started >= k_settle_time);
    if (settled) {
      RB_TRY(clear_unfinished(directory, run_id));
    } else {
      result.remaining.push_back(run_id);
    }
  }
  if (!left) {
    return std::move(left).error();
  }
  return result;
}

Result<std::vector<std::string>> sweep_host(const Settings& settings,
                                            ProcessRunner& processes,
                                            const Clock& clock,
                                            const OpenDirectory& open_directory) {
  RB_TRY_ASSIGN(set::Directory directory, open_backup_directory(settings, open_directory));
  RB_TRY_ASSIGN(const auto lock, set::DirectoryLock::acquire(directory.path()));
  RB_TRY(check_alone(directory, settings.node_name, clock.now()));
  RB_TRY(set::sweep_leftovers(directory));
  RB_TRY_ASSIGN(SweepResult swept,
                sweep_unfinished(directory, processes, find_k3s(settings), clock.now()));
  log_sweep(swept);
  return std::move(swept.remaining);
}

bool has_manifest(const Settings& settings, const RunOrder& order) {
  auto directory = set::Directory::open_existing(settings.backup_dir);
  if (!directory) {
    return false;
  }
  const auto manifest = set::read_manifest(*directory, order.run_id);
  if (manifest) {
    return is_of(*manifest, order, settings.node_name);
  }
  return manifest.error().code == ErrorCode::corrupt ||
         manifest.error().code == ErrorCode::unsupported;
}

RunReport report_from_disk(const Settings& settings, const RunOrder& order, const Clock& clock) {
  auto directory = set::Directory::open_existing(settings.backup_dir);
  if (!directory) {
    return failed_report(Error(directory.error()).because(api::Reason::interrupted), clock.now());
  }
  const auto manifest = set::read_manifest(*directory, order.run_id);
  RunReport report =
      manifest && is_of(*manifest, order, settings.node_name)
          ? report_of_manifest(*manifest, clock.now())
          : failed_report(Error{ErrorCode::not_found,
                                "the agent ended in mid-run; nothing of run " + order.run_id +
                                    " was kept, earlier sets are untouched",
                                "start the backup again"}
                              .because(api::Reason::interrupted),
                          clock.now());
  report.directory_used = true;
  if (const auto lock = set::DirectoryLock::acquire(directory->path())) {
    warn_if_failed(log_once(*directory, order.run_id, report, clock.now()));
  }
  return report;
}

} // namespace rb::agent
