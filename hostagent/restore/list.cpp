#include "offsite/remote_fs.hpp"
#include "restore/commands.hpp"
#include "restore/io.hpp"
#include "restore/remote.hpp"
#include "restore/set_json.hpp"
#include "restore/set_report.hpp"
#include "restore/trust.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>

namespace rb::restore {

using set::BackupSet;
using set::Directory;

Result<Directory> open_backups(const std::string& path) {
  auto directory = Directory::open_existing(path);
  if (directory) {
    return directory;
  }
  Error error = std::move(directory).error();
  if (error.code == ErrorCode::not_found) {
    error.hint = "where are the backups? name the directory with --backup-dir";
  } else if (error.code == ErrorCode::permission_denied) {
    error.hint = "only root may read backups: use sudo";
  }
  return error;
}

set::Latest find_set(const std::vector<BackupSet>& sets,
                     const std::string& name,
                     std::optional<api::ArtifactType> wanted) {
  set::Latest found;
  if (name != "latest") {
    const auto named = std::ranges::find(sets, name, &BackupSet::run_id);
    found.set = named == sets.end() ? nullptr : &*named;
    return found;
  }
  found = set::choose_latest(sets, wanted);
  if (found.set == nullptr && !sets.empty()) {
    const auto having = std::ranges::find_if(sets, [&](const BackupSet& set) {
      return wanted && set.manifest &&
             std::ranges::find(set.manifest->artifacts, *wanted, &api::ArtifactStatus::type) !=
                 set.manifest->artifacts.end();
    });
    found.set = having == sets.end() ? &sets.front() : &*having;
    std::erase_if(found.passed_over,
                  [&](const set::PassedOver& each) { return each.set >= found.set; });
  }
  return found;
}

set::Latest find_set_to_check(const std::vector<BackupSet>& sets, const std::string& name) {
  set::Latest found = find_set(sets, name);
  const auto damaged = std::ranges::find_if(found.passed_over, [](const auto& each) {
    return each.set->state == set::SetState::damaged;
  });
  if (damaged != found.passed_over.end()) {
    found.set = damaged->set;
    found.passed_over.erase(damaged, found.passed_over.end());
  }
  return found;
}

void say_passed_over(const set::Latest& latest, const Io& io) {
  constexpr std::size_t k_most = 10;
  std::size_t said = 0;
  for (const set::PassedOver& each : latest.passed_over) {
    if (said++ == k_most) {
      io.err << "… and " << latest.passed_over.size() - k_most << " more\n";
      break;
    }
    io.err << "passing over " << each.set->run_id << ": " << terminal_text(each.why) << '\n';
  }
}

Error nothing_to_restore(const std::string& path, const std::string& name) {
  if (name.empty() || name == "latest") {
    return {ErrorCode::not_found,
            path + ": no backup set",
            "make one with `make backup`, or name another directory with --backup-dir"};
  }
  return {ErrorCode::not_found,
          path + ": no backup set " + terminal_text(name),
          "`railiance-restore list` shows what is there"};
}

namespace {

std::vector<std::string> row_of(const BackupSet& set, const Catalogue& catalogue, SystemTime now) {
  std::vector<std::string> row{set.run_id,
                               format_age(now - set.time),
                               std::string(set::to_string(set.state)),
                               format_size(set.size_bytes),
                               catalogue.word_for(set.run_id)};
  const auto& manifest = set.manifest;
  const bool has_snapshot = manifest && manifest->snapshot;
  const bool has_helm = manifest && manifest->helm;
  row.push_back(has_snapshot ? std::to_string(manifest->snapshot->revision) : "-");
  row.push_back(has_helm ? std::to_string(manifest->helm->releases) : "-");
  row.push_back(proof_word(set));
  row.push_back(manifest ? terminal_text(or_dash(manifest->k3s_version)) : "-");
  row.push_back(manifest ? terminal_text(or_dash(manifest->node_name)) : "-");
  return row;
}

} // namespace

namespace {

/// Where the sets are that the command lists.
Result<Directory> open_listed(const ListCommand& command, const std::string& backup_dir, Io& io) {
  if (command.remote.remote.empty()) {
    return open_backups(backup_dir);
  }
  RB_TRY_ASSIGN(const auto handle, open_store(command.remote, io));
  return offsite::open_remote(handle->store, io.stop);
}

} // namespace

int list(const ListCommand& command, const Options& options, Io& io) {
  auto directory = open_listed(command, options.backup_dir, io);
  if (!directory) {
    const bool missing =
        directory.error().code == ErrorCode::not_found && command.remote.remote.empty();
    return missing ? fail(io, directory.error(), ExitCode::nothing_to_restore)
                   : fail(io, directory.error());
  }
  const auto sets = set::list_sets(*directory);
  if (!sets) {
    return fail(io, sets.error());
  }
  const auto catalogue = judge(*directory, *sets, {options.public_keys, read_pins({}, io)}, io);
  if (!catalogue) {
    return fail(io, catalogue.error(), judge_failure_code(catalogue.error()));
  }
  warn_of_first_use(*catalogue, io);
  tell_of_files(*catalogue, io.err);
  if (options.output == OutputFormat::json) {
    nlohmann::ordered_json json{{"directory", directory->path()},
                                {"sets", nlohmann::ordered_json::array()}};
    for (const BackupSet& set : *sets) {
      json["sets"].push_back(to_json(set));
      json["sets"].back()["signature"] = to_json(*catalogue, set.run_id);
    }
    json["files"] = files_to_json(*catalogue);
    put_latest(set::choose_latest(*sets), json);
    io.out << dump(json);
  } else if (!sets->empty()) {
    std::vector<std::vector<std::string>> rows{
        {"SET", "AGE", "STATE", "SIZE", "SIGNED", "REVISION", "RELEASES", "PROVEN", "K3S", "NODE"}};
    for (const BackupSet& set : *sets) {
      rows.push_back(row_of(set, *catalogue, io.clock.now()));
    }
    io.out << text_table(rows) << std::flush;
    const set::Latest latest = set::choose_latest(*sets);
    say_passed_over(latest, io);
    if (latest.set == nullptr) {
      warn(io, "no cluster can be restored from any of these sets");
    }
  }
  if (sets->empty()) {
    Error none = nothing_to_restore(directory->path(), {});
    if (!command.remote.remote.empty()) {
      none.hint = "is it the right directory of the remote? rclone lsf shows what is there";
    }
    return fail(io, none, ExitCode::nothing_to_restore);
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::restore
