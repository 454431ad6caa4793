// The way back. Every step looks at what is there before it acts, so that it can be repeated after
// a crash: what is moved back once is not moved away again.
#include "restore/cluster/execute.hpp"
#include "restore/cluster/host_files.hpp"
#include "restore/cluster/steps.hpp"

#include <algorithm>
#include <utility>

namespace rb::cluster {

namespace {

/// `path`, or with a number after it where that is taken: a clock may show a second twice.
std::string free_name(const std::string& path) {
  std::string name = path;
  for (int number = 1; exists(name); ++number) {
    name = path + "-" + std::to_string(number);
  }
  return name;
}

/// Half-made ones, which resets that were repeated have moved aside. They go before the original
/// comes back: what is left under the name of an old database is then one.
Status set_half_made_aside(const JournalState& state, const std::string& failed) {
  const std::string db = state.plan.data_dir + "/server/db";
  const auto& before = state.old_databases;
  for (const std::string& name : names_in(db, "etcd-old-")) {
    if (name != state.original && std::find(before.begin(), before.end(), name) == before.end()) {
      RB_TRY(move_path(db + "/" + name, free_name(failed)));
    }
  }
  return {};
}

Status put_database_back(const JournalState& state, Ports& ports) {
  const std::string db = state.plan.data_dir + "/server/db";
  const auto seconds = ports.clock.now().time_since_epoch().count();
  const std::string failed = db + "/etcd-failed-" + std::to_string(seconds);
  const bool moved = !state.original.empty() && exists(db + "/" + state.original);
  // On a bare host that of a reset is removed with the rest; one that was lived in is kept.
  const bool kept = !state.before || state.is_complete(Step::ready);
  if (exists(db + "/etcd") && (moved || (!state.had_etcd && kept))) {
    RB_TRY(move_path(db + "/etcd", free_name(failed)));
  }
  if (state.had_etcd) {
    RB_TRY(set_half_made_aside(state, failed));
  }
  if (moved) {
    RB_TRY(move_path(db + "/" + state.original, db + "/etcd"));
  }
  return remove_path(db + "/reset-flag");
}

Status put_files_back(const JournalState& state) {
  const std::string server = state.plan.data_dir + "/server";
  const std::string aside = state.saved_path();
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
  RB_TRY(remove_new(state));
  if (!state.had_etcd) { // made by the reset, of another cluster than a later start would make
    for (const char* const name : {"token", "agent-token", "node-token", "tls", "cred"}) {
      if (std::find(state.saved.begin(), state.saved.end(), name) == state.saved.end()) {
        RB_TRY(remove_path(server + "/" + name));
      }
    }
  }
  return {};
}

/// After an unfinished restore nothing of it is left; after one that had succeeded its journal
/// stays, and says that it was undone.
Status end_of_the_way(JournalState state, const Journal& journal, Ports& ports) {
  state.phase = Phase::rolled_back;
  if (state.earlier.empty() && state.had_etcd) {
    return journal.save(state);
  }
  RB_TRY(forget(state, journal));
  for (const JournalState& earlier : state.earlier) {
    ports.progress.on_line(
        "the restore of " + earlier.plan.run_id +
        " before it can still be undone: `railiance-restore restore --rollback`");
  }
  return {};
}

std::string said_at_the_end(const JournalState& state) {
  if (state.plan.was_active) {
    return "rolled back: the old cluster runs again";
  }
  std::string text = "rolled back: the host is as it was";
  const char* separator = " but for ";
  for (const std::string& path : left_over(state)) {
    text += std::exchange(separator, ", ") + path;
  }
  return text;
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

void note_original(JournalState& state) {
  if (!state.recorded || !state.had_etcd || !state.original.empty()) {
    return;
  }
  const auto& before = state.old_databases;
  for (const std::string& name : names_in(state.plan.data_dir + "/server/db", "etcd-old-")) {
    if (std::find(before.begin(), before.end(), name) == before.end()) {
      state.original = name;
      return;
    }
  }
}

Outcome
roll_back(JournalState state, const Journal& journal, Ports& told_to_stop, const Limits& limits) {
  Ports ports = told_to_stop;
  ports.stop = {};
  ports.progress.on_line("going back to the data from before");
  state.phase = Phase::rolling_back;
  note_original(state);
  if (const Status saved = journal.save(state); !saved) {
    ports.progress.on_line("warning: " + saved.error().message); // a full disk is no reason to stay
  }
  if (const Status back = go_back(state, ports, limits); !back) {
    return {exit_code_for(back.error().code),
            back.error().message,
            "`railiance-restore restore --rollback` tries again",
            false};
  }
  if (const Status ended = end_of_the_way(state, journal, ports); !ended) {
    ports.progress.on_line("warning: " + ended.error().message);
  }
  ports.progress.on_line(said_at_the_end(state));
  return {ExitCode::done, {}, {}, true};
}

} // namespace rb::cluster
