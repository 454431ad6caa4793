#include "set/retention.hpp"

#include "set/latest.hpp"

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

} // namespace rb::set
