// The drill: opens a whole set with the private key and compares it with its manifest, without
// leaving a byte of plaintext on the disk.
#include "k3s/patience.hpp"
#include "restore/backups.hpp"
#include "restore/commands.hpp"
#include "restore/progress.hpp"
#include "restore/proof/prove_set.hpp"
#include "restore/set_output.hpp"
#include "set/marks.hpp"
#include "set/set_check.hpp"
#include "terminal/format.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace rb::restore {

using set::BackupSet;
using set::DrillRecord;

namespace {

bool snapshot_is_proven(const set::SetReport& report) {
  return std::any_of(report.files.begin(), report.files.end(), [](const set::FileReport& file) {
    return file.type == api::ArtifactType::datastore && file.code == ExitCode::done;
  });
}

/// What came of checking `set`: `report` is that of set::check_set.
DrillRecord judge(const BackupSet& set,
                  const set::SetReport& report,
                  SystemTime now,
                  std::chrono::milliseconds duration) {
  DrillRecord record;
  record.run_id = set.run_id;
  record.time = now;
  record.duration = duration;
  record.code = report.code;
  record.size_bytes = set.size_bytes;
  if (record.code != ExitCode::done) {
    record.message = first_problem(report);
  }
  // The check found them equal to the manifest.
  if (set.manifest && set.manifest->snapshot && snapshot_is_proven(report)) {
    record.etcd_revision = set.manifest->snapshot->revision;
    record.etcd_total_keys = set.manifest->snapshot->total_keys;
  }
  for (const set::FileReport& file : report.files) {
    record.files.push_back({file.type, file.name, file.code, file.message});
  }
  return record;
}

/// A drill that came to no set.
DrillRecord
not_begun(const std::string& run_id, ExitCode code, const Error& error, SystemTime now) {
  DrillRecord record;
  record.run_id = run_id;
  record.time = now;
  record.code = code;
  record.message = error.message;
  return record;
}

class Drill {
public:
  Drill(const DrillCommand& command, const Options& options, Io& io)
      : m_command(command), m_options(options), m_io(io), m_begin(io.clock.steady_now()) {}

  int run() {
    auto directory = open_directory(m_options.backup_dir);
    if (!directory) {
      return fail_to_open(m_io, directory.error());
    }
    auto keys = read_keys(m_command.identity_files, m_io);
    if (!keys) {
      return could_not_begin({}, ExitCode::no_identity, keys.error(), Of::command);
    }
    m_keys = std::move(*keys);
    auto backups = read_backups(std::move(*directory), m_options, m_keys.pins, m_io);
    if (!backups) {
      return could_not_begin(
          {}, exit_code_of_opening(backups.error()), backups.error(), Of::command);
    }
    m_backups = std::move(*backups);
    const std::vector<BackupSet>& sets = m_backups->sets;
    const set::Latest found = find_set_to_check(sets, m_command.set);
    if (found.set == nullptr) {
      return could_not_begin({},
                             ExitCode::nothing_to_restore,
                             nothing_to_restore(m_options.backup_dir, m_command.set),
                             m_command.set == "latest" ? Of::sets : Of::command);
    }
    say_passed_over(found, m_io);
    if (m_command.set == "latest" && found.set->state != set::SetState::damaged &&
        !set::can_restore_cluster(*found.set)) {
      return could_not_begin(found.set->run_id, ExitCode::incomplete, useless(sets), Of::sets);
    }
    return check(found.set->run_id);
  }

private:
  /// Whose fault it is that a drill ended so. `.last-drill` says what is known of the sets: a
  /// mistyped name or a key of something else is no word against the set that passed before.
  enum class Of { sets, command };

  int could_not_begin(const std::string& run_id, ExitCode code, const Error& error, Of of) {
    const int exit_code = fail(m_io, error, code);
    static_cast<void>(store(not_begun(run_id, code, error, m_io.clock.now()), of));
    return exit_code;
  }

  /// A drill of what no cluster can be restored from must not pass.
  Error useless(const std::vector<BackupSet>& sets) {
    return {
        ErrorCode::incomplete,
        m_options.backup_dir + ": no cluster can be restored from any set here; " +
            sets.front().run_id + ": " + set::choose_latest(sets).passed_over.front().why,
        "make a whole backup (`railiance-backup create --wait`), or drill one set by its run id"};
  }

  [[nodiscard]] const BackupSet& listed(const std::string& run_id) const {
    return *std::ranges::find(m_backups->sets, run_id, &BackupSet::run_id);
  }

  int check(const std::string& run_id) {
    m_io.err << run_id << ": opening " << listed(run_id).files.size() << " files, "
             << format_size(listed(run_id).size_bytes) << '\n'
             << std::flush;
    Progress progress(m_io);
    set::CheckHooks hooks = hooks_for(progress, m_io);
    hooks.on_file = [&](const set::FileReport& file) {
      progress.clear();
      m_io.err << file.name << ": "
               << (file.code == ExitCode::done ? "ok" : std::string(set::result_word(file.code)))
               << '\n'
               << std::flush;
    };
    auto current = check_current(*m_backups, run_id, m_keys, hooks, m_options, m_io);
    if (!current) { // no word against the sets
      return could_not_begin(run_id,
                             ExitCode::nothing_to_restore,
                             {ErrorCode::not_found,
                              removed_meanwhile(run_id),
                              "`railiance-restore list` shows what is there now"},
                             Of::command);
    }
    set::SetReport report = *std::move(current);
    const Catalogue& catalogue = m_backups->catalogue;
    add_provenance(report, catalogue, m_command.allow_unsigned);
    warn_of_first_use(catalogue, m_io);
    tell_of_files(catalogue, m_io.err);
    DrillRecord record = judge(listed(run_id), report, m_io.clock.now(), elapsed());
    if (m_command.boot && record.code == ExitCode::done && listed(run_id).manifest) {
      boot(run_id, record);
    }
    note_files(record);
    print(report, record);
    explain(run_id, record);
    if (was_stopped()) {
      m_io.err << "stopped: nothing is recorded\n";
      return static_cast<int>(record.boot->code);
    }
    ExitCode code = record.code == ExitCode::done && record.boot ? record.boot->code : record.code;
    const bool wrong_key =
        record.code == ExitCode::no_identity && !are_of_sets(m_keys, m_backups->sets);
    if (!store(record, wrong_key ? Of::command : Of::sets) && code == ExitCode::done) {
      code = ExitCode::failed;
    }
    return static_cast<int>(code);
  }

  /// What comes of it is part of the drill. That no server could be tried on this host, or somebody
  /// stopped it, says nothing of the set, which has passed till here.
  void boot(const std::string& run_id, DrillRecord& record) {
    record.boot = boot_record(run_id);
    if (record.boot->code != ExitCode::done && is_exchanged(run_id)) {
      record.boot = boot_record(run_id);
    }
    const bool tried = !m_not_booted || (!was_stopped() && set::reason_not_proven(*m_not_booted) ==
                                                               api::Reason::proof_failed);
    record.code = tried ? record.boot->code : record.code;
    record.message = (tried ? "" : "no server was booted: ") + record.boot->message;
    record.duration = elapsed();
    record.time = m_io.clock.now();
  }

  [[nodiscard]] bool was_stopped() const {
    return m_not_booted && m_not_booted->code == ErrorCode::cancelled;
  }

  /// The set got new recipients since it was listed, and is what it was before: it is read anew.
  bool is_exchanged(const std::string& run_id) {
    if (!set::is_superseded(m_backups->directory, listed(run_id))) {
      return false;
    }
    auto again = open_backups(m_options, m_keys.pins, m_io);
    if (!again || find_set(again->sets, run_id).set == nullptr ||
        again->catalogue.word_for(run_id) != m_backups->catalogue.word_for(run_id)) {
      return false;
    }
    m_backups = *std::move(again);
    return listed(run_id).manifest.has_value();
  }

  [[nodiscard]] std::chrono::seconds step_timeout(const set::Manifest& manifest) const {
    const std::uint64_t bytes = manifest.snapshot ? manifest.snapshot->size_bytes : 0;
    return m_command.timeout_seconds ? std::chrono::seconds(*m_command.timeout_seconds)
                                     : k3s::patience_for(bytes, std::chrono::seconds(300));
  }

  /// Boots the set and says each step on standard error. What failed is in the record, and was
  /// told.
  set::DrillBoot boot_record(const std::string& run_id) {
    const StopSignals interrupts({SIGINT, SIGTERM, SIGHUP}, m_io.stop);
    const auto begin = m_io.clock.steady_now();
    const auto progress = [&](const std::string& line) { m_io.err << line << '\n' << std::flush; };
    const auto report = proof::prove_set(m_backups->directory,
                                         *listed(run_id).manifest,
                                         m_keys.identities,
                                         {m_command.scratch_dir,
                                          m_command.k3s,
                                          step_timeout(*listed(run_id).manifest),
                                          proof::ScratchPlaces(m_io.scratch_record)},
                                         progress,
                                         interrupts.token());
    set::DrillBoot record;
    record.duration = since(begin);
    m_not_booted = report ? std::nullopt : std::optional(report.error());
    if (!report) {
      record.code = static_cast<ExitCode>(fail(m_io, report.error()));
      record.message = report.error().message;
      return record;
    }
    record.objects = report->comparison.objects;
    record.peak_memory_bytes = report->peak_memory_bytes;
    for (const auto& [kind, objects] : report->comparison.unserved) {
      warn(m_io,
           kind + ": " + std::to_string(objects) +
               " objects in the snapshot of a kind that no API serves");
    }
    return record;
  }

  /// The set may be whole, but what a restore would begin with is somebody else's.
  void note_files(DrillRecord& record) const {
    const set::SignedFile* const file = m_backups->catalogue.tampered_file();
    if (file != nullptr && set::worse(record.code, ExitCode::damaged) != record.code) {
      record.code = ExitCode::damaged;
      record.message = file->name + " beside the sets: " + file->message;
    }
  }

  [[nodiscard]] std::chrono::milliseconds since(std::chrono::steady_clock::time_point begin) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(m_io.clock.steady_now() - begin);
  }
  [[nodiscard]] std::chrono::milliseconds elapsed() const { return since(m_begin); }

  void print(const set::SetReport& report, const DrillRecord& record) {
    if (m_options.output == OutputFormat::json) {
      m_io.out << set::serialize(record);
      return;
    }
    m_io.out << to_text(report) << "drill: " << set::result_word(record.code) << " in "
             << std::round(static_cast<double>(record.duration.count()) / 100) / 10 << " s"
             << (record.code == ExitCode::done && m_not_booted ? ", but no server was booted\n"
                                                               : "\n");
  }

  /// What to do next.
  void explain(const std::string& run_id, const DrillRecord& record) {
    if (record.code == ExitCode::no_identity) {
      m_io.err << "hint: the set was made for other recipients: `railiance-restore show " << run_id
               << "` names them\n";
      say_what_was_tried(m_keys, m_io);
    } else if (record.code == ExitCode::damaged) {
      m_io.err
          << "hint: make a new backup now (`railiance-backup create --wait`); `railiance-restore "
             "list` shows what else there is\n";
    } else if (record.code == ExitCode::incomplete) {
      m_io.err << "hint: `railiance-restore show " << run_id << "` says what is missing\n";
    }
  }

  /// The newer set that is on record as a bad one, and still there. That an older one passes, or
  /// not, takes nothing of that back: an alert and a guard go by the record.
  std::string newer_bad_set(set::Directory& directory, const DrillRecord& record) const {
    const auto last = set::read_last_drill(directory).value_or(std::nullopt);
    if (!last || record.run_id.empty() || last->run_id <= record.run_id) {
      return {};
    }
    const bool is_bad = last->result != set::result_word(ExitCode::done) &&
                        last->result != set::result_word(ExitCode::incomplete) &&
                        last->result != set::result_word(ExitCode::nothing_to_restore);
    const auto sets = set::list_sets(directory);
    const bool is_there =
        !sets || std::ranges::find(*sets, last->run_id, &BackupSet::run_id) != sets->end();
    return is_bad && is_there ? last->run_id : std::string();
  }

  bool store(const DrillRecord& record, Of of) {
    if (m_command.no_record) {
      return true;
    }
    std::string newer;
    const auto write = [&]() -> Status {
      RB_TRY_ASSIGN(set::Directory directory, open_directory(m_options.backup_dir));
      newer = of == Of::sets ? newer_bad_set(directory, record) : std::string();
      return of == Of::sets && newer.empty() ? set::store_drill(directory, record)
                                             : set::log_drill(directory, record);
    };
    const Status stored = write();
    if (stored && !newer.empty()) {
      m_io.err << "on record stays that set " << terminal_text(newer)
               << ", which is newer, did not pass: this drill is in backup.log\n";
    }
    if (stored && of == Of::command) {
      m_io.err << "nothing was proven or disproven: it is in backup.log, and the outcome of the "
                  "drill before stands\n";
    }
    if (!stored) {
      Error error = stored.error();
      error.hint = "run it as root; for a directory that cannot be written: --no-record";
      fail(m_io, std::move(error).within("the outcome is not recorded"));
    }
    return stored.has_value();
  }

  const DrillCommand& m_command;
  const Options& m_options;
  Io& m_io;
  std::chrono::steady_clock::time_point m_begin;
  Keys m_keys;
  std::optional<Backups> m_backups;  ///< From run() on.
  std::optional<Error> m_not_booted; ///< Why there is no proof.
};

} // namespace

int carry_out(const DrillCommand& command, const Options& options, Io& io) {
  return Drill(command, options, io).run();
}

} // namespace rb::restore
