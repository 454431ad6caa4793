// Power cuts on a real file system: at every call of a run that changes the backup directory, and
// right after a run that said it was done.
#include "fault/disk/mounts.hpp"
#include "fault/process/campaign.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace rb;
using namespace rb::test;

namespace {

struct Medium {
  const char* kind;
  const char* options;
  PowerCut how;
  bool in_short;
};

constexpr Medium k_media[] = {
    {"ext4", "data=ordered", PowerCut::journal_lost, true},
    {"ext4", "data=ordered", PowerCut::journal_written, false},
    {"ext4", "data=writeback", PowerCut::journal_written, true},
    {"ext4", "data=writeback", PowerCut::journal_lost, false},
    {"ext4", "data=journal", PowerCut::journal_lost, false},
    {"xfs", "defaults", PowerCut::journal_lost, true},
    {"xfs", "defaults", PowerCut::journal_written, false},
};

void cut_everywhere(const std::string& operation_name, const Medium& medium, std::size_t few) {
  FakeHost host;
  host.scratch.write("tool", "the static program");
  host.scratch.write("keys.txt", std::string(host.identity.text().text()) + "\n");
  LoopDisk disk(host.settings.backup_dir, medium.kind, medium.options);
  REQUIRE_MESSAGE(disk.mounted(), "this test needs root and loop devices");
  REQUIRE(host.run().succeeded());
  REQUIRE(host.run().succeeded());
  Operation operation(host, operation_name);
  if (operation_name == "sweep") {
    operation.before = [&host] { plant_leftovers(host); };
  }
  const Which which = writes_to(host.settings.backup_dir);
  const std::size_t calls = operation.calls(which);
  Tally tally("power cut, " + operation_name + " on " + medium.kind + " " + medium.options +
              (medium.how == PowerCut::journal_lost ? ", journal lost" : ", journal written"));
  // One more than there are calls: the cut that follows the end.
  for (const std::size_t number : numbers(calls + 1, few)) {
    const Findings start = check_next_run(host);
    INFO((start.empty() ? std::string() : start.front()));
    REQUIRE(start.empty());
    const Sets before = complete_sets(host);
    std::size_t seen = 0;
    const Which here = [&](const Call& call) {
      const bool mine = which(call) && seen++ == number;
      if (mine) {
        REQUIRE(disk.cut(medium.how));
      }
      return mine;
    };
    const Attempt attempt = operation.meet(here, 0, {Action::Kind::kill, 0});
    if (!attempt.hit) {
      REQUIRE(disk.cut(medium.how));
    }
    REQUIRE(disk.come_back());
    Findings findings =
        check_sets(host) + (operation_name == "rewrap"
                                ? check_still_complete(before, host)
                                : check_history(before, host, operation_name == "prune" ? 1 : 2));
    if (attempt.traced.exit_code == 0 && operation_name == "backup" &&
        !complete_sets(host).contains(attempt.run_id)) {
      findings.push_back("success was reported, and the set is gone");
    }
    tally.count(attempt.traced.signal == SIGKILL ? "in mid-run" : "after the end");
    tally.tried((attempt.hit ? attempt.hit->call + " " + attempt.hit->path : "the end") +
                    " (number " + std::to_string(number) + ")",
                findings + check_next_run(host));
  }
  CHECK(tally.report());
}

} // namespace

TEST_CASE("after a power cut at any point of a run, what was reported is there, and runs go on") {
  for (const Medium& medium : k_media) {
    if (!LoopDisk::can_make(medium.kind)) {
      std::printf("NOT RUN: no mkfs.%s (make deps installs it)\n", medium.kind);
      continue;
    }
    if (long_campaign() || medium.in_short) {
      cut_everywhere("backup", medium, 12);
    }
  }
}

TEST_CASE("after a power cut at any point of pruning and sweeping, runs go on") {
  cut_everywhere("prune", k_media[0], 8);
  cut_everywhere("sweep", k_media[0], 8);
}

TEST_CASE("after a power cut at any point of a rewrap the sets are whole, and runs go on") {
  cut_everywhere("rewrap", k_media[0], 20);
}
