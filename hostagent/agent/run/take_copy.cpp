#include "agent/run/take_copy.hpp"

#include "datastore/datastore.hpp"
#include "datastore/sqlite/online_copy.hpp"

#include <filesystem>

namespace rb::agent {

namespace {

constexpr const char* k_taking = "TakingSnapshot";
constexpr const char* k_state = "/server/db/state.db";

/// k3s makes its own directory when it takes the first snapshot; one that the configuration names
/// must be there.
Status make_usual_directory(const CopyTask& task) {
  if (task.k3s.snapshot_dir != k3s::snapshot_directory(task.settings.data_dir, {})) {
    return {};
  }
  std::error_code error;
  if (std::filesystem::create_directory(task.k3s.snapshot_dir, error)) {
    std::filesystem::permissions(task.k3s.snapshot_dir, std::filesystem::perms::owner_all, error);
  }
  return error ? Status(system_error(error.value(), task.k3s.snapshot_dir)) : Status();
}

/// Errors of the copy are those of the server's disk, not of the backup directory.
Error not_copied(Error error) {
  if (error.code == ErrorCode::busy) {
    error.hint = "another program holds a lock on it: see what (fuser, lsof), and start the backup "
                 "again";
  } else if (error.code == ErrorCode::no_space) {
    error.hint = "free some space in the directory of k3s's snapshots";
    return std::move(error).because(api::Reason::storage_full);
  } else if (error.code == ErrorCode::corrupt) {
    error.hint = datastore::of(api::DatastoreKind::sqlite).remedy();
    return std::move(error).because(api::Reason::snapshot_invalid);
  }
  return std::move(error).because(api::Reason::snapshot_failed);
}

Result<SavedSnapshot> copy_sqlite(const CopyTask& task) {
  if (Status made = make_usual_directory(task); !made) {
    return not_copied(std::move(made).error());
  }
  const std::string name = k3s::snapshot_name(task.run_id, task.settings.node_name, task.now);
  const SavedSnapshot saved{name, task.k3s.snapshot_dir + "/" + name};
  Status copied = sqlite::copy_online(
      {task.settings.data_dir + k_state, saved.path}, task.control.token(), task.on_bytes);
  RB_TRY(check_stop(task.control, k_taking));
  if (!copied) {
    return not_copied(std::move(copied).error());
  }
  return saved;
}

} // namespace

Result<SavedSnapshot> take_copy(api::DatastoreKind kind, const CopyTask& task) {
  switch (kind) {
  case api::DatastoreKind::etcd:
    return save_snapshot(
        task.processes, task.settings, task.k3s, task.run_id, task.control, task.wait);
  case api::DatastoreKind::sqlite:
    return copy_sqlite(task);
  }
  return Error{ErrorCode::internal, "a datastore of no kind", {}};
}

} // namespace rb::agent
