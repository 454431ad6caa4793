#include "restore/backups.hpp"
#include "restore/commands.hpp"
#include "restore/progress.hpp"
#include "restore/set_output.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <set>

namespace rb::restore {

using set::BackupSet;
using set::SetReport;

namespace {

std::vector<const BackupSet*>
chosen(const std::vector<BackupSet>& sets, const VerifyCommand& command, const Io& io) {
  std::vector<const BackupSet*> some;
  if (command.all) {
    for (const BackupSet& set : sets) {
      some.push_back(&set);
    }
  } else if (const auto found = find_set_to_check(sets, command.set); found.set != nullptr) {
    say_passed_over(found, io);
    some.push_back(found.set);
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

/// Without -i nothing is opened; who made the sets is asked all the same.
Result<Keys> keys_of(const VerifyCommand& command, const Io& io) {
  if (!command.identity_files.empty()) {
    return read_keys(command.identity_files, io);
  }
  Keys keys;
  keys.pins = read_pins({}, io);
  return keys;
}

int print(const std::vector<SetReport>& reports,
          const Catalogue& catalogue,
          const Keys& keys,
          const Options& options,
          Io& io) {
  const bool with_key = !keys.identities.empty();
  ExitCode code = ExitCode::done;
  nlohmann::ordered_json json{{"directory", options.backup_dir}, {"withKey", with_key}};
  for (const SetReport& report : reports) {
    code = set::worse(code, report.code);
    json["sets"].push_back(to_json(report));
    json["sets"].back()["signature"] = to_json(catalogue, report.run_id);
    if (options.output == OutputFormat::text) {
      io.out << to_text(report);
    }
  }
  if (catalogue.tampered_file() != nullptr) {
    code = set::worse(code, ExitCode::damaged);
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
  return static_cast<int>(code);
}

} // namespace

int verify(const VerifyCommand& command, const Options& options, Io& io) {
  const auto keys = keys_of(command, io);
  if (!keys) {
    return fail(io, keys.error(), ExitCode::no_identity);
  }
  auto backups = open_backups(options, keys->pins, io);
  if (!backups) {
    return fail_to_open(io, backups.error());
  }
  const std::vector<const BackupSet*> some = chosen(backups->sets, command, io);
  if (some.empty()) {
    return fail_to_open(io, nothing_to_restore(options.backup_dir, command.set));
  }
  std::vector<std::string> run_ids;
  for (const BackupSet* const set : some) {
    run_ids.push_back(set->run_id);
  }
  std::vector<SetReport> reports;
  Progress progress(io);
  for (const std::string& run_id : run_ids) {
    reports.push_back(check_current(*backups, run_id, *keys, hooks_for(progress, io), options, io));
    add_provenance(reports.back(), backups->catalogue, command.allow_unsigned);
    name_server(reports.back(), backups->sets);
  }
  progress.clear();
  warn_of_first_use(backups->catalogue, io);
  return print(reports, backups->catalogue, *keys, options, io);
}

} // namespace rb::restore
