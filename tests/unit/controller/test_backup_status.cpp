// BackupStatus and the metrics of the whole: from what the watches said to what is told.
#include "controller/backup_status.hpp"
#include "controller/store.hpp"
#include "fake_api.hpp"
#include "world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using status::CurrentReason;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

constexpr const char* k_object = "/apis/backup.railiance.io/v1alpha1/backupstatuses/cluster";
const Expectation k_nightly{"0 2 * * *", "Etc/UTC", {}};

class SetClock final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override { return time; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override { return steady; }
  void pass(seconds by) {
    time += by;
    steady += by;
  }
  SystemTime time = k_start + hours(1);
  std::chrono::steady_clock::time_point steady{hours(10000)};
};

api::NodeFacts facts(SystemTime report, const std::string& node = "n1") {
  api::NodeFacts facts;
  facts.node_name = node;
  facts.report_time = report;
  facts.last_success_time = k_start;
  facts.last_success_run_id = "20260101T020000Z";
  return facts;
}

nlohmann::json object_of(const std::vector<api::NodeFacts>& nodes) {
  nlohmann::json object = api::new_backup_status();
  object["metadata"]["uid"] = "u";
  for (const api::NodeFacts& node : nodes) {
    object["status"]["nodes"].push_back(api::to_json(node));
  }
  return object;
}

std::string reason_of(const Store& store, SystemTime now) {
  return backup_status_of(store.backup_status(), k_nightly, now).conditions.at(0).reason;
}

nlohmann::json
ended_backup(const char* name, const char* time, const char* status, const char* reason) {
  return {{"metadata", {{"name", name}, {"uid", name}, {"resourceVersion", "1"}}},
          {"status",
           {{"runID", "20260101T020000Z"},
            {"completionTime", time},
            {"conditions",
             {{{"type", "Succeeded"},
               {"status", status},
               {"reason", reason},
               {"message", "m"},
               {"lastTransitionTime", time}}}}}}};
}

double value_of(const std::vector<status::Family>& families,
                const std::string& name,
                const std::string& label = {}) {
  for (const status::Family& family : families) {
    for (const status::Sample& sample : family.samples) {
      if (family.name == name && (label.empty() || sample.labels.at(0).second == label)) {
        return sample.value;
      }
    }
  }
  FAIL("no sample of " << name << " " << label);
  return -1;
}

} // namespace

TEST_CASE("the expected interval is the schedule's longest pause, unless it is given") {
  CHECK(expected_interval(k_nightly, k_start) == hours(24));
  CHECK(expected_interval({"0 2 * * 1-5", "", {}}, k_start) == hours(72));
  CHECK(expected_interval({"@daily", "", {}}, k_start) == hours(24));
  CHECK(expected_interval({"@every 12h", "", {}}, k_start) == hours(12));
  CHECK(expected_interval({"0 2 * * *", "", hours(6)}, k_start) == hours(6));
  CHECK(expected_interval({}, k_start) == seconds(0));
}

TEST_CASE(
    "the next time of the schedule is told where its zone is UTC, and not guessed elsewhere") {
  const auto next = [](const char* zone) {
    return backup_status_of({}, {"0 2 * * *", zone, {}}, k_start).next_schedule_time;
  };
  CHECK(next("Etc/UTC") == k_start + hours(24));
  CHECK_FALSE(next("Europe/Berlin"));
}

TEST_CASE("a report counts as fresh from when it was seen to change, whatever its clock says") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup_status(object_of({facts(clock.time - hours(5))}));
  CHECK(reason_of(store, clock.time) == "FactsStale"); // old when it was first seen
  store.upsert_backup_status(object_of({facts(clock.time - hours(5) + seconds(60))}));
  CHECK(reason_of(store, clock.time) == "Current"); // it changed: somebody is there
  clock.pass(seconds(300));
  CHECK(reason_of(store, clock.time) == "Current");
  clock.pass(seconds(1));
  CHECK(reason_of(store, clock.time) == "FactsStale");
}

TEST_CASE("another object of that kind is nobody's") {
  SetClock clock;
  Store store(clock, {});
  auto other = object_of({facts(clock.time)});
  other["metadata"]["name"] = "mine";
  store.upsert_backup_status(other);
  CHECK_FALSE(store.backup_status().exists);
  store.upsert_backup_status(nlohmann::json::array());
  CHECK_FALSE(store.backup_status().exists);
}

TEST_CASE("a node without an agent is forgotten after a day of silence, one with an agent never") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup_status(object_of({facts(clock.time)}));
  clock.pass(hours(24) + seconds(1));
  CHECK(living_nodes(store.backup_status()).empty());
  store.upsert_agent({{"metadata", {{"name", "agent-1"}}}, {"spec", {{"nodeName", "n1"}}}});
  CHECK(living_nodes(store.backup_status()).size() == 1);
}

TEST_CASE("the last run is the one that ended last, and a failure of it is said at once") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup_status(object_of({facts(clock.time)}));
  store.upsert_backup(ended_backup("b", "2026-01-01T02:30:00Z", "False", "AgentUnavailable"));
  store.upsert_backup(ended_backup("a", "2026-01-01T02:00:00Z", "True", "Completed"));
  CHECK(store.backup_status().last_run->name == "b");
  CHECK(reason_of(store, clock.time) == "LastFailed");
  store.remove_backup("b");
  CHECK(reason_of(store, clock.time) == "Current");
}

TEST_CASE("a run that ended while a clock was ahead is not the last one for years") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup_status(object_of({facts(clock.time)}));
  store.upsert_backup(ended_backup("ahead", "2031-01-01T02:00:00Z", "True", "Completed"));
  CHECK(reason_of(store, clock.time) == "Current"); // its set was moved away
  store.upsert_backup(ended_backup("b", "2026-01-01T02:30:00Z", "False", "StorageFull"));
  CHECK(store.backup_status().last_run->name == "b");
  CHECK(reason_of(store, clock.time) == "LastFailed");
}

TEST_CASE("a run that does not get on is seen by what stands in the objects, over restarts") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup_status(object_of({facts(clock.time)}));
  nlohmann::json run{{"metadata",
                      {{"name", "nightly"},
                       {"uid", "u1"},
                       {"resourceVersion", "1"},
                       {"creationTimestamp", format_rfc3339(clock.time)}}},
                     {"spec", {{"deadlineSeconds", 3600}}}};
  store.upsert_backup(run);
  CHECK(reason_of(store, clock.time) == "Current");
  CHECK(reason_of(store, clock.time + seconds(601)) == "RunStalled"); // nobody begins it
  run["status"] = {{"runID", "20260101T030000Z"},
                   {"startTime", format_rfc3339(clock.time + seconds(500))}};
  store.upsert_backup(run);
  CHECK(reason_of(store, clock.time + seconds(601)) == "Current");
  Store another(clock, {}); // and another controller judges as this one
  another.upsert_backup_status(object_of({facts(clock.time)}));
  another.upsert_backup(run);
  CHECK(reason_of(another, clock.time + seconds(1101)) == "RunStalled");
  another.upsert_order(
      {{"metadata", {{"name", "u1"}, {"uid", "o"}, {"resourceVersion", "1"}}},
       {"spec",
        {{"clusterBackupName", "nightly"},
         {"runID", "20260101T030000Z"},
         {"nodeName", "n1"},
         {"artifacts", {"EtcdSnapshot"}},
         {"keepLast", 7},
         {"deadline", format_rfc3339(clock.time + seconds(4100))}}},
       {"status", {{"heartbeatTime", format_rfc3339(clock.time + seconds(1000))}}}});
  CHECK(reason_of(another, clock.time + seconds(1101)) == "Current");
  const auto families =
      backup_status_families(another.backup_status(), k_nightly, clock.time + seconds(9000));
  CHECK(value_of(families, "railiance_backup_controller_run_stalled") == 1);
}

TEST_CASE(
    "each start of a controller is told once; five are kept; many of them are no quiet True") {
  SetClock clock;
  FakeApi api;
  kube::Client client(api);
  for (int start = 0; start < 7; ++start) {
    clock.pass(seconds(60));
    Store store(clock, {});
    api.objects.try_emplace(k_object, object_of({}));
    api.objects.at(k_object)["status"]["nodes"] = {api::to_json(facts(clock.time))};
    store.upsert_backup_status(api.objects.at(k_object));
    BackupStatusReporter reporter(client, store, clock, k_nightly, [] { return true; });
    REQUIRE(reporter.visit({}));
    REQUIRE(reporter.visit({}));
    const auto& status = api.objects.at(k_object)["status"];
    CHECK(status["controllerStartTimes"].size() == std::min(start + 1, 5));
    CHECK(status["controllerStartTimes"].back() == format_rfc3339(clock.time));
    CHECK(status["conditions"][0]["reason"] == (start < 3 ? "Current" : "ControllerRestarting"));
  }
}

TEST_CASE("why the last run failed, and what it could not remove, are told as metrics") {
  SetClock clock;
  Store store(clock, {});
  const char* const reason = "railiance_backup_controller_last_run_reason";
  const char* const prune = "railiance_backup_controller_last_run_prune_failed";
  CHECK(value_of(backup_status_families({}, k_nightly, k_start), reason, "StorageNotMounted") == 0);
  store.upsert_backup(ended_backup("a", "2026-01-01T02:00:00Z", "False", "StorageNotMounted"));
  auto families = backup_status_families(store.backup_status(), k_nightly, clock.time);
  CHECK(value_of(families, reason, "StorageNotMounted") == 1);
  CHECK(value_of(families, prune) == 0);
  auto backup = ended_backup("b", "2026-01-01T02:30:00Z", "True", "Completed");
  backup["status"]["conditions"].push_back({{"type", "Pruned"},
                                            {"status", "False"},
                                            {"reason", "PruneFailed"},
                                            {"message", "set 20260101T000000Z stays"},
                                            {"lastTransitionTime", "2026-01-01T02:30:00Z"}});
  store.upsert_backup(backup);
  families = backup_status_families(store.backup_status(), k_nightly, clock.time);
  CHECK(value_of(families, reason, "StorageNotMounted") == 0);
  CHECK(value_of(families, prune) == 1);
}

TEST_CASE("that a server has no set of a run that succeeded is told as a metric") {
  SetClock clock;
  Store store(clock, {});
  const char* const name = "railiance_backup_controller_last_run_copies_failed";
  CHECK(value_of(backup_status_families({}, k_nightly, k_start), name) == 0);
  auto backup = ended_backup("a", "2026-01-01T02:00:00Z", "True", "Completed");
  backup["status"]["conditions"].push_back({{"type", "Copies"},
                                            {"status", "False"},
                                            {"reason", "StorageFull"},
                                            {"message", "2 of 3 servers: cp-3: no space"},
                                            {"lastTransitionTime", "2026-01-01T02:00:00Z"}});
  store.upsert_backup(backup);
  const auto families = backup_status_families(store.backup_status(), k_nightly, clock.time);
  CHECK(value_of(families, name) == 1);
  CHECK(value_of(families, "railiance_backup_controller_last_run_state", "Succeeded") == 1);
}

TEST_CASE("since when a copy off-site does not come is told as a metric") {
  SetClock clock;
  const char* const name = "railiance_backup_controller_offsite_waiting_timestamp_seconds";
  CHECK(value_of(backup_status_families({}, k_nightly, k_start), name) == 0);
  Settings settings;
  settings.offsite_since = *parse_rfc3339("2026-01-01T00:00:00Z");
  Store store(clock, settings);
  store.upsert_backup(ended_backup("a", "2026-01-01T02:00:00Z", "True", "Completed"));
  const auto families = backup_status_families(store.backup_status(), k_nightly, clock.time);
  const auto ended = parse_rfc3339("2026-01-01T02:00:00Z")->time_since_epoch().count();
  CHECK(value_of(families, name) == static_cast<double>(ended));
}

TEST_CASE("the metrics of the whole are there from the first moment") {
  const auto families = backup_status_families({}, k_nightly, k_start);
  CHECK(value_of(families, "railiance_backup_current", "Unknown") == 1);
  CHECK(value_of(families, "railiance_backup_current", "True") == 0);
  CHECK(value_of(families, "railiance_backup_expected_interval_seconds") == 86400);
  CHECK(value_of(families, "railiance_backup_controller_last_run_state", "Failed") == 0);
  CHECK(value_of(families, "railiance_backup_controller_last_run_timestamp_seconds") == 0);
  CHECK(value_of(families, "railiance_backup_controller_run_stalled") == 0);
  CHECK(value_of(families, "railiance_backup_controller_recent_starts") == 0);
}

TEST_CASE("the metrics repeat what each node said, silent or not") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup_status(object_of({facts(clock.time, "n1"), facts(clock.time, "n2")}));
  const auto families = backup_status_families(store.backup_status(), k_nightly, clock.time);
  CHECK(value_of(families, "railiance_backup_current", "True") == 1);
  CHECK(value_of(families, "railiance_backup_never_ran", "n1") == 0);
  CHECK(value_of(families, "railiance_backup_facts_timestamp_seconds", "n2") ==
        static_cast<double>(clock.time.time_since_epoch().count()));
}

TEST_CASE("the reporter makes the object, says it once, and renews it each minute") {
  SetClock clock;
  Store store(clock, {});
  FakeApi api;
  kube::Client client(api, kube::Runtime{}, one_attempt());
  BackupStatusReporter reporter(client, store, clock, k_nightly, [] { return true; });
  REQUIRE(reporter.visit({}));
  CHECK(api.count("POST") == 1);
  CHECK(api.count("PATCH") == 1);
  CHECK(api.objects.at(k_object)["status"]["conditions"][0]["reason"] == "AgentUnavailable");

  store.upsert_backup_status(object_of({}));
  clock.pass(seconds(59));
  REQUIRE(reporter.visit({}));
  CHECK(api.count("PATCH") == 1);
  store.upsert_backup_status(object_of({facts(clock.time)}));
  REQUIRE(reporter.visit({})); // something new to say
  CHECK(api.count("PATCH") == 2);
  CHECK(api.objects.at(k_object)["status"]["conditions"][0]["reason"] == "Current");
  clock.pass(seconds(60));
  store.upsert_backup_status(object_of({facts(clock.time)}));
  REQUIRE(reporter.visit({}));
  CHECK(api.count("PATCH") == 3);
  CHECK(api.count("POST") == 1);
}

TEST_CASE("the entry of a node that has been gone for a month is taken out, and no other") {
  SetClock clock;
  Store store(clock, {});
  FakeApi api;
  kube::Client client(api, kube::Runtime{}, one_attempt());
  api.objects[k_object] = object_of({facts(clock.time, "gone-1"),
                                     facts(clock.time, "silent"),
                                     facts(clock.time, "gone-2"),
                                     facts(clock.time, "n1")});
  store.upsert_backup_status(api.objects.at(k_object));
  for (const char* const node : {"silent", "n1"}) {
    store.upsert_agent(
        {{"metadata", {{"name", std::string("agent-") + node}}}, {"spec", {{"nodeName", node}}}});
  }
  const auto nodes = [&] {
    std::vector<std::string> names;
    for (const nlohmann::json& node : api.objects.at(k_object)["status"]["nodes"]) {
      names.push_back(node.at("nodeName").get<std::string>());
    }
    return names;
  };
  BackupStatusReporter reporter(client, store, clock, k_nightly, [] { return true; });
  clock.pass(k_forgotten_after);
  REQUIRE(reporter.visit({}));
  CHECK(nodes().size() == 4);
  CHECK(api.count("PATCH") == 1);
  clock.pass(seconds(60));
  REQUIRE(reporter.visit({}));
  CHECK(nodes() == std::vector<std::string>{"silent", "n1"});
  store.upsert_backup_status(api.objects.at(k_object));
  clock.pass(seconds(60));
  REQUIRE(reporter.visit({}));
  CHECK(api.count("PATCH") == 4);
}

TEST_CASE(
    "the reporter takes an object that another controller made meanwhile, and says failures") {
  SetClock clock;
  Store store(clock, {});
  FakeApi api;
  api.objects[k_object] = object_of({});
  kube::Client client(api, kube::Runtime{}, one_attempt());
  BackupStatusReporter reporter(client, store, clock, k_nightly, [] { return true; });
  CHECK(reporter.visit({}));
  api.fail = [](const kube::Request& request) {
    return request.method == kube::Method::patch ? 403 : 0;
  };
  clock.pass(seconds(60));
  const Status refused = reporter.visit({});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::permission_denied);
}
