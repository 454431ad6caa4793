// A restore of a whole cluster loses its power: before each step, in the middle of the reset, after
// the end, and on the way back. The same command ends it, and the old database is never lost.
#include "fault/disk/mounts.hpp"
#include "fault/process/tally.hpp"
#include "unit/hostagent/restore/cluster/fake_host.hpp"

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
  std::optional<Step> before; ///< Nothing: at the reset, at the start, or after the end.
};

std::vector<Cut> cuts() {
  std::vector<Cut> all;
  for (const Step step : k_steps) {
    if (step != Step::put_back) { // of bare hosts
      all.push_back({std::string(word_of(step)), step});
    }
  }
  all.push_back({"at the reset", {}});
  all.push_back({"at the start", {}});
  all.push_back({"after the end", {}});
  return all;
}

Findings as_before(const FakeHost& host) {
  Findings findings;
  const auto expect = [&](const char* path, const char* content) {
    if (host.scratch.read(path) != content) {
      findings.push_back(std::string(path) + " is not what it was");
    }
  };
  if (host.datastore == api::DatastoreKind::etcd) {
    expect("data/server/db/etcd/member", "old");
  } else {
    expect("data/server/db/state.db", "old");
    const std::string log = host.scratch.read("data/server/db/state.db-wal");
    if (!log.starts_with("old log")) {
      findings.push_back("the log of the old database is not what it was: " + log);
    }
  }
  expect("data/server/tls/ca.crt", "old ca");
  expect("data/server/cred/passwd", "old passwd");
  expect("data/server/token", "K10a::server:same\n");
  return findings;
}

/// The power goes at `cut`, and comes back; then the restore is ended, and undone with another cut.
Findings try_cut(const Cut& cut, PowerCut how, bool resumed, api::DatastoreKind datastore) {
  FakeHost host(false, datastore);
  LoopDisk disk(host.data_dir(), "ext4", "data=writeback");
  REQUIRE_MESSAGE(disk.mounted(), "this test needs root and loop devices");
  host.lay_out();
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
  host.before_reset = [&] { cut.name == "at the reset" ? lose_power() : void(); };
  host.before_start = [&] { cut.name == "at the start" ? lose_power() : void(); };
  try {
    static_cast<void>(host.execute());
    REQUIRE(disk.cut(how));
  } catch (const Crash&) { // the power is gone
  }
  host.before_step = nullptr;
  host.before_reset = nullptr;
  host.before_start = nullptr;
  host.lose_processes();
  REQUIRE(disk.come_back());
  Findings findings;
  const bool begun = Journal(host.data_dir() + "/railiance-restore").load().value().has_value();
  if (resumed || !begun) {
    const Outcome outcome = host.resume();
    if (outcome.code != ExitCode::done || host.data() != "restored") {
      findings.push_back("it was not ended: " + outcome.message);
    }
  }
  // On the way back the power goes once more, just before k3s is started.
  host.before_start = lose_power;
  try {
    static_cast<void>(host.roll_back());
  } catch (const Crash&) {
  }
  host.before_start = nullptr;
  host.lose_processes();
  REQUIRE(disk.come_back());
  const Outcome back = host.roll_back();
  if (!back.rolled_back) {
    findings.push_back("it was not undone: " + back.message);
  }
  return findings + as_before(host);
}

} // namespace

TEST_CASE("a restore that loses its power is ended by the same command, and can be undone") {
  Tally tally("power cut in a restore of a cluster");
  for (const auto datastore : {api::DatastoreKind::etcd, api::DatastoreKind::sqlite}) {
    for (const PowerCut how : {PowerCut::journal_lost, PowerCut::journal_written}) {
      for (const Cut& cut : cuts()) {
        for (const bool resumed : {true, false}) {
          tally.tried(std::string(word_of(datastore)) + ": " + cut.name +
                          (resumed ? ", ended" : ", undone at once"),
                      try_cut(cut, how, resumed, datastore));
        }
      }
    }
  }
  CHECK(tally.report());
}
