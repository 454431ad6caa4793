#include "set/unpack.hpp"

#include "restore/backups.hpp"
#include "restore/commands.hpp"
#include "restore/set_output.hpp"
#include "set/helm_command.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>

namespace rb::restore {

using helm::IndexedRelease;
using set::BackupSet;
using set::SetState;
using set::Unpacked;

namespace {

/// What the cluster had in it that is no release, or no good one. It stops nothing.
void warn_of_odd(const helm::Contents& contents, Io& io) {
  constexpr std::size_t k_shown = 10;
  for (std::size_t i = 0; i < std::min(contents.odd.size(), k_shown); ++i) {
    warn(io, contents.odd[i]);
  }
  if (contents.odd.size() > k_shown) {
    warn(io, "and " + std::to_string(contents.odd.size() - k_shown) + " more");
  }
  if (const std::size_t count = contents.index.undecodable_total(); count != 0) {
    warn(io,
         std::to_string(count) + (count == 1 ? " stored object" : " stored objects") +
             " could not be decoded as a release: index.json names them, the bytes are below raw");
  }
}

void print_helm(const helm::Contents& contents, const std::string& to, Io& io) {
  io.out
      << "# A release does not record its chart's repository: for each line set REPO to the name "
         "that `helm repo add` gave it, or to oci://HOST/PATH.\n";
  for (const IndexedRelease& release : contents.index.releases) {
    io.out << set::helm_command(release, to).text();
  }
  warn_of_odd(contents, io);
}

nlohmann::ordered_json
to_json(const Unpacked& unpacked, const std::string& run_id, const RestoreCommand& command) {
  nlohmann::ordered_json json{{"runID", run_id},
                              {"artifact", command.artifact},
                              {"directory", command.to},
                              {"files", nlohmann::ordered_json::array()}};
  for (const set::UnpackedFile& file : unpacked.files) {
    json["files"].push_back(
        {{"path", file.path}, {"sizeBytes", file.size_bytes}, {"mode", file.mode}});
  }
  if (unpacked.helm) {
    json["releases"] = nlohmann::ordered_json::array();
    for (const IndexedRelease& release : unpacked.helm->index.releases) {
      const set::HelmCommand made = set::helm_command(release, command.to);
      json["releases"].push_back({{"namespace", release.name_space},
                                  {"targetNamespace", release.target_namespace},
                                  {"name", release.name},
                                  {"chart", release.chart_name},
                                  {"version", release.chart_version},
                                  {"status", release.status},
                                  {"file", release.file},
                                  {"owner", release.owner ? release.owner->text() : ""},
                                  {"command", made.line},
                                  {"note", made.note}});
    }
    json["undecodable"] = nlohmann::ordered_json::array();
    for (const helm::IndexedObject& object : unpacked.helm->index.undecodable) {
      json["undecodable"].push_back({{"namespace", object.name_space},
                                     {"storage", object.storage_object},
                                     {"message", object.message},
                                     {"file", object.file}});
    }
    json["odd"] = unpacked.helm->odd;
  }
  return json;
}

void print(const Unpacked& unpacked,
           const std::string& run_id,
           const RestoreCommand& command,
           OutputFormat output,
           Io& io) {
  if (output == OutputFormat::json) {
    io.out << dump(to_json(unpacked, run_id, command));
    return;
  }
  // What can be run goes to standard output, alone; with no commands the files do.
  if (unpacked.helm) {
    io.err << run_id << ": " << unpacked.files.size() << " files written to " << command.to << '\n';
    print_helm(*unpacked.helm, command.to, io);
    return;
  }
  for (const set::UnpackedFile& file : unpacked.files) {
    io.out << command.to << (command.to.ends_with('/') ? "" : "/") << file.path << '\n';
  }
}

Error wrong_use(const RestoreCommand& command, bool known_artifact) {
  return known_artifact
             ? Error{ErrorCode::invalid_argument,
                     "restore: --artifact needs --to",
                     "name the directory to unpack into: --to DIR"}
             : Error{ErrorCode::invalid_argument,
                     "restore: --artifact: no such artifact: " + terminal_text(command.artifact),
                     "choose helm-values, kubeconfig or host-state; `railiance-restore decrypt` "
                     "makes a file of the datastore"};
}

int fail_without_manifest(const BackupSet& set, Io& io) {
  return fail(
      io,
      {ErrorCode::corrupt,
       set.run_id + ": " + (set.problems.empty() ? "" : terminal_text(set.problems.front())),
       "choose another set, or open a file of it with `railiance-restore decrypt`"},
      set.state == SetState::damaged ? ExitCode::damaged : ExitCode::incomplete);
}

int fail_to_unpack(const Error& error, bool in_set, const Keys& keys, Io& io) {
  const int code = in_set ? fail(io, error) : fail(io, error, ExitCode::incomplete);
  if (code == static_cast<int>(ExitCode::no_identity)) {
    say_what_was_tried(keys, io);
  }
  return code;
}

} // namespace

int unpack_artifact(const RestoreCommand& command, const Options& options, Io& io) {
  const auto type = artifact_of(command.artifact);
  if (!type || command.to.empty()) {
    return fail(io, wrong_use(command, type.has_value()), ExitCode::usage);
  }
  const auto keys = read_keys(command.identity_files, io);
  if (!keys) {
    return fail(io, keys.error(), ExitCode::no_identity);
  }
  auto backups = open_backups(options, keys->pins, io);
  if (!backups) {
    return fail_to_open(io, backups.error());
  }
  const auto found = choose_set(*backups, command.set, *type);
  if (!found) {
    return fail_to_open(io, found.error());
  }
  const BackupSet& set = *found->set;
  say_passed_over(*found, io);
  tell_of_files(backups->catalogue, io.err);
  if (!set.manifest) {
    return fail_without_manifest(set, io);
  }
  if (const auto code =
          refused_by_signature(backups->catalogue, set.run_id, command.wishes.allow_unsigned, io)) {
    return *code;
  }
  const auto unpacked = set::unpack(backups->directory,
                                    *set.manifest,
                                    keys->identities,
                                    {*type, command.to, command.force},
                                    io.stop);
  if (!unpacked && set::is_superseded(backups->directory, set)) {
    return unpack_artifact(command, options, io); // it got new recipients meanwhile
  }
  if (!unpacked) {
    const auto& artifacts = set.manifest->artifacts;
    const bool in_set =
        std::ranges::find(artifacts, *type, &api::ArtifactStatus::type) != artifacts.end();
    return fail_to_unpack(unpacked.error(), in_set, *keys, io);
  }
  print(*unpacked, set.run_id, command, options.output, io);
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::restore
