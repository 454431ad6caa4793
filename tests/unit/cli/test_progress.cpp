#include "cli/progress.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cli;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

api::ClusterBackup with(std::vector<api::Condition> conditions) {
  api::ClusterBackup backup;
  backup.status.conditions = std::move(conditions);
  return backup;
}

} // namespace

TEST_CASE("the bar is empty, partly full, full, and never longer than its width") {
  CHECK(bar(0, 100, 10) == "[..........]");
  CHECK(bar(50, 100, 10) == "[#####.....]");
  CHECK(bar(99, 100, 10) == "[#########.]");
  CHECK(bar(100, 100, 10) == "[##########]");
  CHECK(bar(200, 100, 10) == "[##########]");
  CHECK(bar(5, 0, 10) == "[..........]");
}

TEST_CASE("the rate is over a window, and starts over with a new step") {
  Rate rate;
  const TimePoint start{};
  CHECK_FALSE(rate.bytes_per_second());
  rate.add(0, start);
  CHECK_FALSE(rate.bytes_per_second());
  rate.add(100, start + milliseconds(100));
  CHECK_FALSE(rate.bytes_per_second());
  rate.add(1000, start + seconds(1));
  CHECK(rate.bytes_per_second() == 1000U);
  rate.add(10, start + seconds(2));
  CHECK_FALSE(rate.bytes_per_second());
}

TEST_CASE("the live line shows bar, share, size, rate and step, cut to the terminal") {
  const api::Progress progress{"EncryptingSnapshot", 512ULL << 20U, 1ULL << 30U};
  const std::string line = live_line({}, progress, 400ULL << 20U, seconds(3), 200);
  CHECK(line ==
        "0:03  [##########..........] 50% of 1.0 GiB  400.0 MiB/s  encrypting the snapshot");
  CHECK(live_line({}, progress, {}, seconds(3), 20).size() == 20);
  CHECK(live_line({}, {}, {}, seconds(0), 80) == "0:00  waiting for the controller");
  CHECK(live_line({}, api::Progress{"OfTheFuture", 0, 0}, {}, seconds(0), 80) ==
        "0:00  OfTheFuture");
}

namespace {

api::ServerCopy
copy(const char* node, api::CopyState state, const char* reason = "", const char* message = "") {
  api::ServerCopy copy;
  copy.node_name = node;
  copy.result = state;
  copy.reason = reason;
  copy.message = message;
  return copy;
}

} // namespace

TEST_CASE("of a run on several servers each is told of by itself, once") {
  Changes changes;
  api::ClusterBackup backup =
      with({{"Succeeded", api::ConditionStatus::unknown, "Running", "all of them", {}, 1},
            {"Copies", api::ConditionStatus::unknown, "Running", "0 of 3 servers", {}, 1}});
  backup.status.servers = {copy("cp-1", api::CopyState::running, "Running", "TakingSnapshot"),
                           copy("cp-2", api::CopyState::pending),
                           copy("cp-3", api::CopyState::left_out, "NoQuorum", "it is alone")};
  CHECK(changes.lines(backup) ==
        std::vector<std::string>{"cp-1: taking the snapshot",
                                 "cp-3: left out (NoQuorum: it is alone)"});
  CHECK(changes.lines(backup).empty());
  backup.status.servers[0] = copy("cp-1", api::CopyState::succeeded, "Completed");
  backup.status.servers[1] = copy("cp-2", api::CopyState::failed, "StorageFull", "full");
  CHECK(changes.lines(backup) ==
        std::vector<std::string>{"cp-1: done", "cp-2: FAILED (StorageFull: full)"});
  CHECK(live_line(backup, {}, {}, seconds(3), 200) ==
        "0:03  cp-1: done, cp-2: FAILED (StorageFull: full), cp-3: left out");
  CHECK(live_line(backup, api::Progress{"Pruning", 0, 0}, {}, seconds(3), 200) ==
        "0:03  removing old sets  1/3 servers");
}

TEST_CASE("each change is told once") {
  Changes changes;
  const api::Condition queued{
      "Succeeded", api::ConditionStatus::unknown, "Queued", "another run", {}, 1};
  const api::Condition running{
      "Succeeded", api::ConditionStatus::unknown, "Running", "on server-1", {}, 1};
  const api::Condition helm{
      "HelmValuesCollected", api::ConditionStatus::true_, "Completed", "", {}, 1};
  const api::Condition snapshot{
      "SnapshotTaken", api::ConditionStatus::false_, "SnapshotFailed", "disk full", {}, 1};
  CHECK(changes.lines(with({queued})) ==
        std::vector<std::string>{"queued: another run is in progress"});
  CHECK(changes.lines(with({queued})).empty());
  CHECK(changes.lines(with({running, helm})) ==
        std::vector<std::string>{"on server-1", "Helm values collected"});
  CHECK(changes.lines(with({running, helm, snapshot})) ==
        std::vector<std::string>{"snapshot taken: no (SnapshotFailed): disk full"});
}
