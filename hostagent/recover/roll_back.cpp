// The way back. Every step looks at what is there before it acts, so that it can be repeated after
// a crash: what is moved back once is not moved away again.
#include "recover/execute.hpp"
#include "recover/host_files.hpp"
#include "recover/steps.hpp"

#include <algorithm>

namespace rb::recover {

namespace {

/// The database that was there before: the first that a reset moved aside. A reset that was
/// repeated has moved its own half-made one aside, too, under a later name.
std::string original_database(const JournalState& state) {
  for (const std::string& name : names_in(state.plan.data_dir + "/server/db", "etcd-old-")) {
    const auto& before = state.old_databases;
    if (std::find(before.begin(), before.end(), name) == before.end()) {
      return name;
    }
  }
  return {};
}

Status put_database_back(const JournalState& state, Ports& ports) {
  const std::string db = state.plan.data_dir + "/server/db";
  const std::string original = original_database(state);
  const bool moved = !original.empty() && state.had_etcd;
  const auto seconds = ports.clock.now().time_since_epoch().count();
  if (exists(db + "/etcd") && (moved || !state.had_etcd)) {
    RB_TRY(move_path(db + "/etcd", db + "/etcd-failed-" + std::to_string(seconds)));
  }
  if (moved) {
    RB_TRY(move_path(db + "/" + original, db + "/etcd"));
  }
  return remove_path(db + "/reset-flag");
}

Status put_files_back(const JournalState& state) {
  const std::string server = state.plan.data_dir + "/server";
  const std::string aside = state.plan.work_dir() + "/saved";
  for (const PutBackFile& file : state.files) {
    if (file.existed) {
      RB_TRY(copy_tree(aside + "/files" + file.path, file.path));
    } else {
      RB_TRY(remove_path(file.path));
    }
  }
  for (const std::string& name : state.saved) {
    RB_TRY(copy_tree(aside + "/server/" + name, server + "/" + name));
  }
  if (!state.had_etcd) { // made by the reset, of another cluster than a later start would make
    for (const char* const name : {"token", "agent-token", "node-token", "tls", "cred"}) {
      if (std::find(state.saved.begin(), state.saved.end(), name) == state.saved.end()) {
        RB_TRY(remove_path(server + "/" + name));
      }
    }
  }
  return {};
}

Status go_back(const JournalState& state, Ports& ports, const Limits& limits) {
  // A reset or a start that hangs must have ended before its files are moved.
  RB_TRY(do_stop(state, ports));
  if (state.recorded) {
    RB_TRY(put_database_back(state, ports));
    RB_TRY(put_files_back(state));
  }
  RB_TRY(remove_path(state.plan.snapshot_path()));
  if (!state.plan.was_active) {
    return {};
  }
  ports.progress.on_line("the old data is back; starting k3s");
  RB_TRY(ports.service.start());
  // Whoever was impatient with the restored server must not give up the old one as soon.
  Limits patient = limits;
  patient.ready = std::max(limits.ready, Limits().ready);
  return do_ready(state.plan, ports, patient);
}

} // namespace

Outcome roll_back(JournalState state, const Journal& journal, Ports& ports, const Limits& limits) {
  ports.progress.on_line("going back to the data from before");
  state.phase = Phase::rolling_back;
  if (const Status saved = journal.save(state); !saved) {
    ports.progress.on_line("warning: " + saved.error().message); // a full disk is no reason to stay
  }
  if (const Status back = go_back(state, ports, limits); !back) {
    return {exit_code_for(back.error().code),
            back.error().message,
            "`railiance-restore restore --rollback` tries again",
            false};
  }
  state.phase = Phase::rolled_back;
  if (const Status saved = journal.save(state); !saved) {
    ports.progress.on_line("warning: " + saved.error().message);
  }
  ports.progress.on_line(state.plan.was_active ? "rolled back: the old cluster runs again"
                                               : "rolled back: the host is as it was");
  return {ExitCode::done, {}, {}, true};
}

} // namespace rb::recover
