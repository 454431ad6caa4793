#include "agent/plaintext.hpp"

#include "k3s/etcd_snapshot.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

namespace rb::agent {

namespace {

constexpr std::string_view k_marker = ".unfinished-";

std::string marker_name(const std::string& run_id) {
  return std::string(k_marker) + run_id;
}

/// Nothing under the final name, nor under a name that k3s would still be writing.
bool is_gone(const std::string& path) {
  return ::access(path.c_str(), F_OK) != 0 && errno == ENOENT;
}

bool run_has_manifest(const std::vector<DirectoryEntry>& entries, const std::string& run_id) {
  const std::string wanted = set::manifest_name(run_id);
  return std::ranges::any_of(entries, [&](const auto& entry) { return entry.name == wanted; });
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

} // namespace

Status mark_unfinished(set::Directory& directory, const std::string& run_id) {
  auto file = directory.fs().create(marker_name(run_id));
  if (!file && file.error().code == ErrorCode::already_exists) {
    return {};
  }
  if (!file) {
    return std::move(file).error();
  }
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

Result<std::vector<std::string>> snapshots_of_run(const std::string& snapshot_dir,
                                                  const std::string& run_id) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(snapshot_dir, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const auto parsed = k3s::parse_snapshot_name(name);
    if (!parsed || parsed->run_id != run_id) {
      continue;
    }
    std::error_code failed;
    const auto type = it->symlink_status(failed).type();
    // A plaintext that cannot be looked at is not gone: nobody would look for it again.
    if (type == std::filesystem::file_type::none) {
      return system_error(failed.value(), snapshot_dir + "/" + name);
    }
    if (type == std::filesystem::file_type::regular) {
      names.push_back(name);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return system_error(error.value(), snapshot_dir);
  }
  return names;
}

Result<bool> remove_snapshot(ProcessRunner& processes,
                             const k3s::K3sCommand& command,
                             const std::string& snapshot_dir,
                             const std::string& name) {
  if (!k3s::parse_snapshot_name(name)) {
    return Error{ErrorCode::invalid_argument, "not the name of a snapshot of ours", {}};
  }
  const std::string path = snapshot_dir + "/" + name;
  if (is_gone(path)) {
    return false;
  }
  const auto deleted = processes.run(k3s::delete_spec(command, name), {});
  if (is_gone(path)) {
    return deleted && deleted->exit_status == 0;
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return system_error(errno, path);
  }
  return false;
}

Result<SweepResult> sweep_unfinished(set::Directory& directory,
                                     ProcessRunner& processes,
                                     const k3s::K3sCommand& command,
                                     const std::vector<std::string>& snapshot_dirs,
                                     SystemTime now) {
  SweepResult result;
  RB_TRY_ASSIGN(const auto runs, unfinished_runs(directory));
  for (const std::string& run_id : runs) {
    RB_TRY(remove_cut_off(directory, run_id, result));
    for (const std::string& snapshot_dir : snapshot_dirs) {
      RB_TRY_ASSIGN(const auto names, snapshots_of_run(snapshot_dir, run_id));
      for (const std::string& name : names) {
        RB_TRY(remove_snapshot(processes, command, snapshot_dir, name));
        result.removed.push_back(name);
      }
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
  return result;
}

} // namespace rb::agent
