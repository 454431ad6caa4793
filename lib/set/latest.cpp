#include "set/latest.hpp"

#include <algorithm>

namespace rb::set {

namespace {

bool has(const Manifest& manifest, api::ArtifactType type) {
  return std::ranges::find(manifest.artifacts, type, &api::ArtifactStatus::type) !=
         manifest.artifacts.end();
}

bool is_candidate(const BackupSet& set, std::optional<api::ArtifactType> wanted) {
  return can_restore_cluster(set) && (!wanted || has(*set.manifest, *wanted));
}

std::string why_not(const BackupSet& set, std::optional<api::ArtifactType> wanted) {
  if (set.state == SetState::damaged) {
    return "it is damaged" + (set.problems.empty() ? "" : ": " + set.problems.front());
  }
  if (!set.manifest) {
    return "its run was cut off";
  }
  for (const auto type : {api::ArtifactType::etcd_snapshot, api::ArtifactType::host_state}) {
    if (!has(*set.manifest, type)) {
      return type == api::ArtifactType::etcd_snapshot
                 ? "it has no etcd snapshot"
                 : "it has no host state, and with it no server token";
    }
  }
  if (wanted && !has(*set.manifest, *wanted)) {
    return "it has no " + std::string(api::to_string(*wanted));
  }
  if (!set.manifest->snapshot) {
    return "its manifest does not describe its etcd snapshot";
  }
  const std::string& message = set.manifest->proof ? set.manifest->proof->message : std::string();
  return "its proof failed" + (message.empty() ? "" : ": " + message);
}

} // namespace

bool can_restore_cluster(const Manifest& manifest) {
  return manifest.snapshot && has(manifest, api::ArtifactType::etcd_snapshot) &&
         has(manifest, api::ArtifactType::host_state);
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
