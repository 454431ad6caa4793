// Whole runs on a real API server: the real controller, a scripted agent.
#include "controller_process.hpp"
#include "scripted_agent.hpp"

#include "age/file.hpp"
#include "age/identity.hpp"
#include "archive/tar_gz.hpp"
#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

using namespace rb;
using namespace rb::test;
using api::ConditionStatus;

namespace {

constexpr const char* k_identity =
    "AGE-SECRET-KEY-1X3CLS53TTJ6A4NUUYVJJZYR7TSWN75H64YUH26S2P98FGLU5EVWQQE8EES";

/// Paths in the Helm artifact.
std::vector<std::string> files_in(const Bytes& ciphertext) {
  const std::vector<age::Identity> identities = [] {
    std::vector<age::Identity> list;
    list.push_back(age::Identity::parse(k_identity).value());
    return list;
  }();
  const auto plaintext = age::decrypt_bytes(ciphertext, identities);
  REQUIRE(plaintext);
  const auto entries = archive::read_tar_gz(plaintext->view(), {});
  REQUIRE(entries);
  std::vector<std::string> paths;
  for (const archive::Entry& entry : *entries) {
    paths.push_back(entry.path);
  }
  std::ranges::sort(paths);
  return paths;
}

const api::Condition& succeeded(const api::ClusterBackup& backup) {
  return *api::find_condition(backup.status.conditions, "Succeeded");
}

bool has_event(Cluster& cluster, const std::string& backup, const std::string& reason) {
  const auto events = cluster.client().list_all(kube::k_events, "default");
  return events && std::ranges::any_of(*events, [&](const nlohmann::json& event) {
           return event.at("regarding").value("name", "") == backup &&
                  event.value("reason", "") == reason;
         });
}

} // namespace

TEST_CASE("a whole run ends with Succeeded=True, an Event, and no payload left behind") {
  Cluster cluster;
  cluster.make_release("app", 1);
  cluster.make_release("app", 2);
  cluster.make_release("web", 1);
  const ScriptedAgent agent(cluster, "n1", Script::finish);
  ControllerProcess controller(cluster);
  const auto begin = std::chrono::steady_clock::now();
  const std::string name(253, 'n');
  REQUIRE(cluster.create_backup(name, nlohmann::json::object()));
  const auto backup = cluster.wait_finished(name);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  MESSAGE("from create to Succeeded, the controller's start included: " << took.count() << " s");
  CHECK(succeeded(backup).status == ConditionStatus::true_);
  CHECK(succeeded(backup).message ==
        "4 files, 3.9 KiB on node n1; etcd revision 1234; 2 Helm releases");
  CHECK(backup.status.conditions.size() == 7);
  CHECK(backup.status.helm->releases == 2);
  CHECK(backup.status.node_name == "n1");
  CHECK(backup.status.observed_generation == 1);
  CHECK(Cluster::eventually([&] { return cluster.payload_count() == 0; }));
  CHECK(Cluster::eventually([&] { return has_event(cluster, name, "Completed"); }));
  const auto orders = cluster.orders();
  REQUIRE(orders.size() == 1);
  CHECK(orders[0].meta.name == backup.meta.uid);
  CHECK(orders[0].meta.controller_owner->uid == backup.meta.uid);
  const Bytes payload = agent.payloads().at(backup.status.run_id);
  CHECK(to_hex(sha256(payload)) == orders[0].spec.helm_payload->sha256);
  CHECK(orders[0].spec.helm_payload->recipients_sha256.size() == 64);
  CHECK(files_in(payload) == std::vector<std::string>{"index.json",
                                                      "railiance-backup-test/app.yaml",
                                                      "railiance-backup-test/web.yaml"});
  CHECK(controller.terminate() == 0);
}

TEST_CASE("two requests at once run one after the other") {
  Cluster cluster;
  ScriptedAgent agent(cluster, "n1", Script::hold);
  const ControllerProcess controller(cluster);
  REQUIRE(cluster.create_backup("first", nlohmann::json::object()));
  REQUIRE(Cluster::eventually([&] { return cluster.orders().size() == 1; }));
  REQUIRE(cluster.create_backup("second", nlohmann::json::object()));
  REQUIRE(Cluster::eventually([&] {
    const auto second = cluster.backup("second");
    const auto* scheduled = api::find_condition(second.status.conditions, "Scheduled");
    return scheduled != nullptr && scheduled->reason == "Queued";
  }));
  CHECK(cluster.orders().size() == 1);
  agent.set_script(Script::finish);
  CHECK(succeeded(cluster.wait_finished("second")).status == ConditionStatus::true_);
  CHECK(succeeded(cluster.backup("first")).status == ConditionStatus::true_);
  CHECK(agent.taken() == std::vector<std::string>{"first", "second"});
  CHECK(cluster.backup("first").status.run_id < cluster.backup("second").status.run_id);
}

TEST_CASE("a controller that is killed in mid-run is followed by one that ends the same run") {
  Cluster cluster;
  cluster.make_release("app", 1);
  ScriptedAgent agent(cluster, "n1", Script::hold);
  ControllerProcess first(cluster);
  REQUIRE(cluster.create_backup("survivor", nlohmann::json::object()));
  REQUIRE(Cluster::eventually([&] { return !agent.taken().empty(); }));
  first.kill();
  const std::string run_id = cluster.backup("survivor").status.run_id;
  CHECK_FALSE(cluster.backup("survivor").finished());
  agent.set_script(Script::finish);
  REQUIRE(Cluster::eventually([&] { return cluster.orders().at(0).finished(); }));
  const ControllerProcess second(cluster);
  const auto backup = cluster.wait_finished("survivor");
  CHECK(succeeded(backup).status == ConditionStatus::true_);
  CHECK(backup.status.run_id == run_id);
  CHECK(cluster.orders().size() == 1);
  CHECK(Cluster::eventually([&] { return cluster.payload_count() == 0; }));
}

TEST_CASE(
    "an undecodable release among good ones: listed, kept as stored, and the run is complete") {
  Cluster cluster;
  cluster.make_release("good", 1);
  cluster.make_release("bad", 1, "%%% no base64 %%%");
  const ScriptedAgent agent(cluster, "n1", Script::finish);
  const ControllerProcess controller(cluster);
  REQUIRE(cluster.create_backup("partly", nlohmann::json::object()));
  const auto backup = cluster.wait_finished("partly");
  CHECK(succeeded(backup).status == ConditionStatus::true_);
  CHECK(backup.status.missing.empty());
  CHECK(backup.status.helm->releases == 1);
  REQUIRE(backup.status.helm->undecodable.size() == 1);
  CHECK(backup.status.helm->undecodable[0].storage_object == "secret/sh.helm.release.v1.bad.v1");
  CHECK(backup.status.artifacts.size() == 4);
  CHECK(api::find_condition(backup.status.conditions, "HelmValuesCollected")->reason ==
        "HelmUndecodable");
}

TEST_CASE("no .sops.yaml, none with an age recipient, a malformed one: typed, before anything is "
          "ordered") {
  Cluster cluster;
  const ScriptedAgent agent(cluster, "n1", Script::finish);
  const ControllerProcess controller(cluster);
  const auto run = [&](const std::string& name) {
    REQUIRE(cluster.create_backup(name, nlohmann::json::object()));
    return succeeded(cluster.wait_finished(name));
  };
  REQUIRE(std::remove(cluster.sops_yaml().c_str()) == 0);
  const auto missing = run("missing");
  CHECK(missing.reason == "RecipientMissing");
  CHECK(missing.message.find(cluster.sops_yaml()) == 0);
  std::ofstream(cluster.sops_yaml()) << "creation_rules:\n  - pgp: 0123456789ABCDEF\n";
  CHECK(run("pgp-only").reason == "RecipientMissing");
  std::ofstream(cluster.sops_yaml()) << "creation_rules:\n  - age: age1notarecipient\n";
  CHECK(run("malformed").reason == "RecipientInvalid");
  CHECK(cluster.orders().empty());
  CHECK(cluster.payload_count() == 0);
}

TEST_CASE("no agent on the node: AgentUnavailable, and the next run goes on") {
  Cluster cluster;
  const ScriptedAgent agent(cluster, "n1", Script::finish);
  const ControllerProcess controller(cluster);
  REQUIRE(cluster.create_backup("nowhere", {{"nodeName", "n9"}}));
  REQUIRE(cluster.create_backup("somewhere", nlohmann::json::object()));
  CHECK(succeeded(cluster.wait_finished("nowhere")).reason == "AgentUnavailable");
  CHECK(succeeded(cluster.wait_finished("somewhere")).status == ConditionStatus::true_);
}

TEST_CASE("a deadline that passes ends the run and withdraws the order") {
  Cluster cluster;
  const ScriptedAgent agent(cluster, "n1", Script::hold);
  const ControllerProcess controller(cluster);
  REQUIRE(cluster.create_backup("late", {{"deadlineSeconds", 2}}));
  CHECK(succeeded(cluster.wait_finished("late")).reason == "DeadlineExceeded");
  CHECK(Cluster::eventually([&] { return cluster.orders().empty(); }));
}

TEST_CASE("deleting a ClusterBackup in mid-run withdraws its order and payload") {
  Cluster cluster;
  cluster.make_release("app", 1);
  const ScriptedAgent agent(cluster, "n1", Script::hold);
  const ControllerProcess controller(cluster);
  REQUIRE(cluster.create_backup("doomed", nlohmann::json::object()));
  REQUIRE(Cluster::eventually([&] { return !agent.taken().empty(); }));
  REQUIRE(cluster.client().remove({kube::k_cluster_backups, "", "doomed", {}}));
  CHECK(Cluster::eventually(
      [&] { return cluster.orders().empty() && cluster.payload_count() == 0; }));
}

TEST_CASE("ttlSecondsAfterFinished removes the object") {
  Cluster cluster;
  const ScriptedAgent agent(cluster, "n1", Script::finish);
  const ControllerProcess controller(cluster);
  REQUIRE(cluster.create_backup("brief", {{"ttlSecondsAfterFinished", 1}}));
  CHECK(Cluster::eventually([&] {
    const auto now = cluster.client().get({kube::k_cluster_backups, "", "brief", {}});
    return !now && now.error().code == ErrorCode::not_found;
  }));
}
