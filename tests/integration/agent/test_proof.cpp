// Orders with verification Boot: a scratch server beside the one under the test, in earnest.
#include "bed_cluster.hpp"

#include "base/json_fields.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sys/mount.h>

#include <csignal>
#include <thread>

using namespace rb;
using namespace rb::test;

namespace {

constexpr const char* k_data_dir = "/var/lib/rancher/k3s";
const nlohmann::json k_boot{{"verification", "Boot"}};

std::vector<std::string> leftovers() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(k_data_dir)) {
    if (entry.path().filename().string().starts_with("railiance-boot-")) {
      found.push_back(entry.path().string());
    }
  }
  return found;
}

std::vector<std::string> scratch_processes() {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::string line{std::istreambuf_iterator<char>(file), {}};
    // k3s hides its arguments, and works in its data directory.
    line += " in " + std::filesystem::read_symlink(entry.path() / "cwd", ignored).string();
    if (line.find("railiance-boot-") != std::string::npos ||
        line.find("boot-namespace") != std::string::npos) {
      found.push_back(line);
    }
  }
  return found;
}

const api::Condition& proven(const api::NodeBackup& order) {
  const auto* condition = api::find_condition(order.status.conditions, "Proven");
  REQUIRE(condition != nullptr);
  return *condition;
}

nlohmann::json proof_of(const BedCluster& cluster, const std::string& run_id) {
  return json_of(cluster.kept().at("manifest-" + run_id + ".json")).at("proof");
}

/// A k3s whose scratch server, and no other, has the fault.
std::string faulty_k3s(const Scratch& scratch, const std::string& fault) {
  scratch.write("k3s",
                "#!/bin/sh\ncase \"$*\" in *cluster-reset*) ;; server*) export K3S_STANDIN_FAULT=" +
                    fault + " ;; esac\nexec /usr/local/bin/k3s \"$@\"\n");
  std::filesystem::permissions(scratch.path("k3s"), std::filesystem::perms::owner_all);
  return scratch.path("k3s");
}

} // namespace

TEST_CASE("an order with verification Boot ends proven, and nothing of the server is left") {
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  const auto order = cluster.make_order(k_boot);
  const auto done = cluster.finished(order.name, std::chrono::seconds(120));
  CAPTURE(message_of(done));
  REQUIRE(reason_of(done) == "Completed");
  CAPTURE(proven(done).message);
  MESSAGE(proven(done).message);
  CHECK(proven(done).status == api::ConditionStatus::true_);
  const auto proof = proof_of(cluster, order.run_id);
  CHECK(proof.at("result") == "Completed");
  CHECK(proof.at("objects").get<int>() > 50);
  CHECK(proof.at("peakMemoryBytes").get<std::uint64_t>() > (50U << 20U));
  CHECK(leftovers().empty());
  CHECK(scratch_processes().empty());
  CHECK(cluster.plain_snapshots().empty());
}

TEST_CASE(
    "a scratch server that does not come up: ProofFailed, and the set is stored all the same") {
  if (!BedCluster::plays_faults()) {
    return;
  }
  BedCluster cluster;
  const Scratch scratch;
  {
    const auto agent = cluster.start_agent("agent-1");
    REQUIRE(reason_of(cluster.finished(cluster.make_order().name)) == "Completed");
  }
  const auto before = cluster.kept();
  using Fault = std::pair<std::string, std::string>;
  for (const auto& [fault, words] : {Fault{"start-fails", "the server does not start"},
                                     Fault{"never-ready", "is not ready after"}}) {
    CAPTURE(fault);
    const auto agent = cluster.start_agent(
        "agent-1", {"--k3s", faulty_k3s(scratch, fault), "--boot-timeout-seconds", "45"});
    const auto order = cluster.make_order(k_boot);
    const auto ended = cluster.finished(order.name, std::chrono::seconds(240));
    CAPTURE(message_of(ended));
    CHECK(reason_of(ended) == "ProofFailed");
    CHECK(proven(ended).reason == "ProofFailed");
    CHECK(proven(ended).message.find(words) != std::string::npos);
    CHECK(ended.status.artifacts.size() == 3);
    const auto kept = cluster.kept();
    for (const auto& artifact : ended.status.artifacts) {
      CHECK(kept.at(artifact.file_name).size() == artifact.size_bytes);
    }
    for (const auto& [name, content] : before) {
      CHECK(kept.at(name) == content); // the stamp among them
    }
    CHECK(proof_of(cluster, order.run_id).at("result") == "ProofFailed");
    CHECK(leftovers().empty());
    CHECK(scratch_processes().empty());
  }
}

TEST_CASE("no room for a scratch server: ProofUnavailable, before anything is started") {
  BedCluster cluster;
  const Scratch scratch;
  scratch.make_directory("tiny");
  REQUIRE(::mount("tmpfs", scratch.path("tiny").c_str(), "tmpfs", 0, "size=8m") == 0);
  {
    const auto agent = cluster.start_agent("agent-1", {"--scratch-dir", scratch.path("tiny")});
    const auto ended = cluster.finished(cluster.make_order(k_boot).name, std::chrono::seconds(60));
    CHECK(reason_of(ended) == "ProofUnavailable");
    CHECK(proven(ended).message.find("MiB free, a scratch server needs") != std::string::npos);
    CHECK(ended.status.artifacts.size() == 3);
  }
  REQUIRE(::umount(scratch.path("tiny").c_str()) == 0);
}

TEST_CASE(
    "an agent that is killed in mid-boot: the kernel ends the server, the next run clears up") {
  BedCluster cluster;
  auto agent = cluster.start_agent("agent-1");
  const auto order = cluster.make_order(k_boot);
  cluster.wait_for_step(order.name, "ProvingSnapshot");
  std::this_thread::sleep_for(std::chrono::seconds(3));
  agent->end_with(SIGKILL);
  CHECK(
      BedCluster::eventually([] { return scratch_processes().empty(); }, std::chrono::seconds(5)));
  CHECK_FALSE(leftovers().empty());
  agent = cluster.start_agent("agent-1");
  CHECK(reason_of(cluster.finished(order.name)) == "Interrupted");
  CHECK(BedCluster::eventually([] { return leftovers().empty(); }, std::chrono::seconds(10)));
  CHECK(BedCluster::eventually([&] { return cluster.plain_snapshots().empty(); },
                               std::chrono::seconds(10)));
  CHECK(cluster.kept().empty());
  const auto next = cluster.finished(cluster.make_order(k_boot).name, std::chrono::seconds(120));
  CHECK(reason_of(next) == "Completed");
}

TEST_CASE("an agent that is told to end in mid-boot leaves nothing") {
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  const auto order = cluster.make_order(k_boot);
  cluster.wait_for_step(order.name, "ProvingSnapshot");
  std::this_thread::sleep_for(std::chrono::seconds(2));
  CHECK(agent->end_with(SIGTERM) == 0);
  CHECK(reason_of(cluster.order(order.name)) == "Interrupted");
  CHECK(leftovers().empty());
  CHECK(scratch_processes().empty());
  CHECK(cluster.plain_snapshots().empty());
  CHECK(cluster.kept().empty());
}
