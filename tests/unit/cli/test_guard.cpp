// guard: whole commands, as the prepare container of an upgrade Plan runs them.
#include "fake_cluster.hpp"

#include "api/backup_status.hpp"
#include "base/json_fields.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace rb;
using namespace rb::test;

namespace {

constexpr const char* k_path = "/apis/backup.railiance.io/v1alpha1/backupstatuses/cluster";

SystemTime at(const char* text) {
  return parse_rfc3339(text).value();
}

/// As an agent left it at 11:51 of the 22nd: a proven set of 02:00.
api::NodeFacts good_node(const char* name = "server-1") {
  api::NodeFacts node;
  node.node_name = name;
  node.report_time = at("2026-11-22T11:51:40Z");
  node.datastore = api::Datastore::embedded_etcd;
  node.last_success_run_id = "20261122T020000Z";
  node.last_success_time = at("2026-11-22T02:00:41Z");
  node.last_success_k3s_version = "v1.34.4+k3s1";
  node.last_success_proof = "Proven";
  node.complete_sets = 7;
  return node;
}

/// A cluster whose controller looked at 11:52:00; the commands run at 11:52:16.
struct Cluster : FakeCluster {
  std::vector<api::NodeFacts> nodes;

  explicit Cluster(std::vector<api::NodeFacts> of) : nodes(std::move(of)) {
    answer = [this](const kube::Request& request) -> std::optional<kube::Response> {
      if (request.path != k_path) {
        return std::nullopt;
      }
      return kube::Response{200, std::chrono::seconds(0), object().dump()};
    };
  }

  [[nodiscard]] nlohmann::json object() const {
    api::BackupStatusStatus all;
    all.conditions = {{"BackupCurrent",
                       api::ConditionStatus::true_,
                       "Current",
                       "m",
                       at("2026-11-22T02:00:41Z"),
                       1}};
    all.observed_time = at("2026-11-22T11:52:00Z");
    nlohmann::json json = api::controller_apply(all);
    json["status"]["nodes"] = nlohmann::json::array();
    for (const api::NodeFacts& node : nodes) {
      json["status"]["nodes"].push_back(api::to_json(node));
    }
    return json;
  }
};

Outcome guard(FakeCluster& cluster, std::vector<std::string> more = {}, RunOptions options = {}) {
  std::vector<std::string> args{"guard", "--for", "v1.35.1+k3s1"};
  args.insert(args.end(), more.begin(), more.end());
  return run_command(cluster, args, options);
}

} // namespace

TEST_CASE("guard lets an upgrade begin, and says what leads back") {
  Cluster cluster({good_node()});
  const Outcome outcome = guard(cluster);
  CHECK(outcome.code == 0);
  CHECK(outcome.err.empty());
  CHECK(outcome.out ==
        "GO: server-1: its newest complete set 20261122T020000Z, 9h old, of v1.34.4+k3s1, is "
        "proven: a server was booted from it\n"
        "way back: v1.35.1+k3s1 brings etcd 3.6, as v1.34.4+k3s1 does, but k3s goes back from "
        "v1.35 to v1.34 only with the data of before: after the upgrade only a restore leads back, "
        "of set 20261122T020000Z on server-1, with k3s v1.34.4+k3s1. Keep it\n");
  CHECK(cluster.created.empty()); // it makes nothing
}

TEST_CASE("guard within a minor release: a downgrade needs only the binary") {
  Cluster cluster({good_node()});
  const Outcome outcome = run_command(cluster, {"guard", "--for", "v1.34.5-k3s1"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out,
            "way back: v1.34.5-k3s1 brings etcd 3.6, as v1.34.4+k3s1 does: a downgrade needs only "
            "the binary; set 20261122T020000Z on server-1, with k3s v1.34.4+k3s1, leads back to "
            "before\n"));
}

TEST_CASE("guard refuses in one sentence, with what to do") {
  api::NodeFacts node = good_node();
  node.last_success_time = at("2026-11-21T02:00:41Z");
  node.last_success_run_id = "20261121T020000Z";
  Cluster cluster({node});
  const Outcome outcome = guard(cluster);
  CHECK(outcome.code == 9);
  CHECK(has(outcome.out,
            "NO GO (Stale): server-1: its newest complete set 20261121T020000Z, 33h old, is too "
            "old: 24h are allowed\n"));
  CHECK(has(outcome.out, "hint: railiance-backup create --wait --verification boot"));
  CHECK(guard(cluster, {"--max-age", "2d"}).code == 0);
}

TEST_CASE("guard: a set that nothing was shown of will do only where that is said") {
  api::NodeFacts node = good_node();
  node.last_success_proof.clear();
  Cluster cluster({node});
  CHECK(guard(cluster).code == 3);
  CHECK(guard(cluster, {"--require", "boot"}).code == 3);
  CHECK(guard(cluster, {"--require", "drill"}).code == 3);
  const Outcome verified = guard(cluster, {"--require", "verified"});
  CHECK(verified.code == 0);
  CHECK(has(verified.out, "of v1.34.4+k3s1, is verified\n"));
}

TEST_CASE("guard: damaged and foreign sets are 6") {
  api::NodeFacts node = good_node();
  node.damaged_sets = 1;
  Cluster damaged({node});
  CHECK(guard(damaged).code == 6);
  node = good_node();
  node.untrusted_sets = 1;
  Cluster untrusted({node});
  const Outcome outcome = guard(untrusted);
  CHECK(outcome.code == 6);
  CHECK(has(outcome.out, "NO GO (Untrusted): server-1: 1 set and 0 files"));
  CHECK(has(outcome.out, "railiance-restore verify --all"));
}

TEST_CASE("guard of several servers: one that has none stops the upgrade, and is named") {
  api::NodeFacts second = good_node("server-2");
  second.last_success_run_id.clear();
  second.last_success_time = {};
  Cluster cluster({good_node(), second});
  const Outcome outcome = guard(cluster);
  CHECK(outcome.code == 3);
  CHECK(has(outcome.out, "NO GO (Incomplete): server-2: there is no complete set\n"));
  CHECK(has(outcome.out, "  server-1  Ready     its newest complete set"));
  CHECK(has(outcome.out, "  server-2  NeverRan  there is no complete set\n"));
  CHECK(guard(cluster, {"--servers", "one"}).code == 0);
}

TEST_CASE("guard believes nothing that nobody has kept for five minutes") {
  Cluster cluster({good_node()});
  RunOptions later;
  later.now = "20261122T115701Z";
  const Outcome outcome = guard(cluster, {}, later);
  CHECK(outcome.code == 8);
  CHECK(has(outcome.out,
            "NO GO (ControllerUnavailable): no controller has looked since 2026-11-22T11:52:00Z"));
}

TEST_CASE("guard: an agent that fell silent is 8") {
  api::NodeFacts node = good_node();
  node.report_time = at("2026-11-22T11:40:00Z");
  Cluster cluster({node});
  const Outcome outcome = guard(cluster);
  CHECK(outcome.code == 8);
  CHECK(has(outcome.out, "(FactsStale): server-1: its agent has said nothing for 12m"));
}

TEST_CASE("guard without the object, without the right to it, without a cluster: 8, never 0") {
  FakeCluster empty;
  Outcome outcome = guard(empty);
  CHECK(outcome.code == 8);
  CHECK(has(outcome.out, "there is no BackupStatus"));

  FakeCluster forbidden;
  forbidden.answer = [](const kube::Request&) -> std::optional<kube::Response> {
    return kube::Response{403,
                          {},
                          nlohmann::json{{"kind", "Status"},
                                         {"reason", "Forbidden"},
                                         {"message", "system-upgrade cannot get backupstatuses"},
                                         {"code", 403}}
                              .dump()};
  };
  outcome = guard(forbidden);
  CHECK(outcome.code == 8);
  CHECK(has(outcome.out, "BackupStatus may not be read"));
  CHECK(has(outcome.out, "upgradeGuard.enabled"));

  FakeCluster down;
  down.down = true;
  outcome = guard(down);
  CHECK(outcome.code == 8);
  CHECK(has(outcome.err, "connection refused"));
  CHECK(outcome.out.empty());
}

TEST_CASE(
    "guard: a server that does not answer, or does not know us, is neither Stale nor Downgrade") {
  for (const int http_status : {504, 401}) {
    CAPTURE(http_status);
    FakeCluster cluster;
    cluster.answer = [http_status](const kube::Request&) -> std::optional<kube::Response> {
      return kube::Response{http_status, std::chrono::seconds(0), "{}"};
    };
    CHECK(guard(cluster).code == 8);
  }
}

TEST_CASE("guard that is told to stop says so by the signal") {
  FakeCluster cluster;
  cluster.down = true; // it is tried again
  std::stop_source stop;
  stop.request_stop();
  RunOptions options;
  options.stop = stop.get_token();
  options.signal = 15;
  CHECK(guard(cluster, {}, options).code == 143);
}

TEST_CASE("guard for scripts") {
  Cluster cluster({good_node()});
  auto json = json_of(guard(cluster, {"--output", "json"}).out);
  CHECK(json["go"] == true);
  CHECK(json["reason"] == "Ready");
  CHECK(json["exitCode"] == 0);
  CHECK(json["for"] == "v1.35.1+k3s1");
  CHECK(json["wayBack"]["needs"] == "Restore");
  CHECK(json["nodes"][0]["runID"] == "20261122T020000Z");
  CHECK(json["nodes"][0]["k3sVersion"] == "v1.34.4+k3s1");

  FakeCluster empty;
  const Outcome outcome = guard(empty, {"--output", "json"});
  json = json_of(outcome.out);
  CHECK(json["go"] == false);
  CHECK(json["exitCode"] == outcome.code);
  CHECK(json["wayBack"].is_null());
}

TEST_CASE("guard --backup makes one where none will do, boots it, and looks again") {
  api::NodeFacts node = good_node();
  node.last_success_proof.clear();
  Cluster cluster({node});
  cluster.watches.push_back({}); // of the run; what it sends is set below
  cluster.on_watch = [&] {
    // The run ends, and the agent sees its set.
    cluster.nodes[0].last_success_run_id = "20261122T115216Z";
    cluster.nodes[0].last_success_time = at("2026-11-22T11:52:16Z");
    cluster.nodes[0].last_success_proof = "Proven";
  };
  auto ended = a_backup("manual-20261122t115216z", "True", "Completed");
  ended["status"]["runID"] = "20261122T115216Z";
  ended["status"]["nodeName"] = "server-1";
  cluster.watches.front().objects = {ended};
  const Outcome outcome = guard(cluster, {"--backup"});
  CHECK(outcome.code == 0);
  REQUIRE(cluster.created.size() == 1);
  CHECK(cluster.created[0]["spec"]["verification"] == "Boot");
  CHECK_FALSE(cluster.created[0]["spec"].contains("nodeName")); // there is one server only
  CHECK(has(outcome.err, "making a backup first: server-1: its newest complete set"));
  CHECK(outcome.out.starts_with("GO: server-1: its newest complete set 20261122T115216Z"));
}

TEST_CASE("guard --backup: a run that fails leaves the verdict as it was") {
  api::NodeFacts node = good_node();
  node.last_success_time = at("2026-11-20T02:00:41Z");
  Cluster cluster({node});
  cluster.watches.push_back(
      {{a_backup("manual-20261122t115216z", "False", "StorageFull", "no space")}});
  const Outcome outcome = guard(cluster, {"--backup"});
  CHECK(outcome.code == 9);
  CHECK(has(outcome.err, "StorageFull"));
  CHECK(has(outcome.out, "NO GO (Stale)"));
}

TEST_CASE("guard --backup makes none where a set will do, or where none would help") {
  Cluster ready({good_node()});
  CHECK(guard(ready, {"--backup"}).code == 0);
  CHECK(ready.created.empty());
  api::NodeFacts node = good_node();
  node.untrusted_sets = 1;
  Cluster untrusted({node});
  CHECK(guard(untrusted, {"--backup"}).code == 6);
  CHECK(untrusted.created.empty());
}

TEST_CASE("guard takes the release from the Plan, and refuses what cannot be meant") {
  Cluster cluster({good_node()});
  CHECK(run_command(cluster, {"guard"}).code == 2);
  for (const std::vector<std::string>& args : {std::vector<std::string>{"--for", "stable"},
                                               {"--for", "v1.35.1+k3s1", "--max-age", "soon"},
                                               {"--for", "v1.35.1+k3s1", "--require", "luck"},
                                               {"--for", "v1.35.1+k3s1", "--servers", "two"}}) {
    std::vector<std::string> all{"guard"};
    all.insert(all.end(), args.begin(), args.end());
    CAPTURE(args.back());
    const Outcome outcome = run_command(cluster, all);
    CHECK(outcome.code == 2);
    CHECK(has(outcome.err, args.back()));
  }
  REQUIRE(::setenv("SYSTEM_UPGRADE_PLAN_LATEST_VERSION", "v1.35.1-k3s1", 1) == 0);
  const Outcome planned = run_command(cluster, {"guard"});
  CHECK(run_command(cluster, {"list"}).code == 0); // no matter of other commands
  REQUIRE(::unsetenv("SYSTEM_UPGRADE_PLAN_LATEST_VERSION") == 0);
  CHECK(planned.code == 0);
  CHECK(has(planned.out, "v1.35.1-k3s1 brings etcd 3.6"));
}
