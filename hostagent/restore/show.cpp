#include "restore/backups.hpp"
#include "restore/commands.hpp"
#include "restore/set_output.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

#include "age/identity.hpp"

#include <algorithm>
#include <utility>

namespace rb::restore {

using set::BackupSet;
using set::Manifest;

namespace {

using Rows = std::vector<std::vector<std::string>>;

void add_manifest(Rows& rows, const Manifest& manifest) {
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) {
      rows.push_back({name + ":", terminal_text(value)});
    }
  };
  add("Started", format_rfc3339(manifest.start_time));
  add("Completed", format_rfc3339(manifest.completion_time));
  add("ClusterBackup", manifest.cluster_backup_name);
  add("Node",
      manifest.node_name +
          (manifest.node_address.empty() ? "" : " (" + manifest.node_address + ")"));
  add("k3s", manifest.k3s_version);
  add("Token hash", manifest.token_hash);
  if (manifest.snapshot) {
    const std::string kind(word_of(manifest.snapshot->kind));
    add(kind + " revision", std::to_string(manifest.snapshot->revision));
    add(kind + " keys", std::to_string(manifest.snapshot->total_keys));
    add("Snapshot", manifest.snapshot->name);
  }
  if (manifest.helm) {
    add("Helm releases",
        std::to_string(manifest.helm->releases) +
            (manifest.helm->undecodable_total == 0
                 ? ""
                 : ", " + std::to_string(manifest.helm->undecodable_total) +
                       " could not be decoded"));
  }
  if (const auto& proof = manifest.proof) {
    add("Proven",
        proof->proven()
            ? "a booted server served all " + std::to_string(proof->objects) + " objects"
            : "no (" + std::string(api::to_string(proof->reason)) + "): " + proof->message);
  }
  if (manifest.rewrap) {
    add("New recipients", "since " + format_rfc3339(manifest.rewrap->time));
  }
  if (!manifest.recipient_rule.empty()) {
    add("Readable by", manifest.recipient_rule);
  }
  for (const std::string& recipient : manifest.recipients) {
    add("Recipient", age::shortened(recipient));
  }
}

/// Live objects by kind, the most first: what a set has lost beside an older one shows here.
std::string objects_table(const Manifest& manifest) {
  if (!manifest.snapshot || manifest.snapshot->objects.empty()) {
    return {};
  }
  std::vector<std::pair<std::string, std::uint64_t>> kinds(manifest.snapshot->objects.begin(),
                                                           manifest.snapshot->objects.end());
  std::ranges::stable_sort(
      kinds, [](const auto& left, const auto& right) { return left.second > right.second; });
  Rows rows{{"OBJECTS", "KIND"}};
  for (const auto& [kind, count] : kinds) {
    rows.push_back({std::to_string(count), kind});
  }
  return "\n" + text_table(rows);
}

std::string signature_line(const BackupSet& set, const Catalogue& catalogue) {
  const set::SetProvenance provenance = catalogue.of(set.run_id);
  return catalogue.word_for(set.run_id) +
         (provenance.key_id.empty() ? "" : ", key " + provenance.key_id) +
         (provenance.peer.empty() ? "" : ", which set " + provenance.named_by + " names") +
         (provenance.message.empty() ? "" : ": " + terminal_text(provenance.message));
}

std::string describe(const BackupSet& set, const Catalogue& catalogue) {
  Rows rows{{"Set:", set.run_id},
            {"State:", std::string(set::to_string(set.state))},
            {"Size:", format_size(set.size_bytes)},
            {"Signature:", signature_line(set, catalogue)}};
  if (set.manifest) {
    add_manifest(rows, *set.manifest);
  }
  std::string text = text_table(rows);
  Rows files{{"FILE", "SIZE"}};
  for (const set::SetFile& file : set.files) {
    files.push_back({file.name, format_size(file.size_bytes)});
  }
  text += "\n" + text_table(files);
  text += set.manifest ? objects_table(*set.manifest) : std::string();
  const auto add_list = [&](const std::string& title, const std::vector<std::string>& lines) {
    if (!lines.empty()) {
      text += "\n" + title + ":\n";
      for (const std::string& line : lines) {
        text += "  - " + terminal_text(line) + "\n";
      }
    }
  };
  add_list("Problems", set.problems);
  if (set.manifest) {
    add_list("Not in any set", set.manifest->not_covered);
  }
  return text;
}

} // namespace

int carry_out(const ShowCommand& command, const Options& options, Io& io) {
  const auto backups = open_backups(options, read_pins({}, io), io);
  if (!backups) {
    return fail_to_open(io, backups.error());
  }
  const auto found = choose_set(*backups, command.set);
  if (!found) {
    return fail_to_open(io, found.error());
  }
  const Catalogue& catalogue = backups->catalogue;
  const BackupSet& set = *found->set;
  warn_of_first_use(catalogue, io);
  tell_of_files(catalogue, io.err);
  say_passed_over(*found, io);
  auto json = to_json(set);
  json["signature"] = to_json(catalogue, set.run_id);
  json["filesBeside"] = files_to_json(catalogue);
  io.out << (options.output == OutputFormat::json ? dump(json) : describe(set, catalogue));
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::restore
