#include "offsite/remote_store.hpp"
#include "restore/backups.hpp"
#include "restore/commands.hpp"
#include "restore/set_output.hpp"
#include "terminal/format.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

namespace rb::restore {

using set::BackupSet;
using set::Directory;

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

/// Where the sets are that the command lists.
Result<Directory> open_listed(const ListCommand& command, const std::string& backup_dir, Io& io) {
  if (command.remote.remote.empty()) {
    return open_directory(backup_dir);
  }
  RB_TRY_ASSIGN(const auto handle, open_store(command.remote, io));
  RB_TRY_ASSIGN(offsite::RemoteListing listing, offsite::read_remote(handle->store, {}, io.stop));
  warn_of_left_out(listing.left_out, io);
  return std::move(listing.directory);
}

} // namespace

int carry_out(const ListCommand& command, const Options& options, Io& io) {
  auto directory = open_listed(command, options.backup_dir, io);
  const bool remote = !command.remote.remote.empty();
  if (!directory) {
    return remote ? fail(io, directory.error()) : fail_to_open(io, directory.error());
  }
  const auto backups = read_backups(std::move(*directory), options, read_pins({}, io), io);
  if (!backups) {
    return fail_to_open(io, backups.error());
  }
  const auto& [listed, sets, catalogue] = *backups;
  const set::Latest latest = set::choose_latest(sets);
  warn_of_first_use(catalogue, io);
  tell_of_files(catalogue, io.err);
  if (options.output == OutputFormat::json) {
    nlohmann::ordered_json json{{"directory", listed.path()},
                                {"sets", nlohmann::ordered_json::array()}};
    for (const BackupSet& set : sets) {
      json["sets"].push_back(to_json(set));
      json["sets"].back()["signature"] = to_json(catalogue, set.run_id);
    }
    json["files"] = files_to_json(catalogue);
    put_latest(latest, json);
    io.out << dump(json);
  } else if (!sets.empty()) {
    std::vector<std::vector<std::string>> rows{
        {"SET", "AGE", "STATE", "SIZE", "SIGNED", "REVISION", "RELEASES", "PROVEN", "K3S", "NODE"}};
    for (const BackupSet& set : sets) {
      rows.push_back(row_of(set, catalogue, io.clock.now()));
    }
    io.out << text_table(rows) << std::flush;
    say_passed_over(latest, io);
    if (latest.set == nullptr) {
      warn(io, "no cluster can be restored from any of these sets");
    }
  }
  if (sets.empty()) {
    Error none = nothing_to_restore(listed.path(), {});
    if (remote) {
      none.hint = "is it the right directory of the remote? rclone lsf shows what is there";
    }
    return fail(io, none, ExitCode::nothing_to_restore);
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::restore
