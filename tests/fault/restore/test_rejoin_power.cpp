// A rejoin loses its power before each step, at the start of k3s, after the end, and on the way
// back. The same command ends it, and the database of before is never lost.
#include "fault/disk/mounts.hpp"
#include "fault/process/tally.hpp"
#include "unit/hostagent/restore/cluster/joining_host.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace rb;
using namespace rb::cluster;
using namespace rb::test;

namespace {

struct Cut {
  std::string name;
  std::optional<Step> before; ///< Nothing: at the start, or after the end.
};

std::vector<Cut> cuts() {
  std::vector<Cut> all;
  for (const Step step : k_rejoin_steps) {
    if (step != Step::put_token) { // of an empty disk
      all.push_back({std::string(word_of(step)), step});
    }
  }
  all.push_back({"at the start", {}});
  all.push_back({"after the end", {}});
  return all;
}

Findings as_before(const JoiningHost& joining) {
  Findings findings;
  const auto expect = [&](const char* path, const char* content) {
    if (joining.host.scratch.read(path) != content) {
      findings.push_back(std::string(path) + " is not what it was");
    }
  };
  expect("data/server/db/etcd/member", "old");
  expect("data/server/tls/ca.crt", "old ca");
  expect("data/server/token", "K10a::server:same\n");
  if (joining.host.scratch.exists(JoiningHost::k_drop_in)) {
    findings.emplace_back("the drop-in is left");
  }
  return findings;
}

/// The power goes at `cut`, and comes back; then the rejoin is ended, and undone with another cut.
Findings try_cut(const Cut& cut, PowerCut how, bool resumed) {
  JoiningHost joining;
  FakeHost& host = joining.host;
  LoopDisk disk(host.data_dir(), "ext4", "data=writeback");
  REQUIRE_MESSAGE(disk.mounted(), "this test needs root and loop devices");
  host.lay_out();
  host.lose_processes();
  host.durable = true;
  host.sync_data();
  const auto lose_power = [&] {
    REQUIRE(disk.cut(how));
    throw Crash();
  };
  host.before_step = [&](Step step) {
    if (cut.before == step) {
      lose_power();
    }
  };
  host.start_crashes = cut.name == "at the start";
  try {
    static_cast<void>(host.execute());
    REQUIRE(disk.cut(how));
  } catch (const Crash&) { // the power is gone
    if (host.start_crashes) {
      REQUIRE(disk.cut(how));
    }
  }
  host.before_step = nullptr;
  host.start_crashes = false;
  host.lose_processes();
  REQUIRE(disk.come_back());
  Findings findings;
  const bool begun = Journal(host.data_dir() + "/railiance-restore").load().value().has_value();
  if (resumed || !begun || cut.name == "after the end") {
    // One that had ended is started by the service manager.
    const Outcome outcome = cut.name == "after the end" && host.start() ? Outcome{} : host.resume();
    if (outcome.code != ExitCode::done || joining.data() != "joined") {
      findings.push_back("it was not ended: " + outcome.message);
    }
  } else if (joining.data() == "joined") {
    static_cast<void>(host.start()); // a member can be taken out only while k3s runs
  }
  // What it says that it brought back survives one cut more.
  const Outcome back = host.roll_back();
  if (!back.rolled_back) {
    findings.push_back("it was not undone: " + back.message);
  }
  REQUIRE(disk.cut(how));
  host.lose_processes();
  REQUIRE(disk.come_back());
  return findings + as_before(joining);
}

} // namespace

TEST_CASE("a rejoin that loses its power is ended by the same command, and can be undone") {
  Tally tally("power cut in a rejoin");
  for (const PowerCut how : {PowerCut::journal_lost, PowerCut::journal_written}) {
    for (const Cut& cut : cuts()) {
      for (const bool resumed : {true, false}) {
        tally.tried(cut.name + (resumed ? ", ended" : ", undone at once"),
                    try_cut(cut, how, resumed));
      }
    }
  }
  CHECK(tally.report());
}
