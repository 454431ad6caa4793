// What retention may never do, on random directories.
#include "artifact/retention.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

using namespace rb;
using namespace rb::artifact;

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

std::vector<SystemTime> times_of(const std::vector<BackupSet>& sets, SetState state) {
  std::vector<SystemTime> times;
  for (const BackupSet& set : sets) {
    if (set.state == state) {
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

    const auto complete_before = times_of(given.sets, SetState::complete);
    const auto complete_after = times_of(left, SetState::complete);
    const auto keep = static_cast<std::size_t>(std::max(given.policy.keep_last, 1));
    // The newest complete sets stay, as many as are to be kept.
    const std::size_t must_stay = std::min(keep, complete_before.size());
    REQUIRE(complete_after.size() >= must_stay);
    REQUIRE(std::equal(complete_before.begin(),
                       complete_before.begin() + static_cast<std::ptrdiff_t>(must_stay),
                       complete_after.begin()));

    const bool clock_went_back =
        std::any_of(given.sets.begin(), given.sets.end(), [&](const BackupSet& set) {
          return set.time > given.now + k_clock_tolerance;
        });
    REQUIRE(plan.clock_anomaly == clock_went_back);
    if (clock_went_back || complete_before.empty()) {
      REQUIRE(plan.run_ids.empty());
      continue;
    }
    REQUIRE(!going.contains(given.policy.current_run_id));
    if (given.policy.newest_verified_run_id) {
      REQUIRE(!going.contains(*given.policy.newest_verified_run_id));
    }
    REQUIRE(!going.contains(given.policy.last_restored_run_id));
    // Not more than the protected ones are left over.
    REQUIRE(complete_after.size() <= must_stay + 3);
    for (const BackupSet& set : left) {
      const bool spared = set.run_id == given.policy.current_run_id ||
                          set.run_id == given.policy.newest_verified_run_id ||
                          set.run_id == given.policy.last_restored_run_id;
      REQUIRE((set.state != SetState::incomplete || spared || set.time > complete_before.front()));
    }
    // Nothing newer than the newest complete set goes, and incomplete ones go first.
    bool seen_other = false;
    for (const std::string& run_id : plan.run_ids) {
      const auto set = std::find_if(given.sets.begin(),
                                    given.sets.end(),
                                    [&](const BackupSet& each) { return each.run_id == run_id; });
      REQUIRE(set->time < complete_before.front());
      REQUIRE(!(set->state == SetState::incomplete && seen_other));
      seen_other = seen_other || set->state != SetState::incomplete;
    }
    // Once applied, there is nothing more to do.
    RetentionPolicy again = given.policy;
    REQUIRE(select_for_removal(left, again, given.now).run_ids.empty());
  }
}
