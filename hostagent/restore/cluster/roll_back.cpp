// The way back. Every step looks at what is there before it acts, so that it can be repeated after
// a crash: what is moved back once is not moved away again. On a host that had no cluster what was
// there before is noted, and what is new is taken away, or named.
#include "datastore/detect.hpp"
#include "restore/cluster/database.hpp"
#include "restore/cluster/execute.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/steps.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace rb::cluster {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_server = "server";
constexpr const char* k_agent = "agent";
/// Below agent/: containers go on running from there when k3s is stopped.
constexpr const char* k_containers = "/containerd";

bool is_kept(std::string_view name) {
  return name.starts_with(k_failed_etcd) || name.starts_with(k_failed_state);
}

/// False: it could not be read to its end.
bool add_all_below(const std::string& data_dir, std::vector<std::string>& names) {
  std::error_code error;
  fs::recursive_directory_iterator it(data_dir + "/" + k_server, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    names.push_back(it->path().string().substr(data_dir.size() + 1));
  }
  return !error || error == std::errc::no_such_file_or_directory;
}

bool is_in(const std::string& directory, const std::string& name) {
  return name == directory || name.starts_with(directory + "/");
}

std::vector<std::string> new_names(const JournalState& state) {
  std::vector<std::string> names = names_of_data(state.plan).value_or(std::vector<std::string>());
  std::erase_if(names, [&](const std::string& name) {
    return std::binary_search(state.before->begin(), state.before->end(), name);
  });
  return names;
}

/// Takes away what is new in server/ and, while no containers run from there, in agent/, where
/// there was no database; not one that was moved aside.
Status remove_new(const JournalState& state) {
  if (!state.before) {
    return {};
  }
  std::vector<std::string> names = new_names(state);
  const bool containers = exists(state.plan.data_dir + "/" + k_agent + k_containers);
  std::reverse(names.begin(), names.end()); // what is in a directory goes before it
  for (const std::string& name : names) {
    if (is_in(k_agent, name) && !containers) {
      RB_TRY(remove_path(state.plan.data_dir + "/" + name));
      continue;
    }
    const bool of_server = is_in(k_server, name);
    if (!of_server || is_kept(name)) {
      continue;
    }
    const std::string path = state.plan.data_dir + "/" + name;
    if (is_directory(path)) {
      ::rmdir(path.c_str()); // not empty: something that is kept
    } else {
      RB_TRY(remove_path(path));
    }
  }
  return {};
}

/// Paths in the data directory that were not there before, where there was no database.
std::vector<std::string> left_over(const JournalState& state) {
  std::vector<std::string> left;
  for (const std::string& name : state.before ? new_names(state) : std::vector<std::string>()) {
    const std::string path = state.plan.data_dir + "/" + name;
    const bool holds_kept = k_failed_etcd.starts_with(name + "/"); // and nothing else
    const bool inside = !left.empty() && path.starts_with(left.back() + "/");
    if (!holds_kept && !inside) {
      left.push_back(path);
    }
  }
  return left;
}

Status put_files_back(const JournalState& state) {
  const std::string server = state.plan.data_dir + "/server";
  const std::string aside = state.saved_path();
  for (const PutBackFile& file : state.files) {
    if (file.existed) {
      RB_TRY(put_copy(aside + "/files" + file.path, file.path));
    } else {
      RB_TRY(remove_written(file.path));
    }
  }
  for (const std::string& name : state.saved) {
    RB_TRY(put_copy(aside + "/server/" + name, server + "/" + name));
  }
  RB_TRY(remove_new(state));
  if (!state.had_database) { // made by the reset, of another cluster than a later start would make
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
  if (state.earlier.empty() && state.had_database) {
    return journal.save(state);
  }
  RB_TRY(forget(state, journal));
  for (const JournalState& earlier : state.earlier) {
    ports.progress.on_line("the " + std::string(earlier.plan.command()) + " of " +
                           earlier.plan.run_id +
                           " before it can still be undone: `railiance-restore " +
                           earlier.plan.command() + " --rollback`");
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

/// The database of before, where it was moved aside: it needs the servers that it is spread over.
std::vector<datastore::Member> members_of_before(const JournalState& state) {
  return state.plan.joining || state.original.empty()
             ? std::vector<datastore::Member>()
             : datastore::members_on_disk(state.plan.data_dir + "/server/db/" + state.original);
}

/// A restore on one of several servers, which others have rejoined since: their databases of before
/// are aside, too, and this one would wait for their votes for ever.
Status expect_no_rejoined(const JournalState& state) {
  if (state.phase != Phase::done || members_of_before(state).size() < 2) {
    return {};
  }
  const auto now = datastore::members_on_disk(state.plan.data_dir + "/server/db/etcd");
  if (now.size() < 2) {
    return {};
  }
  return Error{ErrorCode::busy,
               std::to_string(now.size()) +
                   " servers are members of the restored cluster; the database of before is that "
                   "of several, too, and does nothing without theirs; nothing was changed",
               "first on each other one: `railiance-restore rejoin --rollback`; then here, and "
               "start k3s on them"};
}

/// Somebody made room: with the database of before gone, the present one would stay in its place
/// and be called the old one.
std::optional<Outcome> nothing_to_go_back_to(const JournalState& state) {
  if (state.phase != Phase::done) {
    return std::nullopt;
  }
  for (const std::string& path : database_of(state.plan.datastore).aside(state)) {
    if (!exists(path)) {
      return Outcome{ExitCode::nothing_to_restore,
                     path + ": the database of before is not there any more: there is nothing to "
                            "go back to; nothing was changed",
                     "where it was only moved, put it back there and repeat; else restore a set of "
                     "before (`railiance-restore list`)",
                     false};
    }
  }
  return std::nullopt;
}

Status go_back(const JournalState& state, Ports& ports, const Limits& limits) {
  // A reset or a start that hangs must have ended before its files are moved.
  RB_TRY(do_stop(state, ports));
  if (state.recorded) {
    RB_TRY(database_of(state.plan.datastore).put_back(state, ports));
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

std::optional<std::vector<std::string>> names_of_data(const Plan& plan) {
  std::vector<std::string> names = names_in(plan.data_dir, "");
  const std::string own = plan.work_dir().substr(plan.data_dir.size() + 1);
  std::erase(names, own);
  for (const std::string& name : names_in(plan.data_dir + "/" + k_agent, "")) {
    names.push_back(std::string(k_agent) + "/" + name);
  }
  if (!add_all_below(plan.data_dir, names)) {
    return std::nullopt;
  }
  std::sort(names.begin(), names.end());
  return names;
}

void note_made(JournalState& state, const std::string& path) {
  std::vector<std::string> missing;
  for (fs::path above = fs::path(path).parent_path(); above.has_relative_path();
       above = above.parent_path()) {
    if (exists(above.string())) {
      break;
    }
    missing.push_back(above.string());
  }
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    if (std::find(state.made.begin(), state.made.end(), *it) == state.made.end()) {
      state.made.push_back(*it);
    }
  }
}

Status forget(const JournalState& state, const Journal& journal) {
  RB_TRY(remove_path(state.plan.snapshot_path()));
  if (!state.earlier.empty()) {
    RB_TRY(journal.save(state.earlier.front()));
    return remove_path(state.saved_path());
  }
  // First: a journal without what was copied aside would ask for a way back that nobody can go.
  RB_TRY(journal.remove());
  RB_TRY(remove_path(state.plan.work_dir()));
  for (auto it = state.made.rbegin(); it != state.made.rend(); ++it) {
    ::rmdir(it->c_str()); // not empty: somebody else uses it
  }
  return {};
}

Outcome
roll_back(JournalState state, const Journal& journal, Ports& told_to_stop, const Limits& limits) {
  Ports ports = told_to_stop;
  ports.stop = {};
  ports.progress.on_line("going back to the data from before");
  if (const Status alone = expect_no_rejoined(state); !alone) {
    return {exit_code_for(alone.error().code), alone.error().message, alone.error().hint, false};
  }
  if (auto nothing = nothing_to_go_back_to(state)) {
    return *std::move(nothing);
  }
  const std::size_t before = members_of_before(state).size();
  const std::string again =
      std::string("`railiance-restore ") + state.plan.command() + " --rollback` tries again";
  if (const Status left = leave_cluster(state, ports, limits); !left) {
    return {exit_code_for(left.error().code), left.error().message, left.error().hint, false};
  }
  state.phase = Phase::rolling_back;
  database_of(state.plan.datastore).note_moved(state);
  if (const Status saved = journal.save(state); !saved) {
    ports.progress.on_line("warning: " + saved.error().message); // a full disk is no reason to stay
  }
  if (before > 1) {
    ports.progress.on_line("the database of before is that of " + std::to_string(before) +
                           " servers: start k3s on the others, too, for it needs their votes");
  }
  if (const Status back = go_back(state, ports, limits); !back) {
    return {exit_code_for(back.error().code), back.error().message, again, false};
  }
  if (const Status ended = end_of_the_way(state, journal, ports); !ended) {
    ports.progress.on_line("warning: " + ended.error().message);
  }
  ports.progress.on_line(said_at_the_end(state));
  return {ExitCode::done, {}, {}, true};
}

} // namespace rb::cluster
