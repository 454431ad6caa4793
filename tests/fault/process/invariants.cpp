#include "fault/process/invariants.hpp"

#include "datastore/datastore.hpp"
#include "set/names.hpp"
#include "set/sets.hpp"
#include "support/sets.hpp"

#include <algorithm>
#include <fstream>

namespace rb::test {

namespace {

set::Directory directory_of(const FakeHost& host) {
  return set::Directory::open_existing(host.settings.backup_dir).value();
}

std::vector<set::BackupSet> list(const FakeHost& host) {
  if (!std::filesystem::exists(host.settings.backup_dir)) {
    return {};
  }
  auto directory = directory_of(host);
  return set::list_sets(directory).value();
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A database that holds what the manifest says; the server may have gone on since.
bool is_database(const std::string& bytes, const set::Manifest& manifest) {
  MemoryReader reader(as_bytes(bytes));
  const auto& kind = datastore::of(api::DatastoreKind::sqlite);
  const auto facts = kind.inspect(reader, {true, {}}, {});
  return facts && manifest.snapshot && facts->revision == manifest.snapshot->revision;
}

/// The datastore artifact of a set is what k3s saved.
bool snapshot_is_true(const FakeHost& host, const set::Manifest& manifest) {
  const auto found =
      std::find_if(manifest.artifacts.begin(), manifest.artifacts.end(), [](const auto& artifact) {
        return artifact.type == api::ArtifactType::datastore;
      });
  if (found != manifest.artifacts.end() &&
      api::kind_of_file(found->file_name) == api::DatastoreKind::sqlite) {
    return is_database(host.opened(found->file_name), manifest);
  }
  return found == manifest.artifacts.end() ||
         host.opened(found->file_name) == host.scratch.read("bin/snapshot");
}

} // namespace

Sets complete_sets(const FakeHost& host) {
  Sets sets;
  for (const set::BackupSet& set : list(host)) {
    if (set.state != set::SetState::complete) {
      continue;
    }
    auto& files = sets[set.run_id];
    for (const auto& artifact : set.manifest->artifacts) {
      files[artifact.file_name] = content_of(host.settings.backup_dir + "/" + artifact.file_name);
    }
    const std::string manifest = set::manifest_name(set.run_id, set.generation);
    files[manifest] = content_of(host.settings.backup_dir + "/" + manifest);
  }
  return sets;
}

Findings check_sets(const FakeHost& host) {
  Findings findings;
  const auto sets = list(host);
  for (const set::BackupSet& set : sets) {
    if (set.state == set::SetState::damaged) {
      findings.push_back("I1: set " + set.run_id + " is damaged: " + set.problems.front());
    }
    if (set.state != set::SetState::complete) {
      continue;
    }
    auto directory = directory_of(host);
    for (const std::string& altered : test::altered_files(directory, *set.manifest)) {
      findings.push_back("I1: of a complete set: " + altered);
    }
    if (!snapshot_is_true(host, *set.manifest)) {
      findings.push_back("I1: the snapshot of " + set.run_id + " is not what k3s saved");
    }
  }
  if (!std::filesystem::exists(host.settings.backup_dir)) {
    return findings;
  }
  auto directory = directory_of(host);
  const auto stamp = test::read_stamp(directory);
  if (!stamp && stamp.error().code != ErrorCode::not_found) {
    findings.push_back("stamp: " + stamp.error().message);
  }
  if (stamp && std::none_of(sets.begin(), sets.end(), [&](const set::BackupSet& set) {
        return set.run_id == stamp->at("run_id") && set.state == set::SetState::complete;
      })) {
    findings.push_back("stamp: it names " + stamp->at("run_id") + ", which is no complete set");
  }
  return findings;
}

Findings check_history(const Sets& before, const FakeHost& host, std::size_t keep) {
  Findings findings;
  const Sets after = complete_sets(host);
  for (const auto& [run_id, files] : before) {
    const auto found = after.find(run_id);
    if (found == after.end()) {
      const auto newer =
          static_cast<std::size_t>(std::distance(after.upper_bound(run_id), after.end()));
      if (newer < keep) {
        findings.push_back("I2: set " + run_id + " is gone, and only " + std::to_string(newer) +
                           " newer ones are complete");
      }
    } else if (found->second != files) {
      findings.push_back("I2: set " + run_id + " has changed");
    }
  }
  return findings;
}

Findings check_still_complete(const Sets& before, const FakeHost& host) {
  Findings findings;
  const Sets after = complete_sets(host);
  for (const auto& [run_id, files] : before) {
    if (!after.contains(run_id)) {
      findings.push_back("I2: set " + run_id + " is not complete any more");
    }
  }
  return findings;
}

Findings check_next_run(FakeHost& host) {
  host.clock.time += std::chrono::hours(1);
  auto order = host.next_order();
  order.keep_last = 2;
  const auto report = host.run(order);
  Findings findings = check_sets(host);
  if (!report.succeeded()) {
    findings.push_back("I3: the next run: " + report.message);
  }
  if (!complete_sets(host).contains(order.run_id)) {
    findings.push_back("I3: the next run left no complete set");
  }
  for (const std::string& path : host.leaks()) {
    findings.push_back("I4: plaintext in " + path);
  }
  if (!host.snapshots().empty()) {
    findings.push_back("I4: snapshot left: " + host.snapshots().front());
  }
  for (const auto& entry : std::filesystem::directory_iterator(host.settings.backup_dir)) {
    const std::string name = entry.path().filename().string();
    const auto kind = set::classify_name(name).kind;
    if (kind == set::NameKind::part || kind == set::NameKind::removing || name.ends_with(".part")) {
      findings.push_back("I3: left after the next run: " + name);
    }
  }
  return findings;
}

} // namespace rb::test
