#include "restore/host_work.hpp"

#include "datastore/datastore.hpp"
#include "k3s/patience.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/server_access.hpp"
#include "restore/cluster/set_access.hpp"
#include "restore/progress.hpp"
#include "restore/restore.hpp"
#include "restore/set_output.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

namespace rb::restore {

using cluster::JournalState;
using cluster::Phase;

namespace {

/// One plain line a step on standard error, in place of what is drawn there.
class LineProgress final : public cluster::Progress {
public:
  LineProgress(const Io& io,
               restore::Progress& drawn,
               std::function<void(cluster::Step)> before = {})
      : m_io(io), m_drawn(drawn), m_before(std::move(before)) {}
  void on_step(cluster::Step step) override {
    m_drawn.clear();
    m_io.err << "step: " << word_of(step) << std::endl;
    if (m_before) {
      m_before(step);
    }
  }
  void on_line(const std::string& line) override {
    m_drawn.clear();
    m_io.err << "  " << terminal_text(line) << std::endl;
  }

private:
  const Io& m_io;
  restore::Progress& m_drawn;
  std::function<void(cluster::Step)> m_before;
};

/// All of the way back lies on the host.
class NoSet final : public cluster::SetSource {
public:
  [[nodiscard]] Status decrypt_snapshot(const std::string& /*path*/) override { return none(); }
  [[nodiscard]] Result<set::HostState> host_state() override { return none(); }

private:
  static Error none() { return {ErrorCode::internal, "the way back needs no set", {}}; }
};

bool can_be_resumed(const JournalState& state) {
  return state.phase == Phase::restoring || state.phase == Phase::rolling_back;
}

bool can_be_undone(const JournalState& state) {
  return state.phase != Phase::rolled_back;
}

/// Restored, whatever came of the comparison.
bool is_back(const JournalState& state) {
  return state.phase == Phase::done || (state.phase == Phase::restoring && !state.plan.joining &&
                                        state.is_complete(cluster::Step::ready));
}

} // namespace

std::string directory_to_go_on(const Options& options, const JournalState& state) {
  return options.backup_dir_given || state.backup_dir.empty() ? options.backup_dir
                                                              : state.backup_dir;
}

const set::BackupSet* made_since(const std::vector<set::BackupSet>& sets,
                                 const JournalState& state) {
  const auto began = parse_rfc3339(state.started);
  const set::BackupSet* newest = nullptr;
  for (const set::BackupSet& set : sets) {
    const bool since = began && set.time > *began && set.run_id > state.plan.run_id;
    if (since && set::can_restore_cluster(set) && (newest == nullptr || set.time > newest->time)) {
      newest = &set;
    }
  }
  return state.plan.joining ? nullptr : newest;
}

int HostWork::run() {
  auto keys = read_keys(m_command.identity_files, m_io);
  if (!keys) {
    return fail(m_io, keys.error(), ExitCode::no_identity);
  }
  m_keys = std::move(*keys);
  // From the first look at the host to the end.
  const auto lock = cluster::RestoreLock::acquire();
  if (const auto code = refused_by(lock)) {
    return *code;
  }
  auto left = find_journal(can_be_resumed);
  if (!left) {
    return fail(m_io, left.error());
  }
  if (left->state && !m_command.dry_run) {
    return resume(std::move(*left));
  }
  if (m_command.resume) {
    return fail(m_io,
                {ErrorCode::not_found,
                 left->data_dir + ": no " + name() + " was cut off here",
                 std::string("begin one with `railiance-restore ") + name() +
                     (name() == std::string_view("restore") ? " --execute" : "") +
                     "`; --data-dir names another data directory"},
                ExitCode::nothing_to_restore);
  }
  return open_and_begin();
}

int HostWork::open_and_begin() {
  if (const Status chosen = choose(m_command.set); !chosen) {
    return fail_to_open(m_io, chosen.error());
  }
  m_io.err << "checking set " << m_set->run_id << '\n';
  Progress drawn(m_io);
  auto opened =
      cluster::open_set(m_backups->directory, *m_set, m_keys.identities, hooks_for(drawn, m_io));
  drawn.clear();
  if (!opened) {
    return fail(m_io, opened.error());
  }
  opened->facts.signature = fact_of(m_backups->catalogue, m_set->run_id);
  return begin(std::move(*opened));
}

int HostWork::roll_back() {
  const auto lock = cluster::RestoreLock::acquire();
  if (const auto code = refused_by(lock)) {
    return *code;
  }
  auto found = find_journal(can_be_undone);
  if (!found) {
    return fail(m_io, found.error());
  }
  if (!found->state) {
    return fail(
        m_io,
        {ErrorCode::not_found,
         cluster::work_dir_in(found->data_dir) + ": there is no " + name() + " to go back from",
         "--data-dir names another data directory"},
        ExitCode::nothing_to_restore);
  }
  m_host.look(m_command.hints, nullptr);
  if (m_host.observed.user_id != 0 || !m_host.manager) {
    const bool known = m_host.manager != nullptr;
    cluster::NoManager none = cluster::no_manager(m_host.observed, "stop k3s");
    return fail(m_io,
                {ErrorCode::permission_denied,
                 known ? "only root can go back" : std::move(none.why),
                 known ? "use sudo" : std::move(none.hint)},
                ExitCode::failed);
  }
  // What was cut off or failed is nothing to keep; a cluster that runs since, is.
  if (is_back(*found->state) &&
      !confirmed("Go back now? The cluster's present state is replaced by that of before.")) {
    return fail(m_io, {ErrorCode::cancelled, "not confirmed; nothing was changed", {}});
  }
  return undo(std::move(*found));
}

/// Who may not take the lock may not restore either: the checks say so. A lock that cannot be made,
/// or a file that cannot be removed, keeps no cluster lost. Beside another one a dry run would say
/// nothing that lasts, and one of a rejoin would take away the file by which that one asks.
std::optional<int> HostWork::refused_by(const Result<cluster::RestoreLock>& lock) const {
  if (!lock && lock.error().code == ErrorCode::busy) {
    return fail(m_io, lock.error());
  }
  if (!lock && lock.error().code != ErrorCode::permission_denied && !m_command.dry_run) {
    warn(m_io, lock.error().message + "; going on without a lock: run nothing else beside this");
  }
  if (lock) {
    forget_access();
  }
  return std::nullopt;
}

void HostWork::forget_access() const {
  if (const Status gone = cluster::remove_written(cluster::k_access_file); !gone) {
    warn(m_io, gone.error().message + "; it opens the cluster: remove it by hand");
  }
}

Result<cluster::FoundJournal> HostWork::find_journal(bool (*fits)(const JournalState&)) const {
  return cluster::find_journal(
      m_host.data_dir(m_command.hints, nullptr), !m_command.hints.data_dir.empty(), fits);
}

Status HostWork::choose(const std::string& name) {
  RB_TRY_ASSIGN(m_backups, open_backups(m_options, m_keys.pins, m_io));
  RB_TRY_ASSIGN(const set::Latest found, choose_set(*m_backups, name));
  m_set = found.set;
  say_passed_over(found, m_io);
  tell_of_files(m_backups->catalogue, m_io.err);
  return {};
}

int HostWork::resume(cluster::FoundJournal left) {
  if (const auto code = refused_as_outlived(*left.state)) {
    return *code;
  }
  const cluster::Plan& plan = left.state->plan;
  const std::string& run_id = plan.run_id;
  const bool other_set =
      m_command.set_given && m_command.set != "latest" && m_command.set != run_id;
  if (other_set || plan.command() != std::string_view(name())) {
    return fail(m_io,
                {ErrorCode::busy,
                 std::string("a ") + plan.command() + " of " + run_id + " was begun and not ended",
                 std::string("end it with `railiance-restore ") + plan.command() +
                     " --resume`, or undo it with --rollback"});
  }
  if (std::string began = directory_to_go_on(m_options, *left.state);
      began != m_options.backup_dir) {
    m_io.err << "it began with the sets in " << terminal_text(began) << '\n';
    m_options.backup_dir = std::move(began);
  }
  if (const Status chosen = choose(run_id); !chosen) {
    return fail_to_open(m_io, chosen.error());
  }
  if (const auto code =
          refused_by_signature(m_backups->catalogue, run_id, allow_unsigned(), m_io)) {
    return *code;
  }
  // On a bare host the unit may not be back yet: the set knows its name.
  const cluster::OpenedSet opened =
      cluster::open_host_settings(m_backups->directory, *m_set, m_keys.identities, m_io.stop);
  cluster::HostHints hints = m_command.hints;
  hints.data_dir = left.data_dir;
  m_host.look(hints, layout_of(opened));
  if (!m_set->manifest) {
    return fail(
        m_io,
        {ErrorCode::not_found, "the set's manifest cannot be read", "undo it with --rollback"});
  }
  if (!m_host.manager) {
    cluster::NoManager none = cluster::no_manager(m_host.observed, "start k3s");
    return fail(m_io, {ErrorCode::not_found, std::move(none.why), std::move(none.hint)});
  }
  m_io.err << "continuing the " << name() << " of " << run_id << " that began "
           << left.state->started << '\n';
  return carry_out(std::move(*left.state), {});
}

/// The command for a new restore must neither put a state of long ago over the present one nor,
/// where only the comparison was left, call the cluster restored and do nothing.
std::optional<int> HostWork::refused_as_outlived(const JournalState& state) const {
  if (m_command.resume) {
    return std::nullopt;
  }
  std::string since;
  const std::set<std::string> places{m_options.backup_dir, directory_to_go_on(m_options, state)};
  for (const std::string& where : places) {
    Options there = m_options;
    there.backup_dir = where;
    const auto backups = open_backups(there, m_keys.pins, m_io);
    const auto* const newest = backups ? made_since(backups->sets, state) : nullptr;
    since = newest == nullptr ? since : std::max(since, newest->run_id);
  }
  if (since.empty()) {
    return std::nullopt;
  }
  const std::string journal = state.plan.work_dir() + "/journal.json";
  return fail(m_io,
              {ErrorCode::busy,
               "a restore of " + state.plan.run_id + " that began " + state.started +
                   " was not ended, and the cluster has run since: set " + since +
                   " was made; nothing was changed",
               "to restore anew: mv " + journal + " " + journal +
                   ".old, and repeat; to go on with that one: --resume"});
}

std::optional<int> HostWork::stop_after(const cluster::Decision& decision,
                                        nlohmann::ordered_json& json) {
  json = to_json(decision);
  const bool stop_here = decision.refused() || m_command.dry_run;
  if (m_options.output == OutputFormat::text) {
    (stop_here ? m_io.out : m_io.err) << to_text(decision) << std::flush;
  } else if (stop_here) {
    json["exitCode"] = static_cast<int>(decision.code());
    m_io.out << dump(json);
  }
  if (decision.refused()) {
    m_io.err << "railiance-restore: refused; nothing was changed\n";
  }
  return stop_here ? std::optional(static_cast<int>(decision.code())) : std::nullopt;
}

bool HostWork::confirmed(const char* question) const {
  if (m_command.yes || !m_io.in_is_terminal) {
    return true;
  }
  m_io.err << question << " Type yes: " << std::flush;
  std::string answer;
  std::getline(m_io.in, answer);
  return answer == "yes";
}

int HostWork::agree_and_carry_out(const cluster::Decision& decision, const char* question) {
  nlohmann::ordered_json json;
  if (const auto code = stop_after(decision, json)) {
    return *code;
  }
  if (!confirmed(question)) {
    return fail(m_io, {ErrorCode::cancelled, "not confirmed; nothing was changed", {}});
  }
  const cluster::Plan& plan = decision.plan;
  JournalState state;
  state.backup_dir = m_options.backup_dir;
  state.started = format_rfc3339(m_io.clock.now());
  state.plan = plan;
  const std::string place_before = cluster::remembered_place();
  remember_place(plan);
  const int code = carry_out(std::move(state), std::move(json));
  settle_place(plan, place_before);
  return code;
}

/// The way back to a journal in a data directory that only the set names.
void HostWork::remember_place(const cluster::Plan& plan) const {
  if (plan.data_dir == cluster::k_usual_data_dir) {
    return;
  }
  if (const Status noted = cluster::remember_place(plan.data_dir); !noted) {
    warn(m_io,
         noted.error().message + "; a " + name() +
             " that is cut off is continued with --data-dir " + plan.data_dir);
  }
}

/// Where nothing is left of it, the note of its place goes, too.
void HostWork::settle_place(const cluster::Plan& plan, const std::string& before) const {
  const auto left = cluster::Journal(plan.work_dir()).load();
  if (plan.data_dir == cluster::k_usual_data_dir || !left || *left) {
    return;
  }
  if (const Status forgotten = cluster::forget_place(before); !forgotten) {
    warn(m_io, forgotten.error().message);
  }
}

cluster::Limits limits_for(const HostCommand& command, std::uint64_t datastore_bytes) {
  const cluster::Limits usual;
  const auto of = [&](const std::optional<unsigned>& given, std::chrono::seconds small) {
    return given ? std::chrono::seconds(*given) : k3s::patience_for(datastore_bytes, small);
  };
  return {of(command.reset_timeout_seconds, usual.reset),
          of(command.ready_timeout_seconds, usual.ready)};
}

cluster::Ports
HostWork::ports(cluster::SetSource& source, cluster::Progress& progress, std::stop_token stop) {
  return {m_host.processes,
          *m_host.manager,
          m_host.servers,
          source,
          m_host.cluster,
          m_io.clock,
          m_host.waiter,
          progress,
          {},
          std::move(stop)};
}

/// Carries on from `state`.
int HostWork::carry_out(JournalState state, nlohmann::ordered_json json) {
  const cluster::Plan plan = state.plan;
  // What is started has a process group of its own: an interrupt of the terminal reaches only us.
  const StopSignals interrupts({SIGINT, SIGTERM, SIGHUP}, m_io.stop);
  Progress drawn(m_io);
  set::CheckHooks hooks = hooks_for(drawn, m_io);
  hooks.stop = interrupts.token();
  cluster::DirectorySetSource source(m_backups->directory,
                                     *m_set->manifest,
                                     m_keys.identities,
                                     m_backups->catalogue.all_keys(),
                                     plan.replacements,
                                     std::move(hooks));
  LineProgress progress(m_io, drawn, [this](cluster::Step step) { before(step); });
  cluster::Ports all = ports(source, progress, interrupts.token());
  const cluster::Journal journal(plan.work_dir());
  const bool back = state.phase == Phase::rolling_back;
  const auto& snapshot = m_set->manifest->snapshot;
  const cluster::Limits limits = limits_for(m_command, snapshot ? snapshot->size_bytes : 0);
  const cluster::Outcome outcome = back ? cluster::roll_back(std::move(state), journal, all, limits)
                                        : cluster::execute(std::move(state), journal, all, limits);
  return finish(outcome, plan, std::move(json), back);
}

int HostWork::undo(cluster::FoundJournal found) {
  NoSet none;
  Progress drawn(m_io);
  LineProgress progress(m_io, drawn);
  cluster::Ports all = ports(none, progress, {});
  const cluster::Journal journal(cluster::work_dir_in(found.data_dir));
  const StopSignals interrupts({SIGINT, SIGTERM, SIGHUP},
                               m_io.stop); // the way back is not stopped; a second signal ends us
  // The old database is about as large as the one that is in its place.
  const std::uint64_t bytes = datastore::of(found.state->plan.datastore).bytes_in(found.data_dir);
  const cluster::Outcome outcome =
      cluster::roll_back(std::move(*found.state), journal, all, limits_for(m_command, bytes));
  const auto left = journal.load();
  if (left && !*left && found.data_dir == cluster::remembered_place()) {
    if (const Status forgotten = cluster::forget_place(); !forgotten) {
      progress.on_line("warning: " + forgotten.error().message);
    }
  }
  if (outcome.code != ExitCode::done) {
    return fail(m_io, {ErrorCode::io, outcome.message, outcome.hint}, outcome.code);
  }
  if (m_options.output == OutputFormat::json) {
    m_io.out << "{\"rolledBack\": true}\n";
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::restore
