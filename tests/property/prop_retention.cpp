// What retention may never do, on random directories.
#include "set/retention.hpp"
#include "set/sets.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

using namespace rb;
using namespace rb::set;

namespace {

struct Case {
  std::vector<BackupSet> sets;
  RetentionPolicy policy;
  SystemTime now{};
};

Case random_case(std::mt19937& random) {
  Case made;
  const SystemTime start = parse_run_id("20260101T020000Z").value();
  std::set<int> hours;
  for (std::size_t i = random() % 15; i > 0; --i) {
    hours.insert(static_cast<int>(random() % 400));
  }
  for (const int hour : hours) {
    BackupSet set;
    set.time = start + std::chrono::hours(hour);
    set.run_id = format_run_id(set.time);
    const std::size_t dice = random() % 10;
    set.state = dice < 6 ? SetState::complete : dice < 8 ? SetState::incomplete : SetState::damaged;
    if (dice == 7) { // the Helm values are missing, or the snapshot is
      set.manifest = test::make_manifest(set.run_id, false);
      if (random() % 2 == 0) {
        set.manifest->snapshot.reset();
      }
    }
    if (dice < 3) {
      set.manifest.emplace();
      set.manifest->complete = true;
      set.manifest->proof.emplace();
      set.manifest->proof->reason = dice == 0 ? api::Reason::completed : api::Reason::proof_failed;
    }
    made.sets.push_back(std::move(set));
  }
  std::shuffle(made.sets.begin(), made.sets.end(), random);
  made.policy.keep_last = static_cast<int>(random() % 9) - 1;
  if (!made.sets.empty() && random() % 2 == 0) {
    made.policy.current_run_id = made.sets[random() % made.sets.size()].run_id;
  }
  if (!made.sets.empty() && random() % 3 == 0) {
    made.policy.newest_verified_run_id = made.sets[random() % made.sets.size()].run_id;
  }
  if (!made.sets.empty() && random() % 3 == 0) {
    made.policy.last_restored_run_id = made.sets[random() % made.sets.size()].run_id;
  }
  made.policy.only_incomplete = random() % 4 == 0;
  made.now = start + std::chrono::hours(random() % 500);
  return made;
}

std::vector<BackupSet> after(const Case& given, const RemovalPlan& plan) {
  std::vector<BackupSet> left;
  for (const BackupSet& set : given.sets) {
    if (std::find(plan.run_ids.begin(), plan.run_ids.end(), set.run_id) == plan.run_ids.end()) {
      left.push_back(set);
    }
  }
  return left;
}

bool is_unproven(const BackupSet& set) {
  return set.state == SetState::complete && !is_good(set);
}

bool has_incomplete_cluster(const BackupSet& set) {
  return set.state == SetState::incomplete && can_restore_cluster(set);
}

bool lacks_cluster(const BackupSet& set) {
  return set.state == SetState::incomplete && set.manifest && !can_restore_cluster(set);
}

std::vector<const BackupSet*> newest_first(const std::vector<BackupSet>& sets) {
  std::vector<const BackupSet*> order;
  for (const BackupSet& set : sets) {
    order.push_back(&set);
  }
  std::ranges::sort(order, std::ranges::greater(), &BackupSet::time);
  return order;
}

std::vector<SystemTime> times_of(const std::vector<BackupSet>& sets,
                                 bool (*wanted)(const BackupSet&)) {
  std::vector<SystemTime> times;
  for (const BackupSet& set : sets) {
    if (wanted(set)) {
      times.push_back(set.time);
    }
  }
  std::sort(times.rbegin(), times.rend());
  return times;
}

} // namespace

TEST_CASE("select_for_removal keeps its promises on 20,000 random directories") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  MESSAGE("seed ", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    const Case given = random_case(random);
    const RemovalPlan plan = select_for_removal(given.sets, given.policy, given.now);
    const std::vector<BackupSet> left = after(given, plan);
    const std::set<std::string> going(plan.run_ids.begin(), plan.run_ids.end());

    // Every name once, and only names that are there.
    REQUIRE(going.size() == plan.run_ids.size());
    REQUIRE(left.size() + going.size() == given.sets.size());

    const auto good_before = times_of(given.sets, is_good);
    const auto good_after = times_of(left, is_good);
    const auto keep = static_cast<std::size_t>(std::max(given.policy.keep_last, 1));
    // The newest good sets stay, as many as are to be kept.
    const std::size_t must_stay = std::min(keep, good_before.size());
    REQUIRE(good_after.size() >= must_stay);
    REQUIRE(std::equal(good_before.begin(),
                       good_before.begin() + static_cast<std::ptrdiff_t>(must_stay),
                       good_after.begin()));

    const bool clock_went_back =
        std::any_of(given.sets.begin(), given.sets.end(), [&](const BackupSet& set) {
          return set.time > given.now + k_clock_tolerance;
        });
    REQUIRE(plan.clock_anomaly == clock_went_back);
    if (clock_went_back) {
      REQUIRE(plan.run_ids.empty());
      continue;
    }
    if (given.policy.only_incomplete) {
      for (const BackupSet& set : given.sets) {
        REQUIRE((set.state == SetState::incomplete || !going.contains(set.run_id)));
      }
    }
    // Incomplete ones are bounded, of those with and of those without a cluster.
    REQUIRE(times_of(left, has_incomplete_cluster).size() <= keep + 4);
    REQUIRE(times_of(left, lacks_cluster).size() <= keep + 4);
    // What latest names stays.
    const auto latest_before = newest_first(given.sets);
    if (const BackupSet* const latest = latest_of(latest_before)) {
      REQUIRE(!going.contains(latest->run_id));
    }
    if (given.policy.only_incomplete) {
      continue;
    }
    // The unproven are bounded for themselves.
    REQUIRE(times_of(left, is_unproven).size() <= keep + 3);
    if (good_before.empty()) {
      for (const BackupSet& set : given.sets) {
        REQUIRE((is_unproven(set) || !going.contains(set.run_id) ||
                 (set.state == SetState::incomplete && set.manifest)));
      }
      const auto unproven_before = times_of(given.sets, is_unproven);
      const auto unproven_after = times_of(left, is_unproven);
      REQUIRE((unproven_before.empty() || unproven_before.front() == unproven_after.front()));
      continue;
    }
    REQUIRE(!going.contains(given.policy.current_run_id));
    if (given.policy.newest_verified_run_id) {
      REQUIRE(!going.contains(*given.policy.newest_verified_run_id));
    }
    REQUIRE(!going.contains(given.policy.last_restored_run_id));
    // Not more than the protected ones are left over.
    REQUIRE(good_after.size() <= must_stay + 4);
    for (const BackupSet& set : left) {
      const bool spared = &set == latest_of(newest_first(left)) ||
                          set.run_id == given.policy.current_run_id ||
                          set.run_id == given.policy.newest_verified_run_id ||
                          set.run_id == given.policy.last_restored_run_id;
      REQUIRE((set.state != SetState::incomplete || spared || set.time > good_before.front()));
    }
    // Nothing newer than the newest good set goes but unproven ones, and incomplete ones go first.
    bool seen_other = false;
    for (const std::string& run_id : plan.run_ids) {
      const auto set = std::find_if(given.sets.begin(),
                                    given.sets.end(),
                                    [&](const BackupSet& each) { return each.run_id == run_id; });
      REQUIRE((set->time < good_before.front() || is_unproven(*set) ||
               (set->state == SetState::incomplete && set->manifest)));
      REQUIRE(!(set->state == SetState::incomplete && seen_other));
      seen_other = seen_other || set->state != SetState::incomplete;
    }
    // Once applied, there is nothing more to do.
    RetentionPolicy again = given.policy;
    REQUIRE(select_for_removal(left, again, given.now).run_ids.empty());
  }
}
