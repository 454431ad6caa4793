#include "set/names.hpp"
#include "set/retention.hpp"

namespace rb::set {

namespace {

bool is_missing(const Status& status) {
  return !status && status.error().code == ErrorCode::not_found;
}

/// Artifacts and signature of a set that are there.
Result<std::vector<std::string>> names_of_set(Fs& fs, const std::string& run_id) {
  RB_TRY_ASSIGN(const std::vector<DirectoryEntry> entries, fs.list());
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    const bool of_set = info.kind == NameKind::artifact || info.kind == NameKind::signature;
    if (entry.regular && of_set && info.run_id == run_id) {
      names.push_back(entry.name);
    }
  }
  return names;
}

} // namespace

Status remove_set(Directory& directory, const std::string& run_id) {
  Fs& fs = directory.fs();
  const std::string manifest = manifest_name(run_id);
  const std::string removing = manifest + std::string(k_removing_suffix);
  RB_TRY_ASSIGN(const std::vector<std::string> names, names_of_set(fs, run_id));
  for (const std::string& name : names) {
    RB_TRY(fs.check_removable(name));
  }
  RB_TRY(fs.check_removable(manifest));
  if (Status renamed = fs.rename_over(manifest, removing); !renamed && !is_missing(renamed)) {
    return renamed;
  }
  // Durable before the first file goes.
  RB_TRY(fs.sync_directory());
  for (const std::string& name : names) {
    RB_TRY(fs.remove(name));
  }
  // Durable before the mark of the removal goes; else its end might be lost and its begin not.
  RB_TRY(fs.sync_directory());
  if (Status removed = fs.remove(removing); !removed && !is_missing(removed)) {
    return removed;
  }
  return fs.sync_directory();
}

Pruned prune(Directory& directory, const RemovalPlan& plan) {
  Pruned pruned;
  for (const std::string& run_id : plan.run_ids) {
    Status removed = remove_set(directory, run_id);
    if (removed) {
      pruned.removed.push_back(run_id);
    } else {
      pruned.left.push_back({run_id, std::move(removed).error()});
    }
  }
  return pruned;
}

} // namespace rb::set
