#include "offsite/decide.hpp"

#include "artifact/names.hpp"

#include <algorithm>

namespace rb::offsite {

using artifact::BackupSet;
using artifact::NameKind;
using artifact::SetState;

namespace {

std::string newest_complete(const std::vector<BackupSet>& sets) {
  std::string newest;
  for (const BackupSet& set : sets) {
    if (set.state == SetState::complete) {
      newest = std::max(newest, set.run_id);
    }
  }
  return newest;
}

bool is_there(const RemoteFile& wanted, const std::vector<RemoteFile>& remote) {
  return std::ranges::any_of(remote, [&](const RemoteFile& file) {
    return file.name == wanted.name && file.size_bytes == wanted.size_bytes;
  });
}

} // namespace

std::vector<const BackupSet*> pending(const std::vector<BackupSet>& sets, const State& state) {
  std::vector<const BackupSet*> found;
  for (const BackupSet& set : sets) {
    if (set.state == SetState::complete && !state.replicated.contains(set.run_id)) {
      found.push_back(&set);
    }
  }
  std::ranges::sort(found, std::ranges::greater{}, &BackupSet::run_id);
  return found;
}

bool is_due(const std::vector<BackupSet>& sets,
            const State& state,
            SystemTime now,
            const Schedule& schedule) {
  const bool compare = !state.replicated.empty() &&
                       (now >= state.compared + schedule.compare_every || now < state.compared);
  if (pending(sets, state).empty() && !compare) {
    return false;
  }
  const bool paused = state.failures > 0 && now < state.not_before &&
                      state.not_before - now <= schedule.longest_retry;
  return !paused || newest_complete(sets) > state.tried;
}

std::chrono::seconds pause_after(unsigned failures, const Schedule& schedule) {
  std::chrono::seconds pause = schedule.first_retry;
  for (unsigned i = 1; i < failures && pause < schedule.longest_retry; ++i) {
    pause *= 2;
  }
  return std::min(pause, schedule.longest_retry);
}

std::vector<RemoteFile> files_of(const BackupSet& set) {
  std::vector<RemoteFile> files;
  if (!set.manifest) {
    return files;
  }
  for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
    files.push_back({artifact.file_name, artifact.size_bytes});
  }
  const std::string signature = artifact::signature_name(set.run_id);
  const auto beside = std::ranges::find(set.files, signature, &artifact::SetFile::name);
  if (beside != set.files.end()) {
    files.push_back({signature, beside->size_bytes});
  }
  const std::string manifest = artifact::manifest_name(set.run_id);
  const auto own = std::ranges::find(set.files, manifest, &artifact::SetFile::name);
  files.push_back({manifest, own == set.files.end() ? 0 : own->size_bytes});
  return files;
}

std::set<std::string> still_there(const State& state,
                                  const std::vector<BackupSet>& sets,
                                  const std::vector<RemoteFile>& remote) {
  std::set<std::string> found;
  for (const BackupSet& set : sets) {
    const auto files = files_of(set);
    if (state.replicated.contains(set.run_id) &&
        std::ranges::all_of(files,
                            [&](const RemoteFile& file) { return is_there(file, remote); })) {
      found.insert(set.run_id);
    }
  }
  return found;
}

std::vector<std::string> to_remove(const std::vector<RemoteFile>& remote,
                                   const std::vector<BackupSet>& sets,
                                   unsigned keep_last) {
  std::vector<std::string> run_ids;
  for (const RemoteFile& file : remote) {
    const auto info = artifact::classify_name(file.name);
    if (info.kind == NameKind::manifest) {
      run_ids.push_back(info.run_id);
    }
  }
  std::ranges::sort(run_ids);
  if (keep_last == 0 || run_ids.size() <= keep_last) {
    return {};
  }
  run_ids.resize(run_ids.size() - keep_last);
  std::erase_if(run_ids, [&](const std::string& run_id) {
    return std::ranges::find(sets, run_id, &BackupSet::run_id) != sets.end();
  });
  return run_ids;
}

std::vector<std::string> removal_order(const std::vector<RemoteFile>& remote,
                                       const std::string& run_id) {
  std::vector<std::string> names;
  for (const RemoteFile& file : remote) {
    const auto info = artifact::classify_name(file.name);
    if (info.run_id != run_id) {
      continue;
    }
    if (info.kind == NameKind::manifest) {
      names.insert(names.begin(), file.name);
    } else if (info.kind == NameKind::artifact || info.kind == NameKind::signature) {
      names.push_back(file.name);
    }
  }
  return names;
}

} // namespace rb::offsite
