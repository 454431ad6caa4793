#include "set/sets.hpp"

#include "set/names.hpp"
#include "sign/minisign.hpp"

#include <algorithm>
#include <map>

namespace rb::set {

namespace {

constexpr std::uint64_t k_least_run_bytes = 64U << 20U;

const SetFile* find_file(const BackupSet& set, const std::string& name) {
  const auto found = std::find_if(
      set.files.begin(), set.files.end(), [&](const SetFile& file) { return file.name == name; });
  return found == set.files.end() ? nullptr : &*found;
}

/// Compares what the manifest says with the names and sizes that are there.
void judge(BackupSet& set) {
  const Manifest& manifest = *set.manifest;
  set.state = manifest.complete ? SetState::complete : SetState::incomplete;
  for (const api::MissingArtifact& missing : manifest.missing) {
    set.problems.push_back(std::string(api::to_string(missing.type)) +
                           " is missing: " + missing.reason_word() +
                           (missing.message.empty() ? "" : ": " + missing.message));
  }
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    const SetFile* const file = find_file(set, artifact.file_name);
    if (file == nullptr) {
      set.state = SetState::damaged;
      set.problems.push_back(artifact.file_name + " is gone");
    } else if (file->size_bytes != artifact.size_bytes) {
      set.state = SetState::damaged;
      set.problems.push_back(artifact.file_name + " has " + std::to_string(file->size_bytes) +
                             " bytes instead of " + std::to_string(artifact.size_bytes));
    }
  }
  for (const std::string& name : manifest.unknown_files) {
    set.problems.push_back(name +
                           " is of a kind that only a newer release knows: it is not checked");
  }
}

/// One that cannot be read is there all the same, and holds for nothing.
std::optional<std::string> read_signature(Directory& directory, const BackupSet& set) {
  const std::string name = signature_name(set.run_id, set.generation);
  if (find_file(set, name) == nullptr) {
    return std::nullopt;
  }
  return read_text(directory, name, sign::k_signature_limit_bytes + 1).value_or({});
}

void load(Directory& directory, BackupSet& set) {
  set.signature = read_signature(directory, set);
  if (find_file(set, manifest_name(set.run_id, set.generation)) == nullptr) {
    set.state = SetState::incomplete;
    set.problems.emplace_back("there is no manifest: the run was cut off");
    return;
  }
  const auto text = read_manifest_text(directory, set.run_id, set.generation);
  if (text) {
    set.manifest_digests =
        ManifestDigests{to_hex(sha256(as_bytes(*text))), sign::blake2b_512(as_bytes(*text))};
  }
  auto manifest =
      text ? parse_manifest_of(set.run_id, set.generation, *text) : Result<Manifest>(text.error());
  if (!manifest) {
    set.state = SetState::damaged;
    set.problems.push_back(manifest.error().message);
    return;
  }
  set.manifest = std::move(*manifest);
  judge(set);
}

/// Of each run the generation that counts: the highest one with a manifest, else that of the run.
std::map<std::string, unsigned> generations_of(const std::vector<DirectoryEntry>& entries) {
  std::map<std::string, unsigned> found;
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    if (entry.regular && info.kind == NameKind::manifest) {
      unsigned& generation = found[info.run_id];
      generation = std::max(generation, info.generation);
    }
  }
  return found;
}

Result<std::vector<BackupSet>> sets_of(Directory& directory,
                                       const std::vector<DirectoryEntry>& entries) {
  const auto generations = generations_of(entries);
  std::map<std::string, BackupSet, std::greater<>> by_run;
  for (const DirectoryEntry& entry : entries) {
    NameInfo info = classify_name(entry.name);
    const bool of_set = info.kind == NameKind::artifact || info.kind == NameKind::manifest ||
                        info.kind == NameKind::signature;
    const auto current = generations.find(info.run_id);
    const unsigned generation = current == generations.end() ? 0 : current->second;
    if (!entry.regular || !of_set || info.generation != generation) {
      continue;
    }
    BackupSet& set = by_run[info.run_id];
    set.run_id = info.run_id;
    set.generation = generation;
    set.files.push_back({entry.name, entry.size_bytes});
    set.size_bytes += entry.size_bytes;
  }
  std::vector<BackupSet> sets;
  sets.reserve(by_run.size());
  for (auto& [run_id, set] : by_run) {
    RB_TRY_ASSIGN(set.time, parse_run_id(run_id));
    load(directory, set);
    sets.push_back(std::move(set));
  }
  return sets;
}

bool is_candidate(const BackupSet& set, std::optional<api::ArtifactType> wanted) {
  return can_restore_cluster(set) && (!wanted || set.manifest->find(*wanted) != nullptr);
}

/// Readable or not.
bool has_manifest_file(const BackupSet& set) {
  const std::string name = manifest_name(set.run_id, set.generation);
  return std::ranges::find(set.files, name, &SetFile::name) != set.files.end();
}

std::string why_not(const BackupSet& set, std::optional<api::ArtifactType> wanted) {
  if (set.state == SetState::damaged) {
    return "it is damaged" + (set.problems.empty() ? "" : ": " + set.problems.front());
  }
  if (!set.manifest) {
    return "its run was cut off";
  }
  for (const auto type : {api::ArtifactType::datastore, api::ArtifactType::host_state}) {
    if (set.manifest->find(type) == nullptr) {
      return type == api::ArtifactType::datastore
                 ? "it has no copy of the datastore"
                 : "it has no host state, and with it no server token";
    }
  }
  if (wanted && set.manifest->find(*wanted) == nullptr) {
    return "it has no " + std::string(api::to_string(*wanted));
  }
  if (!set.manifest->snapshot) {
    return "its manifest does not describe its copy of the datastore";
  }
  const std::string& message = set.manifest->proof ? set.manifest->proof->message : std::string();
  return "its proof failed" + (message.empty() ? "" : ": " + message);
}

} // namespace

std::string_view to_string(SetState state) {
  switch (state) {
  case SetState::complete:
    return "complete";
  case SetState::incomplete:
    return "incomplete";
  case SetState::damaged:
    return "damaged";
  }
  return "";
}

Result<std::vector<BackupSet>> list_sets(Directory& directory) {
  RB_TRY_ASSIGN(std::vector<DirectoryEntry> entries, directory.fs().list());
  // What the listing had and is gone when it is opened was exchanged meanwhile, or removed. More
  // exchanges than this do not happen while a directory is read.
  constexpr int k_looks = 4;
  for (int look = 1;; ++look) {
    RB_TRY_ASSIGN(std::vector<BackupSet> sets, sets_of(directory, entries));
    const bool all_complete = std::ranges::all_of(
        sets, [](const BackupSet& set) { return set.state == SetState::complete; });
    if (all_complete || look == k_looks) {
      return sets;
    }
    RB_TRY_ASSIGN(std::vector<DirectoryEntry> again, directory.fs().list());
    if (generations_of(again) == generations_of(entries)) {
      return sets;
    }
    entries = std::move(again);
  }
}

Result<std::set<std::string>> runs_with_older_files(Directory& directory) {
  RB_TRY_ASSIGN(const std::vector<DirectoryEntry> entries, directory.fs().list());
  const auto generations = generations_of(entries);
  std::set<std::string> run_ids;
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    const auto current = generations.find(info.run_id);
    if (entry.regular && info.kind == NameKind::artifact && current != generations.end() &&
        info.generation < current->second) {
      run_ids.insert(info.run_id);
    }
  }
  return run_ids;
}

bool is_superseded(Directory& directory, const BackupSet& set) {
  const auto entries = directory.fs().list();
  const auto now = entries ? current_generation(*entries, set.run_id) : std::nullopt;
  return entries && (has_manifest_file(set) ? now != set.generation : now.has_value());
}

bool is_good(const BackupSet& set) {
  return set.state == SetState::complete && (!set.manifest || set.manifest->is_good());
}

bool is_disproven(const BackupSet& set) {
  return set.state != SetState::damaged && set.manifest && set.manifest->proof &&
         set.manifest->proof->reason == api::Reason::proof_failed;
}

std::uint64_t expected_run_bytes(const std::vector<BackupSet>& sets) {
  const BackupSet* newest = nullptr;
  for (const BackupSet& set : sets) {
    if (set.state == SetState::complete && (newest == nullptr || newest->time < set.time)) {
      newest = &set;
    }
  }
  const std::uint64_t last = newest == nullptr ? 0 : newest->size_bytes;
  return std::max(last + last / 4, k_least_run_bytes);
}

bool can_restore_cluster(const Manifest& manifest) {
  return manifest.snapshot && manifest.find(api::ArtifactType::datastore) != nullptr &&
         manifest.find(api::ArtifactType::host_state) != nullptr;
}

bool can_restore_cluster(const BackupSet& set) {
  return set.state != SetState::damaged && set.manifest && can_restore_cluster(*set.manifest);
}

const BackupSet* latest_of(std::span<const BackupSet* const> newest_first,
                           std::optional<api::ArtifactType> wanted) {
  const auto newest = [&](bool also_disproven) {
    const auto found = std::ranges::find_if(newest_first, [&](const BackupSet* set) {
      return is_candidate(*set, wanted) && (also_disproven || !is_disproven(*set));
    });
    return found == newest_first.end() ? nullptr : *found;
  };
  const BackupSet* const good = newest(false);
  return good != nullptr ? good : newest(true);
}

Latest choose_latest(const std::vector<BackupSet>& sets, std::optional<api::ArtifactType> wanted) {
  std::vector<const BackupSet*> newest_first;
  for (const BackupSet& set : sets) {
    newest_first.push_back(&set);
  }
  Latest latest;
  latest.set = latest_of(newest_first, wanted);
  for (const BackupSet* const set : newest_first) {
    if (set == latest.set) {
      break;
    }
    latest.passed_over.push_back({set, why_not(*set, wanted)});
  }
  return latest;
}

} // namespace rb::set
