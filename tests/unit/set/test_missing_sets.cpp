// Gaps in the catalogue of a directory with many sets.
#include "set/missing_sets.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <ctime>

using namespace rb;
using namespace rb::set;
using test::run_id_of_day;

namespace {

/// A host that makes a set a day, and keeps the newest `keep` beside those of `kept_for_good`.
struct Host {
  std::vector<BackupSet> sets; ///< Oldest first.

  void make(int first_day, int last_day, int keep, const std::vector<int>& kept_for_good) {
    for (int day = first_day; day <= last_day; ++day) {
      BackupSet set;
      set.run_id = run_id_of_day(day);
      set.manifest.emplace();
      for (const int old : kept_for_good) {
        if (old < day) {
          set.manifest->catalogue.push_back({run_id_of_day(old), {}});
        }
      }
      for (int before = std::max(0, day - keep); before < day; ++before) {
        set.manifest->catalogue.push_back({run_id_of_day(before), {}});
      }
      sets.push_back(std::move(set));
    }
  }

  [[nodiscard]] std::vector<MissingSet> missing(const std::string& taken_away = {}) const {
    std::vector<const BackupSet*> there;
    std::set<std::string> present;
    for (const BackupSet& set : sets) {
      if (set.run_id != taken_away) {
        there.push_back(&set);
        present.insert(set.run_id);
      }
    }
    return missing_sets(there, present);
  }
};

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

} // namespace

TEST_CASE("of hundreds of sets, what retention took is told from what somebody took, in no time") {
  Host host;
  host.make(0, 0, 0, {});          // one made by hand, long ago
  host.make(1000, 1499, 499, {0}); // hourly ones: each names many that are gone by now
  const double begin = cpu_seconds();
  CHECK(host.missing().empty());
  const auto missing = host.missing(run_id_of_day(1200));
  CHECK(cpu_seconds() - begin < 5.0);
  REQUIRE(missing.size() == 1);
  CHECK(missing.front().link.run_id == run_id_of_day(1200));
  CHECK(missing.front().asker == run_id_of_day(1201));
}
