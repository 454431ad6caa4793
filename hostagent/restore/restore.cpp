// `restore` of a cluster: --execute, --dry-run, --resume and --rollback.
#include "restore/restore.hpp"

#include "restore/cluster/checks.hpp"
#include "restore/cluster/rejoin.hpp"
#include "restore/cluster/servers.hpp"
#include "restore/cluster/set_access.hpp"
#include "restore/cluster/workloads.hpp"
#include "restore/commands.hpp"
#include "restore/host_work.hpp"
#include "set/directory.hpp"
#include "set/names.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <optional>

namespace rb::restore {

namespace {

/// A run that begins sweeps what looks unfinished, also what is being written at that moment.
Status write_twice(set::Directory& directory, const std::string& run_id, SystemTime time) {
  const Status written = set::write_last_restore(directory, run_id, time);
  return written ? written : set::write_last_restore(directory, run_id, time);
}

class Restore final : public HostWork {
public:
  Restore(const RestoreCommand& command, const Options& options, Io& io)
      : HostWork(command, options, io), m_restore(command) {}

private:
  [[nodiscard]] const char* name() const override { return "restore"; }
  [[nodiscard]] bool allow_unsigned() const override { return m_restore.wishes.allow_unsigned; }

  /// What is not put back says nothing of this host.
  [[nodiscard]] const cluster::OpenedSet*
  layout_of(const cluster::OpenedSet& opened) const override {
    return m_restore.wishes.keep_config ? nullptr : &opened;
  }

  int begin(cluster::OpenedSet opened) override {
    const cluster::Wishes& wishes = m_restore.wishes;
    cluster::apply_replacements(opened, wishes.replacements);
    m_host.look(m_command.hints, layout_of(opened));
    const cluster::Decision decision = cluster::decide(m_host.observed, opened.facts, wishes);
    m_others = opened.facts.servers;
    cluster::add_members(m_host.observed.data.members, m_others);
    const bool from_set = cluster::puts_back_configuration(m_host.observed, opened.facts, wishes);
    m_settings = cluster::effective_settings(m_host.observed, opened.facts, from_set);
    return agree_and_carry_out(decision, "Restore now? The cluster's present state is replaced.");
  }

  /// The agent goes on as soon as the server answers. What fails is tried again at the end.
  void before(cluster::Step step) override {
    if (step == cluster::Step::start) {
      static_cast<void>(note().write(m_io.clock.now()));
    }
  }

  int finish(const cluster::Outcome& outcome,
             const cluster::Plan& plan,
             nlohmann::ordered_json json,
             bool back) override {
    std::vector<std::string> watching;
    std::vector<std::string> others;
    if (!back && outcome.message.empty()) {
      say_unnoted(note().write(m_io.clock.now())); // retention keeps this set from now on
      watching = wake_workloads(plan);
      others = lines_for_others(plan);
      json["workloads"] = watching;
      json["otherServers"] = others;
    }
    if (outcome.rolled_back) {
      say_unnoted(note().take_back());
    }
    const int code = report(outcome, plan, m_options, std::move(json), m_io);
    for (const std::string& line : watching) {
      m_io.err << terminal_text(line) << '\n';
    }
    for (const std::string& line : others) {
      m_io.err << terminal_text(line) << '\n';
    }
    return code;
  }

  RestoreNote& note() {
    if (!m_note) {
      m_note.emplace(m_options.backup_dir, m_set->run_id);
    }
    return *m_note;
  }

  /// A medium that cannot be written to is no failure.
  void say_unnoted(const Status& written) const {
    if (!written) {
      warn(m_io, "the restore is not noted beside the sets: " + written.error().message);
    }
  }

  /// Other programs than ours go on with watches of the future. Whatever fails here: the cluster is
  /// restored.
  std::vector<std::string> wake_workloads(const cluster::Plan& plan) {
    constexpr std::chrono::seconds k_limit{120};
    const k3s::Kubectl kubectl{plan.k3s_program, plan.kubeconfig, plan.data_dir};
    const auto found = cluster::find_workloads_that_watch(m_host.processes, kubectl, m_io.stop);
    if (!found) {
      warn(m_io, found.error().message + "; what watches the API may need a restart");
      return {};
    }
    std::vector<cluster::Workload> left;
    if (m_restore.restart_workloads) {
      left = cluster::restart_workloads(
          m_host.processes, m_io.clock, kubectl, *found, k_limit, m_io.stop);
    }
    return cluster::words_for(*found, m_restore.restart_workloads, left);
  }

  /// What is left to do on the other servers of the cluster. One that was resumed knows those of
  /// the manifest.
  [[nodiscard]] std::vector<std::string> lines_for_others(const cluster::Plan& plan) const {
    cluster::RejoinLines with;
    with.backup_dir = m_options.backup_dir;
    with.identity_file = m_keys.file;
    with.data_dir = plan.data_dir;
    cluster::ObservedHost after = m_host.observed;
    after.settings = m_settings.value_or(after.settings);
    with.node_name = cluster::node_name_of(after.settings);
    return cluster::rejoin_lines(
        m_others.empty() ? m_set->manifest->servers : m_others, after, with);
  }

  const RestoreCommand& m_restore;
  std::optional<RestoreNote> m_note;
  std::vector<api::ServerEntry> m_others;            ///< Of the set and of the disk, with this one.
  std::optional<cluster::ServerSettings> m_settings; ///< Of k3s afterwards; absent: resumed.
};

} // namespace

Status RestoreNote::write(SystemTime now) {
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(m_backup_dir));
  if (!m_written) { // one that cannot be read protects nothing
    m_before = set::read_last_restore(directory).value_or(std::nullopt);
  }
  Status written = write_twice(directory, m_run_id, now);
  m_written = m_written || written;
  return written;
}

Status RestoreNote::take_back() {
  if (!m_written) {
    return {};
  }
  m_written = false;
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(m_backup_dir));
  return m_before ? write_twice(directory, m_before->run_id, m_before->time)
                  : directory.fs().remove(std::string(set::k_last_restore_name));
}

int carry_out(const RestoreCommand& command, const Options& options, Io& io) {
  if (!command.artifact.empty()) {
    return unpack_artifact(command, options, io);
  }
  if (command.rollback) {
    return Restore(command, options, io).roll_back();
  }
  const bool act = command.execute || command.dry_run || command.resume;
  return act ? Restore(command, options, io).run() : guide(command, options, io);
}

} // namespace rb::restore
