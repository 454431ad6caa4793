// status: one look at all of it, and an exit code that scripts can use.
#include "cli/connect.hpp"
#include "fake_cluster.hpp"

#include "api/backup_status.hpp"
#include "base/json_fields.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::test;

namespace {

constexpr const char* k_path = "/apis/backup.railiance.io/v1alpha1/backupstatuses/cluster";

SystemTime at(const char* text) {
  return parse_rfc3339(text).value();
}

/// As the controller and one agent left it, at 11:52 of the 22nd.
nlohmann::json backup_status(const char* status, const char* reason, const char* message) {
  api::NodeFacts node;
  node.node_name = "server-1";
  node.report_time = at("2026-11-22T11:51:40Z");
  node.version = "0.1.0";
  node.last_success_run_id = "20261122T020000Z";
  node.last_success_time = at("2026-11-22T02:00:41Z");
  node.artifacts[api::ArtifactType::datastore] = {node.last_success_time, 12897485, 0};
  node.etcd_revision = 4711;
  node.etcd_keys = 600;
  node.recipients = 1;
  node.recipient_rule = "creation rule 1 (path_regex dev/.*)";
  node.complete_sets = 7;
  node.retained_bytes = 91226112;
  node.disk_free_bytes = 42949672960;
  node.disk_size_bytes = 85899345920;
  node.next_run_bytes = 67108864;
  node.last_drill_time = at("2026-11-22T05:30:00Z");
  node.last_drill_result = "Passed";
  node.last_drill_run_id = "20261122T020000Z";
  api::BackupStatusStatus all;
  all.conditions = {{"BackupCurrent",
                     api::ConditionStatus::unknown,
                     reason,
                     message,
                     at("2026-11-22T02:00:41Z"),
                     1}};
  all.observed_time = at("2026-11-22T11:52:00Z");
  all.schedule = "0 2 * * *";
  all.time_zone = "Etc/UTC";
  all.next_schedule_time = at("2026-11-23T02:00:00Z");
  all.expected_interval_seconds = 86400;
  all.last_success_time = node.last_success_time;
  all.last_success_run_id = node.last_success_run_id;
  all.last_success_node = "server-1";
  all.last_run =
      api::LastRun{"nightly", node.last_success_run_id, node.last_success_time, true, "Completed"};
  nlohmann::json object = api::controller_apply(all);
  object["status"]["conditions"][0]["status"] = status;
  object["status"]["nodes"] = nlohmann::json::array({api::to_json(node)});
  return object;
}

/// The BackupStatus of a cluster in which that reason is the right one.
nlohmann::json facts_of(const char* status, const std::string& reason) {
  nlohmann::json object = backup_status(status, reason.c_str(), "why");
  nlohmann::json& all = object["status"];
  nlohmann::json& node = all["nodes"][0];
  if (reason == "LastFailed" || reason == "Incomplete") {
    all["lastRun"]["succeeded"] = false;
    all["lastRun"]["reason"] = reason == "Incomplete" ? "Incomplete" : "StorageFull";
    all["lastRun"]["completionTime"] = "2026-11-22T10:00:00Z";
  } else if (reason == "NeverRan") {
    node.erase("lastSuccessTime");
    node.erase("lastSuccessRunID");
    all.erase("lastRun");
  } else if (reason == "Stale") {
    all["expectedIntervalSeconds"] = 3600;
  } else if (reason == "NoExpectedInterval") {
    all["expectedIntervalSeconds"] = 0;
  }
  return object;
}

struct Cluster : FakeCluster {
  explicit Cluster(nlohmann::json object) {
    answer = [object = std::move(object)](
                 const kube::Request& request) -> std::optional<kube::Response> {
      if (request.path != k_path || object.is_null()) {
        return std::nullopt;
      }
      return kube::Response{200, std::chrono::seconds(0), object.dump()};
    };
  }
};

} // namespace

TEST_CASE("status shows all of it at once, and 0 when the backup is current") {
  Cluster cluster(backup_status("True", "Current", "20261122T020000Z on server-1, 9 h old"));
  auto& backup = cluster.backups["nightly"] = a_backup("nightly", "True", "Completed");
  backup["status"]["completionTime"] = "2026-11-22T02:00:41Z";
  backup["status"]["conditions"].push_back({{"type", "Replicated"},
                                            {"status", "True"},
                                            {"reason", "Completed"},
                                            {"message", "4 files at nextcloud:backups"},
                                            {"lastTransitionTime", "2026-11-22T02:03:00Z"}});
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out ==
        "CURRENT: 20261122T020000Z on server-1, 9 h old; one is expected every 24 h\n"
        "last backup    2026-11-22T02:00:41Z (9h ago), 20261122T020000Z on server-1\n"
        "last run       nightly: Completed, 9h ago\n"
        "expected       every 24h\n"
        "next run       2026-11-23T02:00:00Z (in 14h), \"0 2 * * *\" Etc/UTC\n"
        "off-site       copied: 4 files at nextcloud:backups\n"
        "controller     looked 16s ago\n"
        "node server-1  agent 0.1.0 reported 36s ago\n"
        "  sets         7 complete, 0 incomplete, 0 damaged; 87.0 MiB\n"
        "  artifacts    EtcdSnapshot 12.3 MiB, HelmValues none, Kubeconfig none, HostState none\n"
        "  etcd         revision 4711, 600 keys\n"
        "  disk         40.0 GiB free of 80.0 GiB; the next backup takes up to 64.0 MiB\n"
        "  recipients   1 (one lost key would lose all backups), by creation rule 1 (path_regex "
        "dev/.*)\n"
        "  drill        Passed 6h ago, 20261122T020000Z\n");
  CHECK(outcome.err.empty());
}

TEST_CASE("status names who is told, and who cannot be told since when and why") {
  nlohmann::json object = backup_status("True", "Current", "why");
  api::ReceiverState dead_man{"DeadMan", at("2026-11-01T00:00:00Z"), {}, {}, {}};
  dead_man.topics = {{"start", at("2026-11-22T02:00:00Z"), false},
                     {"run", at("2026-11-22T02:00:41Z"), false}};
  api::ReceiverState webhook{
      "Webhook", at("2026-11-01T00:00:00Z"), {}, at("2026-11-22T03:00:00Z"), "ntfy.sh: HTTP 500"};
  object["status"]["notified"] = api::to_json(std::vector{dead_man, webhook});
  Cluster cluster(object);
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(has(outcome.out, "notices        DeadMan: told of run, 9h ago\n"));
  CHECK(has(
      outcome.out,
      "notices        Webhook: CANNOT BE TOLD since 2026-11-22T03:00:00Z: ntfy.sh: HTTP 500\n"));
  CHECK(outcome.code == 0); // the backup is current all the same
  const auto json = json_of(run_command(cluster, {"status", "--output", "json"}).out);
  CHECK(json.at("status").at("notified").at(1).at("lastError") == "ntfy.sh: HTTP 500");
}

TEST_CASE("status: what the last check of all sets came to, where there was one") {
  auto object = backup_status("True", "Current", "20261122T020000Z on server-1, 9 h old");
  auto& node = object["status"]["nodes"][0];
  node["lastVerifyTime"] = "2026-11-22T06:00:00Z";
  node["lastVerifyResult"] = "Passed";
  node["lastVerifySets"] = 7;
  Cluster good(object);
  CHECK(has(run_command(good, {"status"}).out, "  verify       Passed 5h ago, 7 sets\n"));
  node["lastVerifyResult"] = "Damaged";
  node["lastVerifyBadSets"] = 2;
  Cluster bad(object);
  CHECK(has(run_command(bad, {"status"}).out,
            "  verify       Damaged 5h ago, 7 sets, 2 of them BAD (on that node, "
            "railiance-restore verify --all)\n"));
}

TEST_CASE("status: sets that other keys open are counted, with what to do") {
  auto object = backup_status("True", "Current", "20261122T020000Z on server-1, 9 h old");
  const auto told = [&](int sets) {
    object["status"]["nodes"][0]["oldRecipientSets"] = sets;
    Cluster cluster(object);
    return run_command(cluster, {"status"}).out;
  };
  CHECK(
      told(3).find("  OLD KEYS     3 sets open with other keys than those of .sops.yaml now: on "
                   "that node, `railiance-restore rewrap --all --sops .sops.yaml -i OLD-KEYS`\n") !=
      std::string::npos);
  CHECK(told(1).find("  OLD KEYS     1 set opens with other keys") != std::string::npos);
  CHECK(told(0).find("OLD KEYS") == std::string::npos);
}

TEST_CASE("status: each reason has the exit code that the help names") {
  const std::vector<std::tuple<const char*, const char*, int>> cases{
      {"True", "Current", 0},
      {"False", "LastFailed", 1},
      {"False", "Incomplete", 3},
      {"False", "NeverRan", 4},
      {"False", "Stale", 9},
      {"Unknown", "FactsStale", 8},
      {"Unknown", "NoExpectedInterval", 8}};
  for (const auto& [status, reason, code] : cases) {
    CAPTURE(reason);
    Cluster cluster(facts_of(status, reason));
    const Outcome outcome = run_command(cluster, {"status"});
    CHECK(outcome.code == code);
    CHECK(has(outcome.out,
              code == 0 ? std::string("CURRENT: 20261122T020000Z")
                        : std::string("(") + reason + "): "));
    CHECK(has(outcome.out, "hint: ") == (code != 0));
  }
}

TEST_CASE("status is judged when it is asked: right after the first success it is not NeverRan") {
  Cluster cluster(backup_status("False", "NeverRan", "there is no complete backup on any node"));
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "CURRENT: 20261122T020000Z on server-1"));
}

TEST_CASE("status is judged when it is asked: right after a failure it is not CURRENT") {
  Cluster cluster(backup_status("True", "Current", "20261122T020000Z on server-1, 0 min old"));
  cluster.backups["now"] = a_backup("now", "False", "StorageFull", "no space");
  cluster.backups["now"]["status"]["completionTime"] = "2026-11-22T11:52:10Z";
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.out, "NOT CURRENT (LastFailed)"));
  CHECK(has(outcome.out, "StorageFull, 6s ago"));
  CHECK_FALSE(has(outcome.out, "0 min old"));
}

TEST_CASE("status: a request for a node that does not exist changes nothing") {
  Cluster cluster(backup_status("True", "Current", "why"));
  auto& request = cluster.backups["now"] = a_backup("now", "False", "AgentUnavailable", "srv1");
  request["spec"]["nodeName"] = "srv1";
  request["status"]["completionTime"] = "2026-11-22T11:52:10Z";
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "last run       nightly: Completed"));
}

TEST_CASE("status: a run that ended while a clock was ahead is not the last one for years") {
  nlohmann::json object = backup_status("True", "Current", "why");
  SUBCASE("as the objects say") {}
  SUBCASE("as an older controller says, too") {
    object["status"]["lastRun"]["completionTime"] = "2031-01-01T02:00:00Z";
  }
  Cluster cluster(object);
  cluster.backups["ahead"] = a_backup("ahead", "True", "Completed", "");
  cluster.backups["ahead"]["status"]["completionTime"] = "2031-01-01T02:00:00Z";
  CHECK(run_command(cluster, {"status"}).code == 0); // its set was moved away
  cluster.backups["now"] = a_backup("now", "False", "StorageFull", "no space");
  cluster.backups["now"]["status"]["completionTime"] = "2026-11-22T11:52:10Z";
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.out, "last run       now: StorageFull"));
}

TEST_CASE("status after helm uninstall: the Lease is given back, and nothing will come next") {
  Cluster cluster(backup_status("True", "Current", "why"));
  const auto others = cluster.answer;
  cluster.answer = [&](const kube::Request& request) -> std::optional<kube::Response> {
    if (request.path.find("/leases/railiance-backup-controller") == std::string::npos) {
      return others(request);
    }
    kube::LeaseRecord released;
    released.resource_version = "7";
    released.renew_time = "2026-11-22T11:52:10.000000Z";
    return kube::Response{
        200,
        {},
        kube::lease_to_json(released, "railiance-backup", "railiance-backup-controller").dump()};
  };
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 8);
  CHECK(has(outcome.out, "UNKNOWN (ControllerUnavailable): no controller runs in the cluster"));
  CHECK(has(outcome.out, "then it was Current"));
  CHECK(has(outcome.out, "next run       unknown: no controller to carry it out"));
}

TEST_CASE("a clock here that is ahead makes no controller silent that renews its Lease") {
  const SystemTime renewed = at("2026-11-22T11:40:06Z");
  const SystemTime now = at("2026-11-22T11:52:16Z");
  const cli::ControllerSeen there{cli::Presence::there, renewed};
  CHECK(cli::cluster_time(there, now) == renewed);
  CHECK(cli::cluster_time(there, renewed + std::chrono::seconds(9)) ==
        renewed + std::chrono::seconds(9));
  CHECK(cli::cluster_time(there, renewed - std::chrono::hours(1)) ==
        renewed - std::chrono::hours(1));
  CHECK(cli::cluster_time({cli::Presence::silent, std::nullopt}, now) == now);

  // Here it is 11:52:16, there it is 11:40.
  auto object = backup_status("True", "Current", "why");
  object["status"]["observedTime"] = "2026-11-22T11:40:00Z";
  object["status"]["nodes"][0]["reportTime"] = "2026-11-22T11:39:50Z";
  Cluster cluster(object);
  const auto others = cluster.answer;
  int looks = 0;
  cluster.answer = [&](const kube::Request& request) -> std::optional<kube::Response> {
    if (request.path.find("/leases/railiance-backup-controller") == std::string::npos) {
      return others(request);
    }
    kube::LeaseRecord lease;
    lease.resource_version = std::to_string(++looks);
    lease.holder = "pod-1";
    lease.renew_time = looks == 1 ? "2026-11-22T11:40:01.000000Z" : "2026-11-22T11:40:06.000000Z";
    return kube::Response{
        200,
        {},
        kube::lease_to_json(lease, "railiance-backup", "railiance-backup-controller").dump()};
  };
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "CURRENT: "));
  CHECK(has(outcome.out, "controller     looked 6s ago"));
}

TEST_CASE("status: what only the controller knows is believed: an agent that fell silent") {
  Cluster cluster(backup_status("Unknown", "FactsStale", "the agent of node server-1 is silent"));
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 8);
  CHECK(has(outcome.out, "(FactsStale): the agent of node server-1 is silent"));
}

TEST_CASE("status: an object that nobody has kept for five minutes proves nothing") {
  Cluster cluster(backup_status("True", "Current", "all is well"));
  RunOptions options;
  options.now = "20261122T115701Z";
  const Outcome outcome = run_command(cluster, {"status"}, options);
  CHECK(outcome.code == 8);
  CHECK(has(outcome.out,
            "UNKNOWN (ControllerUnavailable): no controller has looked since "
            "2026-11-22T11:52:00Z; then it was Current"));
}

TEST_CASE("status without the object says what is not known") {
  FakeCluster cluster;
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 8);
  CHECK(has(outcome.out,
            "UNKNOWN (ControllerUnavailable): no controller has looked yet: there is no "
            "BackupStatus"));
  CHECK(has(outcome.out, "last backup  unknown"));
  CHECK(has(outcome.out, "nodes        unknown"));
}

TEST_CASE("a cluster without the chart: each command says so, with the command that installs it") {
  FakeCluster cluster;
  cluster.answer = [](const kube::Request&) -> std::optional<kube::Response> {
    return kube::Response{404, {}, "404 page not found\n"};
  };
  const std::vector<std::pair<std::vector<std::string>, int>> commands{
      {{"status"}, 8}, {{"list"}, 1}, {{"show", "b"}, 1}, {{"create"}, 1}};
  for (const auto& [command, code] : commands) {
    CAPTURE(command.front());
    const Outcome outcome = run_command(cluster, command);
    CHECK(outcome.code == code);
    CHECK(has(outcome.err, "railiance-backup is not installed in this cluster"));
    CHECK(has(outcome.err, "helm install railiance-backup"));
    CHECK_FALSE(has(outcome.err + outcome.out, "404"));
  }
}

TEST_CASE("status of a cluster that is not there is 8, and says how to look at the disk") {
  FakeCluster cluster;
  cluster.down = true;
  const Outcome outcome = run_command(cluster, {"status"});
  CHECK(outcome.code == 8);
  CHECK(has(outcome.err, "connection refused"));
}

TEST_CASE("status: what keeps it from an answer is 8, and no word on the backups") {
  // An etcd without a quorum, a certificate of last year, a proxy's page.
  const std::vector<std::pair<int, std::string>> answers{
      {504, "{}"}, {500, "{}"}, {401, "{}"}, {400, "{}"}, {200, "<html>"}};
  for (const auto& [http_status, body] : answers) {
    CAPTURE(http_status);
    FakeCluster cluster;
    cluster.answer = [status = http_status,
                      text = body](const kube::Request&) -> std::optional<kube::Response> {
      return kube::Response{status, std::chrono::seconds(0), text};
    };
    const Outcome outcome = run_command(cluster, {"status"});
    CHECK(outcome.code == 8);
    CHECK(has(outcome.err, "railiance-backup: "));
    CHECK((http_status != 504 || has(outcome.err, "is the API server at")));
  }
  FakeCluster unused;
  RunOptions options;
  for (const ErrorCode code : {ErrorCode::invalid_argument, // no such context
                               ErrorCode::permission_denied,
                               ErrorCode::corrupt}) {
    options.connect = [code](const cli::ClusterChoice&) -> Result<std::unique_ptr<cli::Api>> {
      return Error{code, "the kubeconfig is no good", {}};
    };
    CHECK(run_command(unused, {"status"}, options).code == 8);
    CHECK(run_command(unused, {"guard", "--for", "v1.35.1+k3s1"}, options).code == 8);
    CHECK(run_command(unused, {"list"}, options).code != 8);
  }
}

TEST_CASE("list says below its table who reads the newest set, and by which rule") {
  Cluster cluster(backup_status("True", "Current", "fine"));
  cluster.backups["nightly"] = a_backup("nightly", "True", "Completed");
  const Outcome outcome = run_command(cluster, {"list"});
  CHECK(outcome.code == 0);
  CHECK(outcome.err == "the newest set on server-1 is readable with 1 public key, by creation rule "
                       "1 (path_regex dev/.*) of .sops.yaml\n");
}

TEST_CASE("status for scripts") {
  Cluster cluster(facts_of("False", "Stale"));
  cluster.backups["now"] = a_backup("now", "Unknown", "Running");
  cluster.backups["now"]["status"]["startTime"] = "2026-11-22T11:50:00Z";
  const Outcome outcome = run_command(cluster, {"status", "--output", "json"});
  CHECK(outcome.code == 9);
  const auto json = json_of(outcome.out);
  CHECK(json["current"] == "False");
  CHECK(json["reason"] == "Stale");
  CHECK(json["exitCode"] == 9);
  CHECK(json["running"] == "now");
  CHECK(json["offsite"].is_null());
  CHECK(json["status"]["nodes"][0]["etcdRevision"] == 4711);
  CHECK(json["status"]["nextScheduleTime"] == "2026-11-23T02:00:00Z");

  FakeCluster empty;
  const auto nothing = json_of(run_command(empty, {"status", "-o", "json"}).out);
  CHECK(nothing["current"] == "Unknown");
  CHECK(nothing["status"].is_null());
}

TEST_CASE("status has colours only where they are wanted") {
  Cluster cluster(backup_status("True", "Current", "fine"));
  CHECK_FALSE(has(run_command(cluster, {"status"}).out, "\x1b["));
  RunOptions options;
  options.colour = true;
  CHECK(has(run_command(cluster, {"status"}, options).out,
            "\x1b[1;32mCURRENT\x1b[0m: 20261122T020000Z on"));
  CHECK_FALSE(has(run_command(cluster, {"status", "-o", "json"}, options).out, "\x1b["));
}

TEST_CASE("status --help has examples and the exit codes") {
  FakeCluster cluster;
  const Outcome outcome = run_command(cluster, {"status", "--help"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "railiance-backup status --output json"));
  CHECK(has(outcome.out, "NO_COLOR"));
  CHECK(has(outcome.out, "It is judged now"));
}
