// `restore --execute`, --dry-run, --resume and --rollback.
#include "restore/cluster/execute.hpp"
#include "restore/cluster/journal_place.hpp"
#include "restore/cluster/restore_lock.hpp"
#include "restore/cluster/workloads.hpp"
#include "restore/cluster_host.hpp"
#include "restore/commands.hpp"
#include "restore/io.hpp"
#include "restore/keys.hpp"
#include "restore/restore_cluster.hpp"
#include "restore/restore_report.hpp"
#include "restore/set_json.hpp"
#include "restore/trust.hpp"
#include "set/directory.hpp"
#include "set/last_restore.hpp"
#include "terminal/format.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>

namespace rb::restore {

using cluster::JournalState;
using cluster::Phase;
using set::BackupSet;

namespace {

cluster::Limits limits_of(const RestoreCommand& command) {
  return {std::chrono::seconds(command.reset_timeout_seconds),
          std::chrono::seconds(command.ready_timeout_seconds)};
}

/// A set with its directory, found again by its run id.
struct Chosen {
  set::Directory directory;
  BackupSet set;
  Catalogue catalogue;
};

Result<Chosen>
choose(const std::string& name, const Keys& keys, const Options& options, const Io& io) {
  RB_TRY_ASSIGN(set::Directory directory, open_backups(options.backup_dir));
  RB_TRY_ASSIGN(const std::vector<BackupSet> sets, set::list_sets(directory));
  const set::Latest found = find_set(sets, name);
  if (found.set == nullptr) {
    return nothing_to_restore(options.backup_dir, name);
  }
  say_passed_over(found, io);
  RB_TRY_ASSIGN(Catalogue catalogue, judge(directory, sets, {options.public_keys, keys.pins}, io));
  tell_of_files(catalogue, io.err);
  return Chosen{std::move(directory), *found.set, std::move(catalogue)};
}

bool confirmed(const RestoreCommand& command, const Io& io) {
  if (command.yes || !io.in_is_terminal) {
    return true;
  }
  io.err << "Restore now? The cluster's present state is replaced. Type yes: " << std::flush;
  std::string answer;
  std::getline(io.in, answer);
  return answer == "yes";
}

/// Retention keeps this set from now on. A medium that cannot be written to is no failure.
void remember(const std::string& run_id, const Options& options, const Io& io) {
  const auto write = [&]() -> Status {
    RB_TRY_ASSIGN(const auto lock, set::DirectoryLock::acquire(options.backup_dir));
    RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(options.backup_dir));
    return set::write_last_restore(directory, run_id, io.clock.now());
  };
  if (const Status written = write(); !written) {
    warn(io, "the restore is not noted beside the sets: " + written.error().message);
  }
}

/// Other programs than ours go on with watches of the future. Whatever fails here: the cluster is
/// restored.
std::vector<std::string>
wake_workloads(const cluster::Plan& plan, ClusterHost& host, bool restart, const Io& io) {
  constexpr std::chrono::seconds k_limit{120};
  const k3s::Kubectl kubectl{plan.k3s_program, plan.kubeconfig};
  const auto found = cluster::find_workloads_that_watch(host.processes, kubectl, io.stop);
  if (!found) {
    warn(io, found.error().message + "; what watches the API may need a restart");
    return {};
  }
  std::vector<cluster::Workload> left;
  if (restart) {
    left = cluster::restart_workloads(host.processes, io.clock, kubectl, *found, k_limit, io.stop);
  }
  return cluster::words_for(*found, restart, left);
}

/// Carries on from `state`.
int carry_out(JournalState state,
              Chosen& chosen,
              std::span<const age::Identity> identities,
              ClusterHost& host,
              const RestoreCommand& command,
              const Options& options,
              nlohmann::ordered_json json,
              Io& io) {
  const cluster::Plan plan = state.plan;
  const auto source = cluster::make_set_source(
      chosen.directory, *chosen.set.manifest, identities, chosen.catalogue.keys, plan.replacements);
  LineProgress progress(io);
  // What is started has a process group of its own: an interrupt of the terminal reaches only us.
  const StopSignals interrupts({SIGINT, SIGTERM, SIGHUP}, io.stop);
  cluster::Ports ports{host.processes,
                       *host.manager,
                       host.servers,
                       *source,
                       host.cluster,
                       io.clock,
                       host.waiter,
                       progress,
                       {},
                       interrupts.token()};
  const cluster::Journal journal(plan.work_dir());
  const bool back = state.phase == Phase::rolling_back;
  const cluster::Outcome outcome =
      back ? cluster::roll_back(std::move(state), journal, ports, limits_of(command))
           : cluster::execute(std::move(state), journal, ports, limits_of(command));
  std::vector<std::string> blind;
  if (!back && outcome.message.empty()) {
    remember(plan.run_id, options, io);
    blind = wake_workloads(plan, host, command.restart_workloads, io);
    json["workloads"] = blind;
  }
  const int code = report(outcome, plan, options, std::move(json), io);
  for (const std::string& line : blind) {
    io.err << terminal_text(line) << '\n';
  }
  return code;
}

/// The way back to a journal in a data directory that only the set names.
void remember_journal(const cluster::Plan& plan, const Io& io) {
  if (plan.data_dir == cluster::k_usual_data_dir) {
    return;
  }
  if (const Status noted = cluster::remember_place(plan.data_dir); !noted) {
    warn(io,
         noted.error().message + "; a restore that is cut off is continued with --data-dir " +
             plan.data_dir);
  }
}

/// Where nothing is left of a restore, the note of its place goes, too.
void settle_place(const cluster::Plan& plan, const std::string& before, const Io& io) {
  const auto left = cluster::Journal(plan.work_dir()).load();
  if (plan.data_dir == cluster::k_usual_data_dir || !left || *left) {
    return;
  }
  if (const Status forgotten = cluster::forget_place(before); !forgotten) {
    warn(io, forgotten.error().message);
  }
}

/// What a restore that was cut off left, if one was.
Result<std::optional<JournalState>> unfinished(const std::string& data_dir) {
  cluster::Plan place;
  place.data_dir = data_dir;
  RB_TRY_ASSIGN(std::optional<JournalState> state, cluster::Journal(place.work_dir()).load());
  const bool open =
      state && (state->phase == Phase::restoring || state->phase == Phase::rolling_back);
  return open ? std::move(state) : std::nullopt;
}

/// Here, or where the last restore was begun; `command` then names that data directory.
Result<std::optional<JournalState>> find_unfinished(const ClusterHost& host,
                                                    RestoreCommand& command) {
  RB_TRY_ASSIGN(std::optional<JournalState> state, unfinished(host.observed.data_dir));
  const std::string elsewhere = cluster::remembered_place();
  if (state || !command.data_dir.empty() || elsewhere.empty()) {
    return state;
  }
  RB_TRY_ASSIGN(state, unfinished(elsewhere));
  command.data_dir = state ? elsewhere : std::string();
  return state;
}

int resume(JournalState state,
           const Keys& keys,
           ClusterHost& host,
           const RestoreCommand& command,
           const Options& options,
           Io& io) {
  if (command.set_given && command.set != "latest" && command.set != state.plan.run_id) {
    return fail(io,
                {ErrorCode::busy,
                 "a restore of " + state.plan.run_id + " was begun and not ended",
                 "end it with --resume, or undo it with --rollback"});
  }
  auto chosen = choose(state.plan.run_id, keys, options, io);
  if (!chosen) {
    return fail(io, chosen.error(), ExitCode::nothing_to_restore);
  }
  if (const auto code = refused_by_signature(chosen->catalogue, chosen->set.run_id, command, io)) {
    return *code;
  }
  // On a bare host the unit may not be back yet: the set knows its name.
  const cluster::OpenedSet opened =
      cluster::open_host_settings(chosen->directory, chosen->set, keys.identities, io.stop);
  if (const Status looked = look_at_host(host, command, &opened); !looked) {
    return fail(io, looked.error(), ExitCode::usage);
  }
  if (!chosen->set.manifest || !host.manager) {
    return fail(io,
                {ErrorCode::not_found,
                 host.manager ? "the set's manifest cannot be read" : "no service manager is found",
                 "undo it with --rollback, or give --stop-command and its like"});
  }
  io.err << "continuing the restore of " << state.plan.run_id << " that began " << state.started
         << '\n';
  return carry_out(std::move(state), *chosen, keys.identities, host, command, options, {}, io);
}

int begin(Chosen& chosen,
          const Keys& keys,
          const RestoreCommand& command,
          const Options& options,
          Io& io) {
  io.err << "checking set " << chosen.set.run_id << '\n';
  auto opened = cluster::open_set(chosen.directory, chosen.set, keys.identities, io.stop);
  if (!opened) {
    const int code = fail(io, opened.error());
    if (code == static_cast<int>(ExitCode::no_identity)) {
      say_what_was_tried(keys, io);
    }
    return code;
  }
  const auto replacements = replacements_of(command);
  if (!replacements) {
    return fail(io, replacements.error(), ExitCode::usage);
  }
  cluster::apply_replacements(*opened, *replacements);
  opened->facts.signature = fact_of(chosen.catalogue, chosen.set.run_id);
  ClusterHost host;
  if (const Status looked = look_at_host(host, command, &*opened); !looked) {
    return fail(io, looked.error(), ExitCode::usage);
  }
  const cluster::Wishes wishes{command.single_server,
                               command.replace_cluster,
                               command.without_host_state,
                               command.allow_unsigned,
                               command.keep_config,
                               *replacements};
  const cluster::Decision decision = cluster::decide(host.observed, opened->facts, wishes);
  nlohmann::ordered_json json = to_json(decision);
  const bool stop_here = decision.refused() || command.dry_run;
  if (options.output == OutputFormat::text) {
    (stop_here ? io.out : io.err) << to_text(decision) << std::flush;
  } else if (stop_here) {
    json["exitCode"] = static_cast<int>(decision.code());
    io.out << dump(json);
  }
  if (decision.refused()) {
    io.err << "railiance-restore: refused; nothing was changed\n";
  }
  if (stop_here) {
    return static_cast<int>(decision.code());
  }
  if (!confirmed(command, io)) {
    return fail(io, {ErrorCode::cancelled, "not confirmed; nothing was changed", {}});
  }
  JournalState state;
  state.backup_dir = options.backup_dir;
  state.started = format_rfc3339(io.clock.now());
  state.plan = decision.plan;
  const cluster::Plan plan = state.plan;
  const std::string place_before = cluster::remembered_place();
  remember_journal(plan, io);
  const int code = carry_out(
      std::move(state), chosen, keys.identities, host, command, options, std::move(json), io);
  settle_place(plan, place_before, io);
  return code;
}

} // namespace

int execute(const RestoreCommand& command, const Options& options, Io& io) {
  const auto keys = read_keys(command.identity_files, io);
  if (!keys) {
    return fail(io, keys.error(), ExitCode::no_identity);
  }
  // Held from the first look at the host to the end. A dry run changes nothing, and who may not
  // take it may not restore either: the checks say so.
  const auto lock = cluster::RestoreLock::acquire();
  if (!lock && lock.error().code == ErrorCode::busy && !command.dry_run) {
    return fail(io, lock.error());
  }
  ClusterHost host;
  if (const Status looked = look_at_host(host, command, nullptr); !looked) {
    return fail(io, looked.error(), ExitCode::usage);
  }
  RestoreCommand resumed = command;
  auto left = find_unfinished(host, resumed);
  if (!left) {
    return fail(io, left.error());
  }
  if (*left && !command.dry_run) {
    return resume(std::move(**left), *keys, host, resumed, options, io);
  }
  if (command.resume) {
    return fail(io,
                {ErrorCode::not_found,
                 host.observed.data_dir + ": no restore was cut off here",
                 "begin one with --execute; --data-dir names another data directory"},
                ExitCode::nothing_to_restore);
  }
  auto chosen = choose(command.set, *keys, options, io);
  if (!chosen) {
    const bool missing = chosen.error().code == ErrorCode::not_found;
    return missing ? fail(io, chosen.error(), ExitCode::nothing_to_restore)
                   : fail(io, chosen.error());
  }
  return begin(*chosen, *keys, command, options, io);
}

} // namespace rb::restore
