#include "artifact/names.hpp"
#include "artifact/retention.hpp"

namespace rb::artifact {

namespace {

bool is_missing(const Status& status) {
  return !status && status.error().code == ErrorCode::not_found;
}

} // namespace

Status remove_set(Directory& directory, const std::string& run_id) {
  Fs& fs = directory.fs();
  const std::string manifest = manifest_name(run_id);
  const std::string removing = manifest + std::string(k_removing_suffix);
  if (Status renamed = fs.rename_over(manifest, removing); !renamed && !is_missing(renamed)) {
    return renamed;
  }
  // Durable before the first file goes.
  RB_TRY(fs.sync_directory());
  RB_TRY_ASSIGN(const std::vector<DirectoryEntry> entries, fs.list());
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    const bool of_set = info.kind == NameKind::artifact || info.kind == NameKind::signature;
    if (entry.regular && of_set && info.run_id == run_id) {
      RB_TRY(fs.remove(entry.name));
    }
  }
  // Durable before the mark of the removal goes; else its end might be lost and its begin not.
  RB_TRY(fs.sync_directory());
  if (Status removed = fs.remove(removing); !removed && !is_missing(removed)) {
    return removed;
  }
  return fs.sync_directory();
}

Status prune(Directory& directory, const RemovalPlan& plan, std::vector<std::string>& removed) {
  for (const std::string& run_id : plan.run_ids) {
    RB_TRY(remove_set(directory, run_id));
    removed.push_back(run_id);
  }
  return {};
}

} // namespace rb::artifact
