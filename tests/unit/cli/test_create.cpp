// create and create --wait, from the command line to the exit code.
#include "cli/connect.hpp"
#include "fake_cluster.hpp"

#include "api/backup_status.hpp"
#include "base/json_fields.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::test;
using End = WatchScript::End;

namespace {

nlohmann::json finished(const std::string& name,
                        const std::string& status,
                        const std::string& reason,
                        const std::string& message = "all is said") {
  nlohmann::json backup = a_backup(name, status, reason, message);
  backup["status"]["runID"] = "20261122T115216Z";
  backup["status"]["nodeName"] = "server-1";
  backup["status"]["startTime"] = "2026-11-22T11:52:16Z";
  backup["status"]["completionTime"] = "2026-11-22T11:52:19Z";
  return backup;
}

} // namespace

TEST_CASE("create asks and says how to follow") {
  FakeCluster cluster;
  const Outcome outcome = run_command(cluster, {"create", "first", "--keep-last", "3"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == "clusterbackup/first created\n");
  CHECK(has(outcome.err, "railiance-backup show first"));
  REQUIRE(cluster.created.size() == 1);
  CHECK(cluster.created[0]["spec"]["retention"]["keepLast"] == 3);
  CHECK_FALSE(cluster.created[0]["metadata"].contains("generateName"));
}

TEST_CASE("a request says only what its author said") {
  FakeCluster cluster;
  CHECK(run_command(cluster, {"create", "by-hand"}).code == 0);
  CHECK(run_command(cluster, {"create", "nightly", "--scheduled"}).code == 0);
  REQUIRE(cluster.created.size() == 2);
  CHECK_FALSE(cluster.created[0]["spec"].contains("retention"));
  CHECK_FALSE(cluster.created[0]["spec"].contains("trigger"));
  CHECK(cluster.created[1]["spec"]["trigger"] == "Schedule");
}

TEST_CASE("without a name the time makes one, and a taken one gets a number") {
  FakeCluster cluster;
  cluster.backups["manual-20261122t115216z"] = a_backup("manual-20261122t115216z");
  const Outcome outcome = run_command(cluster, {"create"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == "clusterbackup/manual-20261122t115216z-2 created\n");
}

TEST_CASE("a POST that arrives twice makes one backup and no error") {
  FakeCluster cluster;
  cluster.lose_post_answer = true;
  const Outcome outcome = run_command(cluster, {"create"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == "clusterbackup/manual-20261122t115216z created\n");
  CHECK(cluster.created.size() == 1);
}

TEST_CASE("a given name that is taken is refused, unless it may be attached to") {
  FakeCluster cluster;
  cluster.backups["nightly"] = finished("nightly", "True", "Completed");
  Outcome outcome = run_command(cluster, {"create", "nightly", "--wait"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "there is a ClusterBackup 'nightly' already"));
  outcome = run_command(cluster, {"create", "nightly", "--wait", "--attach"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "backup nightly: done in 0:03"));
  CHECK(cluster.created.empty());
}

TEST_CASE("asked again with the same id it is the same backup, and a name that is taken no end") {
  FakeCluster cluster;
  cluster.backups["by-hand"] = finished("by-hand", "True", "Completed"); // of a Job of last month
  const std::vector<std::string> asked{"create", "by-hand", "--request-id", "uid-of-a-job"};
  CHECK(run_command(cluster, asked).out == "clusterbackup/by-hand-2 created\n");
  CHECK(run_command(cluster, asked).out == "clusterbackup/by-hand-2 was there already\n");
  CHECK(cluster.created.size() == 1);
  CHECK(run_command(cluster, {"create", "by-hand", "--request-id", "another"}).out ==
        "clusterbackup/by-hand-3 created\n");
  CHECK(run_command(cluster, {"create", "--request-id", "x"}).code == 2);
  CHECK(run_command(cluster, {"create", "a", "--request-id", "x", "--attach"}).code == 2);
}

TEST_CASE("who waits for a run bears what an API server says that has just started") {
  for (const int status : {401, 403, 500, 503}) {
    CAPTURE(status);
    FakeCluster cluster;
    cluster.watches.push_back({{finished("b", "True", "Completed")}, End::stays_open});
    int refused = 0;
    cluster.answer = [&](const kube::Request& request) -> std::optional<kube::Response> {
      if (request.method != kube::Method::post || ++refused > 3) {
        return std::nullopt;
      }
      return kube::Response{
          status, {}, R"({"kind":"Status","reason":"Forbidden","message":"not yet"})"};
    };
    const Outcome outcome = run_command(cluster, {"create", "b", "--wait"});
    CHECK(outcome.code == 0);
    CHECK(cluster.created.size() == 1);
    CHECK(has(outcome.err, "the request was not taken, trying again: "));
  }
}

TEST_CASE("a write that a 500 hides is not made again under another name") {
  FakeCluster cluster;
  bool hidden = false;
  cluster.answer = [&](const kube::Request& request) -> std::optional<kube::Response> {
    if (request.method != kube::Method::post || std::exchange(hidden, true)) {
      return std::nullopt;
    }
    nlohmann::json object = json_of(request.body);
    object["metadata"]["uid"] = "uid-of-it";
    object["metadata"]["resourceVersion"] = "3";
    object["status"] = finished("any", "True", "Completed")["status"];
    cluster.backups[object["metadata"]["name"].get<std::string>()] = object;
    return kube::Response{500, {}, R"({"kind":"Status","message":"etcdserver: leader changed"})"};
  };
  CHECK(run_command(cluster, {"create", "--wait"}).code == 0);
  CHECK(cluster.created.empty());
  CHECK(cluster.backups.size() == 1);
}

TEST_CASE("the exit code of a waited run is that of its reason") {
  const std::vector<std::tuple<std::string, int, std::string>> ends{
      {"Incomplete", 3, "INCOMPLETE"},
      {"HelmUndecodable", 3, "INCOMPLETE"},
      {"AgentUnavailable", 8, "FAILED"},
      {"DeadlineExceeded", 9, "FAILED"},
      {"HostBusy", 7, "FAILED"},
      {"SnapshotInvalid", 6, "FAILED"},
      {"StorageFull", 1, "FAILED"},
      {"ProofFailed", 6, "NOT PROVEN"},
      {"ProofUnavailable", 3, "NOT PROVEN"},
      {"OfTheFuture", 1, "FAILED"},
  };
  for (const auto& [reason, code, word] : ends) {
    CAPTURE(reason);
    FakeCluster cluster;
    cluster.watches.push_back({{finished("b", "False", reason, "because")}, End::stays_open});
    const Outcome outcome = run_command(cluster, {"create", "b", "--wait"});
    CHECK(outcome.code == code);
    CHECK(has(outcome.out, "backup b: " + word + " (" + reason + ")"));
    CHECK(has(outcome.out, "because"));
  }
}

TEST_CASE("a run on several servers: what is on which, and a copy that is missing is a warning") {
  const auto server = [](const char* node, const char* result, const char* message) {
    return nlohmann::json{{"nodeName", node},
                          {"result", result},
                          {"reason", *message == 0 ? "Completed" : "AgentUnavailable"},
                          {"message", message},
                          {"sizeBytes", *message == 0 ? 12897485 : 0},
                          {"revision", *message == 0 ? 42 : 0}};
  };
  nlohmann::json done = finished("b", "True", "Completed");
  done["status"]["servers"] = {server("cp-1", "Succeeded", ""), server("cp-2", "Succeeded", "")};
  FakeCluster all;
  all.watches.push_back({{done}, End::stays_open});
  const Outcome whole = run_command(all, {"create", "b", "--wait", "--servers", "all"});
  CHECK(whole.code == 0);
  CHECK(has(whole.out, "backup b: done in 0:03, 2 of 2 servers\n"));
  CHECK(has(whole.out, "  server cp-2  12.3 MiB  revision 42  done\n"));
  CHECK_FALSE(has(whole.err, "warning"));
  CHECK_FALSE(all.created[0]["spec"].contains("servers"));

  done["status"]["servers"].push_back(server("cp-3", "LeftOut", "its agent is not ready"));
  done["status"]["conditions"].push_back(
      {{"type", "Copies"},
       {"status", "False"},
       {"reason", "AgentUnavailable"},
       {"message", "2 of 3 servers: cp-3: its agent is not ready"},
       {"lastTransitionTime", "2026-11-22T11:52:19Z"}});
  FakeCluster some;
  some.watches.push_back({{done}, End::stays_open});
  const Outcome less = run_command(some, {"create", "b", "--wait"});
  CHECK(less.code == 0);
  CHECK(has(less.err, "warning: a whole set on 2 of 3 servers: cp-3: its agent is not ready\n"));
  CHECK(has(less.out, "left out (AgentUnavailable: its agent is not ready)\n"));

  FakeCluster one;
  CHECK(run_command(one, {"create", "c", "--servers", "one"}).code == 0);
  CHECK(one.created[0]["spec"]["servers"] == "One");
}

TEST_CASE("a waited run is followed over lost connections, one line for each change") {
  FakeCluster cluster;
  nlohmann::json queued = a_backup("b", "Unknown", "Queued", "another run is in progress");
  nlohmann::json running = a_backup("b", "Unknown", "Running", "the agent works");
  running["status"]["conditions"].push_back({{"type", "SnapshotTaken"},
                                             {"status", "True"},
                                             {"reason", "Completed"},
                                             {"message", ""},
                                             {"lastTransitionTime", "2026-11-22T11:51:16Z"}});
  nlohmann::json done = finished("b", "True", "Completed");
  done["status"]["artifacts"] = nlohmann::json::array(
      {{{"type", "EtcdSnapshot"},
        {"fileName", "etcd-20261122T115216Z.snap.age"},
        {"sizeBytes", 12897485},
        {"sha256", "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"}}});
  cluster.watches.push_back({{queued, queued}, End::fails});
  cluster.watches.push_back({{running}, End::ends});
  cluster.watches.push_back({{running, done}, End::stays_open});
  const Outcome outcome = run_command(cluster, {"create", "b", "--wait"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.err, "2026-11-22T11:52:16Z asked for the backup b\n"));
  CHECK_FALSE(has(outcome.err, "\x1b"));
  CHECK(has(outcome.out, "backup b: done in 0:03\n"));
  CHECK(has(outcome.out, "etcd-20261122T115216Z.snap.age  12.3 MiB  sha256 8f434346648f\n"));
}

TEST_CASE("on a terminal the line is rewritten and shows the agent's bytes") {
  FakeCluster cluster;
  nlohmann::json running = a_backup("b", "Unknown", "Running", "the agent works");
  running["status"]["runID"] = "20261122T115216Z";
  cluster.orders["uid-of-b"] = {
      {"metadata", {{"name", "uid-of-b"}, {"uid", "u"}}},
      {"spec",
       {{"clusterBackupName", "b"},
        {"runID", "20261122T115216Z"},
        {"nodeName", "n"},
        {"deadline", "2026-11-22T12:52:16Z"},
        {"artifacts", {"EtcdSnapshot"}}}},
      {"status",
       {{"progress",
         {{"step", "EncryptingSnapshot"}, {"bytesDone", 512 << 20}, {"bytesTotal", 1 << 30}}}}}};
  cluster.watches.push_back({{running}, End::ends});
  cluster.on_watch = [&cluster, shown = false]() mutable {
    if (std::exchange(shown, true)) {
      cluster.backups["b"] = finished("b", "True", "Completed");
    }
  };
  WatchScript last{{finished("b", "True", "Completed")}, End::stays_open};
  cluster.watches.push_back(last);
  RunOptions options;
  options.terminal = true;
  const Outcome outcome = run_command(cluster, {"create", "b", "--wait"}, options);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.err, "\r\x1b[K"));
  CHECK(has(outcome.out, "backup b: done"));
}

TEST_CASE("--output json prints the object, whatever the end") {
  FakeCluster cluster;
  cluster.watches.push_back({{finished("b", "False", "StorageFull", "no space")}, End::stays_open});
  const Outcome outcome = run_command(cluster, {"create", "b", "--wait", "--output", "json"});
  CHECK(outcome.code == 1);
  const auto object = json_of(outcome.out);
  CHECK(object["status"]["conditions"][0]["reason"] == "StorageFull");
}

TEST_CASE("Ctrl-C stops the waiting, not the backup, and says so") {
  FakeCluster cluster;
  std::stop_source stop;
  cluster.on_watch = [&stop] { stop.request_stop(); };
  RunOptions options;
  options.stop = stop.get_token();
  options.signal = 2;
  const Outcome outcome = run_command(cluster, {"create", "b", "--wait"}, options);
  CHECK(outcome.code == 130);
  CHECK(has(outcome.err, "stopped waiting for b"));
  CHECK_FALSE(has(outcome.err, "the run goes on")); // nobody has taken it up
  CHECK(has(outcome.err, "no controller was seen to take it up; the request stays"));
  CHECK(has(outcome.err, "kubectl delete clusterbackup b"));
  CHECK(cluster.backups.contains("b"));
}

TEST_CASE("Ctrl-C while a run is at work: the run goes on") {
  FakeCluster cluster;
  cluster.backups["b"] = a_backup("b", "Unknown", "Running", "etcd");
  std::stop_source stop;
  cluster.on_watch = [&stop] { stop.request_stop(); };
  RunOptions options;
  options.stop = stop.get_token();
  options.signal = 15;
  const Outcome outcome = run_command(cluster, {"create", "b", "--wait", "--attach"}, options);
  CHECK(outcome.code == 143);
  CHECK(has(outcome.err, "the run goes on in the cluster"));
}

TEST_CASE("create --wait says after some seconds that no controller takes it up, and why") {
  FakeCluster cluster;
  cluster.answer = [](const kube::Request& request) -> std::optional<kube::Response> {
    if (request.path.find("/leases/") == std::string::npos) {
      return std::nullopt;
    }
    return kube::Response{200, {}, R"({"metadata":{"resourceVersion":"7"},"spec":{}})"};
  };
  const Outcome outcome = run_command(cluster, {"create", "b", "--wait", "--timeout", "15s"});
  CHECK(outcome.code == 9);
  CHECK(has(outcome.err, "no controller has taken up b for 0:1"));
  CHECK(has(outcome.err, "(no controller runs in the cluster: the last one ended"));
  CHECK(has(outcome.err, "the request stays, and is carried out as soon as one runs"));
}

TEST_CASE("create --wait ends when the status knows of the set") {
  FakeCluster cluster;
  nlohmann::json ended = finished("b", "True", "Completed");
  ended["status"]["etcd"] = {{"revision", 7}, {"totalKeys", 9}};
  cluster.watches.push_back({{ended}, End::stays_open});
  int asked = 0;
  cluster.answer = [&](const kube::Request& request) -> std::optional<kube::Response> {
    if (request.path.find("/backupstatuses/") == std::string::npos) {
      return std::nullopt;
    }
    api::NodeFacts node;
    node.node_name = "server-1";
    node.report_time = parse_rfc3339("2026-11-22T11:52:18Z").value();
    node.last_success_run_id = ++asked < 3 ? "20261121T020000Z" : "20261122T115216Z";
    node.recipients = 2;
    node.recipient_rule = "creation rule 2 (path_regex dev/.*)";
    nlohmann::json object = api::controller_apply({});
    object["status"]["nodes"] = nlohmann::json::array({api::to_json(node)});
    return kube::Response{200, {}, object.dump()};
  };
  const Outcome outcome = run_command(cluster, {"create", "b", "--wait"});
  CHECK(outcome.code == 0);
  CHECK(asked == 3);
  CHECK(has(outcome.err,
            "readable with 2 public keys, by creation rule 2 (path_regex dev/.*) of .sops.yaml"));
}

TEST_CASE("--timeout ends the waiting with 9") {
  FakeCluster cluster;
  const Outcome outcome = run_command(cluster, {"create", "b", "--wait", "--timeout", "1s"});
  CHECK(outcome.code == 9);
  CHECK(has(outcome.err, "has not ended in the time that was given"));
  CHECK(has(outcome.err, "railiance-backup show b"));
}

TEST_CASE("an error ends this program with the same code as the other one, but for its own words") {
  for (const ErrorCode code :
       {ErrorCode::timeout, ErrorCode::unavailable, ErrorCode::busy, ErrorCode::incomplete}) {
    CHECK(cli::exit_code_of({code, "", {}}) == exit_code_for(code));
  }
  CHECK(cli::exit_code_of({ErrorCode::timeout, "", {}}) == ExitCode::deadline_passed);
  CHECK(cli::exit_code_of({ErrorCode::invalid_argument, "", {}}) == ExitCode::usage);
  CHECK(cli::exit_code_of({ErrorCode::corrupt, "", {}}) == ExitCode::failed);
}

TEST_CASE("a backup that is deleted while it is waited for ends the waiting") {
  FakeCluster cluster;
  cluster.watches.push_back({{a_backup("b")}, End::stays_open, "DELETED"});
  const Outcome outcome = run_command(cluster, {"create", "b", "--wait"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "was deleted while it was waited for"));
}

TEST_CASE("an API server that is down is exit code 8, with what to do next") {
  FakeCluster cluster;
  cluster.down = true;
  const Outcome outcome = run_command(cluster, {"create", "--wait"});
  CHECK(outcome.code == 8);
  CHECK(has(outcome.err, "connection refused"));
  CHECK(has(outcome.err, "hint: is the API server at https://127.0.0.1:6443 running"));
  CHECK(has(outcome.err, "KUBECONFIG"));
}

TEST_CASE("a cluster without the CRD says to install it") {
  FakeCluster cluster;
  cluster.answer = [](const kube::Request&) -> std::optional<kube::Response> {
    return kube::Response{404, {}, R"({"kind":"Status","reason":"NotFound","message":"no"})"};
  };
  for (const char* command : {"create", "list"}) {
    const Outcome outcome = run_command(cluster, {command});
    CHECK(outcome.code == 1);
    CHECK(has(outcome.err, "is not installed in this cluster: it does not know ClusterBackup"));
    CHECK(has(outcome.err, "helm install"));
  }
}

TEST_CASE("a user who may not ask for backups is told which verbs are needed") {
  FakeCluster cluster;
  cluster.answer = [](const kube::Request&) -> std::optional<kube::Response> {
    return kube::Response{
        403, {}, R"({"kind":"Status","reason":"Forbidden","message":"may not create"})"};
  };
  const Outcome outcome = run_command(cluster, {"create"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "hint: this user needs the verbs create, get, list and watch"));
  const Outcome test = run_command(cluster, {"notify-test"});
  CHECK(test.code == 1);
  CHECK(has(test.err, "get on backupstatuses (status, guard), and patch there (notify-test)"));
}

TEST_CASE("what a policy of the cluster refuses is no matter of verbs") {
  FakeCluster cluster;
  cluster.answer = [](const kube::Request&) -> std::optional<kube::Response> {
    return kube::Response{
        403,
        {},
        R"({"kind":"Status","reason":"Forbidden","message":"admission webhook \"validation.gatekeeper.sh\" denied the request: [labels] you must provide labels: {\"owner\"}"})"};
  };
  const Outcome outcome = run_command(cluster, {"create"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "you must provide labels"));
  CHECK(has(outcome.err, "hint: a policy of the cluster refuses it"));
  CHECK_FALSE(has(outcome.err, "needs the verbs"));
}

TEST_CASE("what the API server refuses as invalid is usage") {
  FakeCluster cluster;
  cluster.answer = [](const kube::Request&) -> std::optional<kube::Response> {
    return kube::Response{
        422, {}, R"({"kind":"Status","reason":"Invalid","message":"spec is wrong"})"};
  };
  const Outcome outcome = run_command(cluster, {"create"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "spec is wrong"));
}
