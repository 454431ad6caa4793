// Requests that were left over: what came back without its status, and what the schedule left while
// nobody was there, are not carried out one after the other.
#include "controller/plan.hpp"
#include "world.hpp"

#include "api/backup.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;

TEST_CASE("requests that came back without their status do not run one after the other") {
  Observed observed = cluster();
  for (int day = 1; day <= 14; ++day) {
    const SystemTime then = k_start - std::chrono::hours{24 * day};
    api::ClusterBackup before = backup("nightly-" + std::to_string(day));
    before.meta.annotations[std::string(api::k_run_annotation)] =
        before.meta.name + "/" + format_run_id(then);
    before.spec.scheduled = true;
    before.spec.ttl_seconds_after_finished = 10 * 86400;
    add(observed, std::move(before));
  }
  add(observed, backup("of-now", 30));
  settle(observed);
  CHECK(observed.orders.size() == 1);
  CHECK(observed.orders.contains("uid-of-now"));
  CHECK(succeeded(observed, "uid-nightly-3").reason == "NotRepeated");
  CHECK(observed.backups.at("uid-nightly-3").status.completion_time ==
        k_start - std::chrono::hours{72});
  // Its time has passed, as it had before.
  CHECK_FALSE(observed.backups.contains("uid-nightly-14"));
  CHECK(plan(observed).empty());
}

TEST_CASE("what the schedule left while nobody was there is one run, not one for each night") {
  Observed observed = cluster();
  const auto add_nightly = [&](const std::string& name, int nights_ago) {
    api::ClusterBackup nightly = backup(name, -86400 * nights_ago);
    nightly.spec.scheduled = true;
    add(observed, nightly);
    return nightly;
  };
  for (int night = 1; night <= 14; ++night) {
    add_nightly("nightly-" + std::to_string(night), night);
  }
  add(observed, backup("by-hand", -86400 * 3));
  api::ClusterBackup other = add_nightly("on-one-server", 5);
  other.spec.servers = api::Servers::one;
  add(observed, other);
  int runs = 0;
  for (settle(observed); active_run(observed) != nullptr; settle(observed)) {
    ++runs;
    const std::string uid = active_run(observed)->meta.uid;
    accept(observed, uid);
    finish(observed, uid);
    observed.now += std::chrono::seconds{1};
  }
  CHECK(runs == 3);
  for (const char* const carried_out : {"uid-nightly-1", "uid-by-hand", "uid-on-one-server"}) {
    CHECK(succeeded(observed, carried_out).reason == "Completed");
  }
  CHECK(succeeded(observed, "uid-nightly-14").reason == "Superseded");
  CHECK(succeeded(observed, "uid-nightly-2").reason == "Superseded");
  CHECK(succeeded(observed, "uid-nightly-2").message.find("nightly-1, a newer request") !=
        std::string::npos);
  CHECK(plan(observed).empty());
}

TEST_CASE("a request of the schedule that waits for less than an hour has its turn") {
  Observed observed = cluster();
  for (const int seconds : {0, 60}) {
    api::ClusterBackup request = backup("at-" + std::to_string(seconds), seconds);
    request.spec.scheduled = true;
    add(observed, request);
  }
  observed.now = k_start + std::chrono::minutes{59};
  CHECK(active_run(observed)->meta.name == "at-0");
  observed.now = k_start + std::chrono::hours{1};
  CHECK(active_run(observed)->meta.name == "at-60");
  observed.backups.at("uid-at-0").status.run_id = "20260101T025900Z"; // it has begun
  CHECK(active_run(observed)->meta.name == "at-0");
}
