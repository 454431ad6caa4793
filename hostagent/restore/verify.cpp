#include "restore/backups.hpp"
#include "restore/commands.hpp"
#include "restore/progress.hpp"
#include "restore/set_output.hpp"
#include "set/marks.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace rb::restore {

using set::BackupSet;
using set::SetReport;

namespace {

/// Run ids.
std::vector<std::string>
chosen(const std::vector<BackupSet>& sets, const VerifyCommand& command, const Io& io) {
  std::vector<std::string> some;
  if (command.all) {
    for (const BackupSet& set : sets) {
      some.push_back(set.run_id);
    }
  } else if (const auto found = find_set_to_check(sets, command.set); found.set != nullptr) {
    say_passed_over(found, io);
    some.push_back(found.set->run_id);
  }
  return some;
}

/// Sets of several servers lie together: then each report names its own.
bool has_several_servers(const std::vector<BackupSet>& sets) {
  std::set<std::string> names;
  for (const BackupSet& set : sets) {
    if (set.manifest) {
      names.insert(set.manifest->node_name);
    }
  }
  return names.size() > 1;
}

void name_server(SetReport& report, const std::vector<BackupSet>& sets) {
  const auto set = std::ranges::find(sets, report.run_id, &BackupSet::run_id);
  if (set != sets.end() && set->manifest && has_several_servers(sets)) {
    report.signature += "; made on " + terminal_text(set->manifest->node_name);
  }
}

/// Of each chosen set that is still there when its turn comes.
std::vector<SetReport> check(Backups& backups,
                             const VerifyCommand& command,
                             const Keys& keys,
                             const Options& options,
                             Io& io) {
  std::vector<SetReport> reports;
  Progress progress(io);
  for (const std::string& run_id : chosen(backups.sets, command, io)) {
    auto report = check_current(backups, run_id, keys, hooks_for(progress, io), options, io);
    progress.clear();
    if (!report) {
      warn(io, removed_meanwhile(run_id));
      continue;
    }
    add_provenance(*report, backups.catalogue, command.allow_unsigned);
    name_server(*report, backups.sets);
    reports.push_back(*std::move(report));
  }
  return reports;
}

/// Without -i nothing is opened; who made the sets is asked all the same.
Result<Keys> keys_of(const VerifyCommand& command, const Io& io) {
  if (!command.identity_files.empty()) {
    return read_keys(command.identity_files, io);
  }
  Keys keys;
  keys.pins = read_pins({}, io);
  return keys;
}

/// What became of all of it.
ExitCode worst_of(const std::vector<SetReport>& reports, const Catalogue& catalogue) {
  ExitCode code = ExitCode::done;
  for (const SetReport& report : reports) {
    code = set::worse(code, report.code);
  }
  return catalogue.tampered_file() != nullptr ? set::worse(code, ExitCode::damaged) : code;
}

/// What is wrong with the worst of them.
std::string
message_of(const std::vector<SetReport>& reports, const Catalogue& catalogue, ExitCode code) {
  if (code == ExitCode::done) {
    return {};
  }
  const auto worst = std::ranges::find(reports, code, &SetReport::code);
  if (worst != reports.end()) {
    return worst->run_id + ": " + first_problem(*worst);
  }
  const set::SignedFile* const file = catalogue.tampered_file();
  return file == nullptr ? std::string() : file->name + " beside the sets: " + file->message;
}

set::LastVerify record_of(const std::vector<SetReport>& reports,
                          const Catalogue& catalogue,
                          const Keys& keys,
                          ExitCode code) {
  set::LastVerify record;
  record.message = message_of(reports, catalogue, code);
  record.sets = std::ssize(reports);
  record.incomplete_sets = std::ranges::count(reports, ExitCode::incomplete, &SetReport::code);
  record.bad_sets = std::ranges::count_if(reports, [](const SetReport& report) {
    return report.code != ExitCode::done && report.code != ExitCode::incomplete;
  });
  record.with_key = !keys.identities.empty();
  return record;
}

/// Where --record asks for it. A check whose outcome cannot be left is not done.
ExitCode recorded(const VerifyCommand& command,
                  const Options& options,
                  set::LastVerify record,
                  ExitCode code,
                  Io& io) {
  if (!command.record) {
    return code;
  }
  record.time = io.clock.now();
  record.result = set::result_word(code);
  const auto write = [&]() -> Status {
    RB_TRY_ASSIGN(set::Directory directory, open_directory(options.backup_dir));
    return set::store_verify(directory, record);
  };
  if (const Status stored = write(); !stored) {
    Error error = stored.error();
    error.hint = "run it as root; for a directory that cannot be written: without --record";
    fail(io, std::move(error).within("the outcome is not recorded"));
    return code == ExitCode::done ? ExitCode::failed : code;
  }
  return code;
}

void say_not_recorded(Io& io) {
  io.err << "nothing was proven or disproven, and nothing is recorded\n";
}

/// `.last-verify` says what is known of the sets: a key of something else is no word against them.
bool is_of_sets(ExitCode code, const Keys& keys, const std::vector<BackupSet>& sets, Io& io) {
  if (code != ExitCode::no_identity || are_of_sets(keys, sets)) {
    return true;
  }
  say_not_recorded(io);
  return false;
}

/// One that found no set.
set::LastVerify not_begun(const Error& error) {
  set::LastVerify record;
  record.message = error.message;
  return record;
}

void print(const std::vector<SetReport>& reports,
           const Catalogue& catalogue,
           const Keys& keys,
           ExitCode code,
           const Options& options,
           Io& io) {
  const bool with_key = !keys.identities.empty();
  nlohmann::ordered_json json{{"directory", options.backup_dir}, {"withKey", with_key}};
  for (const SetReport& report : reports) {
    json["sets"].push_back(to_json(report));
    json["sets"].back()["signature"] = to_json(catalogue, report.run_id);
    if (options.output == OutputFormat::text) {
      io.out << to_text(report);
    }
  }
  if (options.output == OutputFormat::text) {
    tell_of_files(catalogue, io.out);
  }
  json["files"] = files_to_json(catalogue);
  json["exitCode"] = static_cast<int>(code);
  if (options.output == OutputFormat::json) {
    io.out << dump(json);
  } else if (!with_key && code == ExitCode::done) {
    io.out << "checked without a key; -i keys.txt proves that it opens\n";
  }
  if (code == ExitCode::no_identity) {
    io.err << "hint: these sets were made for other recipients; `railiance-restore show` names "
              "them\n";
    say_what_was_tried(keys, io);
  }
}

} // namespace

int carry_out(const VerifyCommand& command, const Options& options, Io& io) {
  const auto begin = io.clock.steady_now();
  const auto keys = keys_of(command, io);
  if (!keys) {
    const int code = fail(io, keys.error(), ExitCode::no_identity);
    if (command.record) {
      say_not_recorded(io);
    }
    return code;
  }
  auto backups = open_backups(options, keys->pins, io);
  if (!backups) {
    return fail_to_open(io, backups.error());
  }
  const std::vector<SetReport> reports = check(*backups, command, *keys, options, io);
  if (reports.empty()) {
    const Error nothing = nothing_to_restore(options.backup_dir, command.set);
    const int code = fail_to_open(io, nothing);
    recorded(command, options, not_begun(nothing), ExitCode::nothing_to_restore, io);
    return code;
  }
  warn_of_first_use(backups->catalogue, io);
  const ExitCode code = worst_of(reports, backups->catalogue);
  print(reports, backups->catalogue, *keys, code, options, io);
  if (command.record && !is_of_sets(code, *keys, backups->sets, io)) {
    return static_cast<int>(code);
  }
  set::LastVerify record = record_of(reports, backups->catalogue, *keys, code);
  record.duration_milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(io.clock.steady_now() - begin).count();
  return static_cast<int>(recorded(command, options, std::move(record), code, io));
}

} // namespace rb::restore
