#include "api/backup.hpp"
#include "base/json_fields.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace rb;
using namespace rb::api;

TEST_CASE("a ClusterBackup with an empty spec has the defaults of the CRD") {
  const auto backup =
      cluster_backup_from_json(json_of(R"({"metadata":{"name":"b","uid":"u"},"spec":{}})")).value();
  CHECK(backup.spec.artifacts.size() == 4);
  CHECK_FALSE(backup.spec.keep_last); // what the cluster is configured to keep
  CHECK_FALSE(backup.spec.scheduled);
  CHECK(backup.spec.deadline_seconds == 3600);
  CHECK_FALSE(backup.spec.ttl_seconds_after_finished);
  CHECK_FALSE(backup.finished());
}

TEST_CASE("a status survives the way through JSON") {
  ClusterBackupStatus status;
  status.run_id = "20260101T000000Z";
  status.start_time = parse_run_id(status.run_id).value();
  status.artifacts = {
      {ArtifactType::kubeconfig, "kubeconfig-20260101T000000Z.yaml.age", 2957, "ab"}};
  status.missing = {{ArtifactType::host_state, Reason::host_state_missing, "no token"}};
  status.signing_key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
  status.etcd = EtcdStatus{12, 34};
  status.helm = HelmStatus{3, {{"apps", "secret/x", "bad gzip"}}, 1};
  set_condition(status.conditions,
                {"Succeeded", ConditionStatus::false_, "Incomplete", "", {}, 1},
                *status.start_time);
  const nlohmann::json object{{"metadata", {{"name", "b"}}}, {"status", to_json(status)}};
  const auto read = cluster_backup_from_json(object).value();
  CHECK(to_json(read.status) == to_json(status));
  CHECK(read.finished());
}

TEST_CASE("an order survives the way through JSON") {
  NodeBackup order;
  order.meta.name = "order";
  order.spec.cluster_backup_name = "b";
  order.spec.run_id = "20260101T000000Z";
  order.spec.node_name = "n1";
  order.spec.artifacts = {ArtifactType::datastore};
  order.spec.deadline = parse_run_id("20260101T010000Z").value();
  order.spec.helm_payload = HelmPayload{{"a", "b"}, 10, "cd", "ef"};
  order.spec.helm = HelmStatus{};
  CHECK(to_json(node_backup_from_json(to_json(order)).value()) == to_json(order));
}

TEST_CASE("where a run goes is said in the request, and only where it is not to all servers") {
  ClusterBackup backup;
  backup.meta.name = "b";
  CHECK_FALSE(to_json(backup)["spec"].contains("servers"));
  backup.spec.servers = Servers::one;
  CHECK(to_json(backup)["spec"]["servers"] == "One");
  CHECK(cluster_backup_from_json(to_json(backup)).value().spec.servers == Servers::one);
  auto json = to_json(backup);
  json["spec"]["servers"] = "Most";
  const auto newer = cluster_backup_from_json(json).value();
  CHECK(newer.spec.servers == Servers::all);
  CHECK(newer.spec.unknown == std::vector<std::string>{"Most"});
}

TEST_CASE("what a run gave on each server survives the way through JSON") {
  ClusterBackupStatus status;
  CHECK_FALSE(to_json(status).contains("servers"));
  CHECK_FALSE(to_json(status).contains("copies"));
  status.servers = {{"cp-1",
                     CopyState::succeeded,
                     "Completed",
                     "",
                     4000,
                     42,
                     parse_run_id("20260101T000000Z").value()},
                    {"cp-2", CopyState::running, "Running", "TakingSnapshot", 0, 0, {}},
                    {"cp-3", CopyState::left_out, "NoQuorum", std::string(2000, 'x'), 0, 0, {}}};
  const auto json = to_json(status);
  CHECK(json["copies"] == "1/3");
  CHECK(json["servers"][2]["message"].get<std::string>().size() == 1024);
  const auto read =
      cluster_backup_from_json({{"metadata", {{"name", "b"}}}, {"status", json}}).value();
  CHECK(to_json(read.status) == json);
  CHECK(read.status.servers[0] == status.servers[0]);
  CHECK(read.status.servers[1] == status.servers[1]);
}

TEST_CASE("an order names the servers; what is odd among them makes it no worse") {
  NodeBackup order;
  order.meta.name = "order";
  order.spec.run_id = "20260101T000000Z";
  order.spec.artifacts = {ArtifactType::datastore};
  CHECK_FALSE(to_json(order)["spec"].contains("servers"));
  order.spec.servers = {{"cp-1", "10.0.0.1", ""}};
  auto json = to_json(order);
  json["spec"]["servers"].push_back({{"nodeName", "../x"}});
  CHECK(node_backup_from_json(json).value().spec.servers == order.spec.servers);
}

TEST_CASE("what is to be proven is said in request and order, and only then") {
  ClusterBackup backup;
  backup.meta.name = "b";
  CHECK_FALSE(to_json(backup)["spec"].contains("verification"));
  backup.spec.verification = Verification::boot;
  CHECK(to_json(backup)["spec"]["verification"] == "Boot");
  CHECK(cluster_backup_from_json(to_json(backup)).value().spec.verification == Verification::boot);
  NodeBackup order;
  order.spec.run_id = "20260101T000000Z";
  CHECK_FALSE(to_json(order)["spec"].contains("verification"));
  order.spec.verification = Verification::boot;
  CHECK(node_backup_from_json(to_json(order)).value().spec.verification == Verification::boot);
  auto json = to_json(order);
  json["spec"]["verification"] = "Snapshot";
  CHECK(node_backup_from_json(json).value().spec.verification == Verification::snapshot);
}

TEST_CASE(
    "a reason of a newer release makes no object unreadable, and is written again as it was") {
  const nlohmann::json missing = nlohmann::json::array(
      {nlohmann::json{{"type", "HelmValues"}, {"reason", "OfTheFuture"}, {"message", "words"}}});
  const auto read = api::missing_from_json(missing);
  REQUIRE(read);
  CHECK(read->at(0).reason == api::Reason::internal_error);
  CHECK(read->at(0).reason_word() == "OfTheFuture");
  CHECK(api::to_json(*read) == missing);
}

TEST_CASE("EtcdSnapshot and Datastore ask for the same, once; etcd's file keeps its old word") {
  const nlohmann::json spec{{"artifacts", {"Datastore", "EtcdSnapshot", "Kubeconfig"}}};
  const auto request =
      cluster_backup_from_json({{"metadata", {{"name", "b"}, {"uid", "u"}}}, {"spec", spec}});
  REQUIRE(request);
  CHECK(request->spec.artifacts == std::vector{ArtifactType::datastore, ArtifactType::kubeconfig});
  CHECK(request->spec.unknown.empty());
  const auto word_of_file = [](const std::string& name) {
    return to_json(
        std::vector<ArtifactStatus>{{ArtifactType::datastore, name, 1, "ab"}})[0]["type"];
  };
  CHECK(word_of_file("etcd-20260101T000000Z.snap.age") == "EtcdSnapshot");
  CHECK(word_of_file("sqlite-20260101T000000Z.db.age") == "Datastore");
}

TEST_CASE("words of a newer release make no request and no order unreadable") {
  const nlohmann::json spec{{"artifacts", {"EtcdSnapshot", "Volumes"}}, {"verification", "Moon"}};
  const auto request =
      cluster_backup_from_json({{"metadata", {{"name", "b"}, {"uid", "u"}}}, {"spec", spec}});
  REQUIRE(request);
  CHECK(request->spec.artifacts == std::vector{ArtifactType::datastore});
  CHECK(request->spec.verification == Verification::snapshot);
  CHECK(request->spec.unknown == std::vector<std::string>{"Volumes", "Moon"});

  NodeBackup order;
  order.spec.run_id = "20261122T115200Z";
  nlohmann::json json = to_json(order);
  json["spec"]["artifacts"] = {"Kubeconfig", "Volumes"};
  json["status"]["artifacts"] = {{{"type", "Volumes"}, {"fileName", "x"}, {"what", "ever"}}};
  json["status"]["missing"] = {{{"type", "Volumes"}, {"reason", "NoDisk"}}};
  json["status"]["conditions"] = {{{"type", "Succeeded"},
                                   {"status", "Maybe"},
                                   {"reason", "R"},
                                   {"lastTransitionTime", "2026-01-01T00:00:00Z"}}};
  const auto read = node_backup_from_json(json);
  REQUIRE(read);
  CHECK(read->spec.artifacts == std::vector{ArtifactType::kubeconfig});
  CHECK(read->status.artifacts.empty());
  CHECK(read->status.missing.empty());
  CHECK_FALSE(read->finished());
}

TEST_CASE("an order's status keeps which process of which agent has taken it") {
  NodeBackup order;
  order.spec.run_id = "20261122T115200Z";
  nlohmann::json json = to_json(order);
  order.status.agent_id = "pod-uid";
  order.status.instance_id = "instance";
  json["status"] = to_json(order.status);
  const auto back = node_backup_from_json(json);
  REQUIRE(back);
  CHECK(back->status.agent_id == "pod-uid");
  CHECK(back->status.instance_id == "instance");
}

TEST_CASE("an order whose run id is no run id is refused") {
  NodeBackup order;
  order.spec.run_id = "../../etc";
  CHECK(node_backup_from_json(to_json(order)).error().code == ErrorCode::corrupt);
}

TEST_CASE("fields of the wrong type are refused, not thrown") {
  for (const char* text : {R"({"metadata":{"name":3}})",
                           R"({"metadata":{},"spec":{"deadlineSeconds":"x"}})",
                           R"({"metadata":{},"status":{"conditions":{"a":1}}})",
                           R"([])",
                           R"({"metadata":{},"spec":[]})"}) {
    CAPTURE(text);
    CHECK_FALSE(cluster_backup_from_json(json_of(text)));
  }
}

TEST_CASE("numbers that do not fit are refused, not bent into others") {
  const auto with = [](const char* spec, const char* status) {
    return cluster_backup_from_json({{"metadata", {{"name", "a"}, {"uid", "u"}}},
                                     {"spec", json_of(spec)},
                                     {"status", json_of(status)}});
  };
  CHECK(with("{}", "{}"));
  CHECK_FALSE(with(R"({"retention": {"keepLast": 99999999999}})", "{}").has_value());
  CHECK_FALSE(with(R"({"deadlineSeconds": 1e300})", "{}").has_value());
  CHECK_FALSE(with("{}", R"({"totalSizeBytes": 1e300})").has_value());
  CHECK_FALSE(with("{}", R"({"totalSizeBytes": -1})").has_value());
}

TEST_CASE("file names are those of the mission") {
  CHECK(file_name(ArtifactType::datastore, "20260101T000000Z") == "etcd-20260101T000000Z.snap.age");
  CHECK(file_name(ArtifactType::datastore, "20260101T000000Z", DatastoreKind::sqlite) ==
        "sqlite-20260101T000000Z.db.age");
  CHECK(kind_of_file("sqlite-20260101T000000Z.db.age") == DatastoreKind::sqlite);
  CHECK(kind_of_file("etcd-20260101T000000Z.snap.age") == DatastoreKind::etcd);
  CHECK(file_name(ArtifactType::helm_values, "20260101T000000Z") ==
        "helm-values-20260101T000000Z.tar.gz.age");
  CHECK(file_name(ArtifactType::kubeconfig, "20260101T000000Z") ==
        "kubeconfig-20260101T000000Z.yaml.age");
  CHECK(file_name(ArtifactType::host_state, "20260101T000000Z") ==
        "host-state-20260101T000000Z.tar.gz.age");
}

TEST_CASE("messages never exceed what the CRD takes") {
  const std::string words(5000, 'x');
  const auto missing = to_json(
      std::vector<MissingArtifact>{{ArtifactType::kubeconfig, Reason::kubeconfig_missing, words}});
  CHECK(missing[0]["message"].get<std::string>().size() == 1024);
  const auto helm = to_json(HelmStatus{0, {{"a", "secret/b", words}}, 1});
  CHECK(helm["undecodable"][0]["message"].get<std::string>().size() == 512);
}
