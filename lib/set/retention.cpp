#include "set/retention.hpp"

#include "set/names.hpp"

#include <algorithm>
#include <cstddef>
#include <set>

namespace rb::set {

namespace {

/// Newest first.
std::vector<const BackupSet*> sorted(const std::vector<BackupSet>& sets) {
  std::vector<const BackupSet*> order;
  order.reserve(sets.size());
  for (const BackupSet& set : sets) {
    order.push_back(&set);
  }
  std::sort(order.begin(), order.end(), [](const BackupSet* left, const BackupSet* right) {
    return left->time > right->time;
  });
  return order;
}

bool good(const BackupSet* set) {
  return is_good(*set);
}

/// To be proven, and not: neither counted among the good ones nor taken for damaged.
bool unproven(const BackupSet& set) {
  return set.state == SetState::complete && !is_good(set);
}

/// Incomplete sets of which there are too many: of each kind the newest `keep` stay. Where a run
/// was cut off there is no manifest: those are no sets to count.
std::set<const BackupSet*> too_many_incomplete(const std::vector<const BackupSet*>& order,
                                               std::size_t keep) {
  std::set<const BackupSet*> too_many;
  std::size_t with_cluster = 0;
  std::size_t others = 0;
  for (const BackupSet* const set : order) {
    if (set->state != SetState::incomplete || !set->manifest) {
      continue;
    }
    std::size_t& seen = can_restore_cluster(*set) ? with_cluster : others;
    if (++seen > keep) {
      too_many.insert(set);
    }
  }
  return too_many;
}

/// The newest set that something can be restored from, a good one if there is any.
std::string best_of(const std::vector<const BackupSet*>& order) {
  auto best = std::find_if(order.begin(), order.end(), good);
  if (best == order.end()) {
    best = std::find_if(
        order.begin(), order.end(), [](const BackupSet* set) { return unproven(*set); });
  }
  return best == order.end() ? std::string() : (*best)->run_id;
}

bool is_missing(const Status& status) {
  return !status && status.error().code == ErrorCode::not_found;
}

bool is_of_set(const NameInfo& info) {
  return info.kind == NameKind::artifact || info.kind == NameKind::signature;
}

/// Artifacts and signature of that generation of a set that are there.
Result<std::vector<std::string>> names_of_set(Fs& fs, const Version& version) {
  RB_TRY_ASSIGN(const std::vector<DirectoryEntry> entries, fs.list());
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    if (entry.regular && is_of_set(info) && Version{info.run_id, info.generation} == version) {
      names.push_back(entry.name);
    }
  }
  return names;
}

} // namespace

SetKind kind_of(const Manifest& manifest) {
  SetKind kind{manifest.requested, manifest.manual};
  std::sort(kind.requested.begin(), kind.requested.end());
  return kind;
}

std::vector<BackupSet> sets_like(const SetKind& kind, std::vector<BackupSet> sets) {
  std::erase_if(
      sets, [&](const BackupSet& set) { return set.manifest && kind_of(*set.manifest) != kind; });
  return sets;
}

std::vector<SetKind> kinds_of_sets(const std::vector<BackupSet>& sets) {
  std::set<SetKind> kinds;
  for (const BackupSet& set : sets) {
    if (set.manifest) {
      kinds.insert(kind_of(*set.manifest));
    }
  }
  return {kinds.begin(), kinds.end()};
}

const BackupSet* to_give_up(const std::vector<BackupSet>& sets) {
  const std::vector<const BackupSet*> order = sorted(sets);
  const BackupSet* const latest = latest_of(order);
  return latest == nullptr || order.back() == latest ? nullptr : order.back();
}

RemovalPlan select_for_removal(const std::vector<BackupSet>& sets,
                               const RetentionPolicy& policy,
                               SystemTime now) {
  RemovalPlan plan;
  const std::vector<const BackupSet*> order = sorted(sets);
  if (!order.empty() && now + k_clock_tolerance < order.front()->time) {
    plan.clock_anomaly = true;
    plan.ahead_run_id = order.front()->run_id;
    return plan;
  }
  const auto newest_good = std::find_if(order.begin(), order.end(), good);
  const std::string newest_verified = policy.newest_verified_run_id.value_or(best_of(order));

  // `order[first_old]` on is older than every good set that is kept for its number.
  const auto keep = static_cast<std::size_t>(std::max(policy.keep_last, 1));
  std::size_t good_seen = 0;
  std::size_t unproven_left = 0;
  std::size_t first_old = order.size();
  for (std::size_t i = 0; i < order.size(); ++i) {
    good_seen += good(order[i]) ? 1U : 0U;
    unproven_left += unproven(*order[i]) ? 1U : 0U;
    if (good_seen == keep && first_old == order.size()) {
      first_old = i + 1;
    }
  }

  const BackupSet* const latest = latest_of(order);
  const auto too_many_of_incomplete = too_many_incomplete(order, keep);
  std::vector<std::string> incomplete;
  std::vector<std::string> old;
  for (std::size_t i = order.size(); i-- > 0;) { // oldest first
    const BackupSet& set = *order[i];
    const bool too_many = unproven(set) && unproven_left-- > keep;
    const bool is_protected = set.run_id == policy.current_run_id ||
                              set.run_id == newest_verified || &set == latest ||
                              set.run_id == policy.last_restored_run_id;
    if (is_protected) {
      continue;
    }
    if (set.state == SetState::incomplete) {
      const bool outdated = newest_good != order.end() && set.time < (*newest_good)->time;
      if (outdated || too_many_of_incomplete.contains(&set)) {
        incomplete.push_back(set.run_id);
      }
    } else if (policy.only_incomplete) {
      continue;
    } else if (i >= first_old || too_many) {
      old.push_back(set.run_id);
    }
  }
  plan.run_ids = std::move(incomplete);
  plan.run_ids.insert(plan.run_ids.end(), old.begin(), old.end());
  return plan;
}

Status remove_generation(Directory& directory, const Version& version) {
  Fs& fs = directory.fs();
  const std::string manifest = manifest_name(version.run_id, version.generation);
  const std::string removing = manifest + std::string(k_removing_suffix);
  RB_TRY_ASSIGN(const std::vector<std::string> names, names_of_set(fs, version));
  for (const std::string& name : names) {
    RB_TRY(fs.check_removable(name));
  }
  RB_TRY(fs.check_removable(manifest));
  if (Status renamed = fs.rename_over(manifest, removing); !renamed && !is_missing(renamed)) {
    return renamed;
  }
  // Durable before the first file goes.
  RB_TRY(fs.sync_directory());
  for (const std::string& name : names) {
    RB_TRY(fs.remove(name));
  }
  // Durable before the mark of the removal goes; else its end might be lost and its begin not.
  RB_TRY(fs.sync_directory());
  if (Status removed = fs.remove(removing); !removed && !is_missing(removed)) {
    return removed;
  }
  return fs.sync_directory();
}

Status remove_set(Directory& directory, const std::string& run_id) {
  RB_TRY_ASSIGN(const std::vector<DirectoryEntry> entries, directory.fs().list());
  std::set<unsigned> generations;
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    const bool is_manifest = info.kind == NameKind::manifest || info.kind == NameKind::removing;
    if (entry.regular && info.run_id == run_id && (is_manifest || is_of_set(info))) {
      generations.insert(info.generation);
    }
  }
  // The one that counts goes last: were it the first, the one before would count again.
  for (const unsigned generation : generations) {
    RB_TRY(remove_generation(directory, {run_id, generation}));
  }
  return {};
}

Pruned prune(Directory& directory, const RemovalPlan& plan) {
  Pruned pruned;
  for (const std::string& run_id : plan.run_ids) {
    Status removed = remove_set(directory, run_id);
    if (removed) {
      pruned.removed.push_back(run_id);
    } else {
      pruned.left.push_back({run_id, std::move(removed).error()});
    }
  }
  return pruned;
}

Result<std::vector<std::string>> sweep_leftovers(Directory& directory) {
  RB_TRY_ASSIGN(const std::vector<DirectoryEntry> entries, directory.fs().list());
  std::vector<std::string> removed;
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    if (!entry.regular) {
      continue;
    }
    if (info.kind == NameKind::removing) {
      if (remove_generation(directory, {info.run_id, info.generation})) {
        removed.push_back(entry.name);
      }
    } else if (info.kind == NameKind::part && directory.fs().remove(entry.name)) {
      removed.push_back(entry.name);
    }
  }
  if (!removed.empty()) {
    RB_TRY(directory.fs().sync_directory());
  }
  return removed;
}

} // namespace rb::set
