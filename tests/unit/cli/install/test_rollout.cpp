// How far an installation is, by what the API serves of it, and how long that is waited for.
#include "cli/install/rollout.hpp"
#include "fake_k3s.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::install;
using namespace rb::test;
using nlohmann::json;

namespace {

constexpr const char* k_checksum = "0123abcd";
constexpr const char* k_here = "server-1";
constexpr const char* k_pods = "/api/v1/namespaces/railiance-backup/pods/";
constexpr const char* k_events = "/api/v1/namespaces/kube-system/events/";
constexpr const char* k_our_events = "/api/v1/namespaces/railiance-backup/events/";

json deployment(int replicas, int updated, int available) {
  return {{"metadata", {{"generation", 3}}},
          {"spec", {{"replicas", 1}}},
          {"status",
           {{"observedGeneration", 3},
            {"replicas", replicas},
            {"updatedReplicas", updated},
            {"availableReplicas", available}}}};
}

json daemon_set(int wanted, int updated, int available) {
  return {{"metadata", {{"generation", 3}}},
          {"status",
           {{"observedGeneration", 3},
            {"desiredNumberScheduled", wanted},
            {"updatedNumberScheduled", updated},
            {"numberAvailable", available}}}};
}

json waiting_pod(const char* node, const char* reason, const char* message = "") {
  const json waiting{{"reason", reason}, {"message", message}};
  return {{"spec", {{"nodeName", node}}},
          {"status", {{"containerStatuses", {{{"state", {{"waiting", waiting}}}}}}}}};
}

/// k3s has applied the manifests, and everything is up; each test takes something away.
struct Cluster {
  FakeK3s k3s;
  JumpingClock clock;
  std::vector<std::string> lines;
  RolloutWait wait;
  std::stop_source stop;

  Cluster() {
    k3s.objects[k_addon] = {{"spec", {{"checksum", k_checksum}}}};
    k3s.objects[k_controller_path] = deployment(1, 1, 1);
    k3s.objects[k_agent_path] = daemon_set(2, 2, 2);
    wait.timeout = std::chrono::seconds(30);
    wait.on_line = [this](const std::string& line) { lines.push_back(line); };
  }

  void put_pod(const std::string& name, json pod) {
    pod["metadata"]["name"] = name;
    k3s.objects[k_pods + name] = std::move(pod);
  }
  /// The agent of one node is not up.
  void wait_for_agent() { k3s.objects[k_agent_path] = daemon_set(2, 2, 1); }

  Result<Rollout> try_look() {
    auto client = connect();
    return look_at_rollout(client, k_checksum, k_here, {});
  }
  Rollout look() {
    auto rollout = try_look();
    REQUIRE(rollout);
    return *std::move(rollout);
  }
  Status until_up() {
    auto client = connect();
    return wait_for_rollout(client, k_checksum, k_here, wait, clock, clock, stop.get_token());
  }

private:
  kube::Client connect() {
    kube::Runtime runtime;
    runtime.clock = &clock;
    runtime.waiter = &clock;
    kube::ClientOptions options;
    options.attempts = 1;
    return kube::Client(k3s, runtime, options);
  }
};

} // namespace

TEST_CASE("what k3s has not applied, or applied in another form, is not looked at further") {
  for (const json& addon : {json::object(), json{{"spec", {{"checksum", "of before"}}}}}) {
    Cluster cluster;
    cluster.k3s.objects[k_addon] = addon;
    const Rollout rollout = cluster.look();
    CHECK_FALSE(rollout.applied);
    CHECK_FALSE(rollout.ready);
    CHECK(rollout.line.starts_with("k3s takes the manifests in"));
    CHECK(rollout.trouble.empty());
  }
}

TEST_CASE("of what k3s complains of, the last is told") {
  Cluster cluster;
  cluster.k3s.objects.erase(k_addon);
  const auto complain = [&](const std::string& name, const char* time, const char* message) {
    cluster.k3s.objects[k_events + name] = {
        {"lastTimestamp", time}, {"reason", "ApplyManifestFailed"}, {"message", message}};
  };
  complain("a", "2026-11-22T11:52:16Z", "the first");
  complain("b", "2026-11-22T11:53:16Z", "the CronJob\x1b[2J is invalid");
  complain("c", "2026-11-22T11:51:16Z", "an old one");
  const std::string trouble = cluster.look().trouble;
  CHECK(trouble.starts_with("k3s says ApplyManifestFailed: the CronJob"));
  CHECK(trouble.find('\x1b') == std::string::npos);
}

TEST_CASE("the controller is ready when the new one runs alone, as its Deployment is now") {
  json unseen = deployment(1, 1, 1);
  unseen["status"]["observedGeneration"] = 2;
  json two = deployment(2, 2, 1);
  two["spec"]["replicas"] = 2;
  json unsaid = deployment(1, 1, 1);
  unsaid["spec"].erase("replicas"); // then it is one
  json none = deployment(0, 0, 0);
  none["spec"]["replicas"] = 0;
  struct Case {
    json object;
    bool ready;
    const char* text;
  };
  for (const Case& one : {Case{deployment(1, 1, 1), true, "1/1"},
                          Case{deployment(1, 0, 1), false, "0/1"}, // the old one
                          Case{deployment(2, 1, 1), false, "1/1"}, // and the old one still
                          Case{deployment(1, 1, 0), false, "0/1"},
                          Case{json(), false, "0/1"}, // somebody removed it
                          Case{unseen, false, "1/1"},
                          Case{two, false, "1/2"},
                          Case{unsaid, true, "1/1"},
                          Case{none, true, "0/0"}}) {
    CAPTURE(one.object.dump());
    Cluster cluster;
    cluster.k3s.objects[k_controller_path] = one.object;
    if (one.object.is_null()) {
      cluster.k3s.objects.erase(k_controller_path);
    }
    const Rollout rollout = cluster.look();
    CHECK(rollout.applied);
    CHECK(rollout.ready == one.ready);
    CHECK(rollout.line == std::string("ready: controller ") + one.text + ", agent 2/2");
  }
}

TEST_CASE("the agent is ready when it runs anew on every node that it is for, and there is one") {
  json unseen = daemon_set(2, 2, 2);
  unseen["status"]["observedGeneration"] = 2;
  struct Case {
    json object;
    bool ready;
    const char* text;
  };
  for (const Case& one : {Case{daemon_set(2, 2, 2), true, "2/2"},
                          Case{daemon_set(2, 1, 2), false, "1/2"}, // an old one is up
                          Case{daemon_set(2, 2, 1), false, "1/2"},
                          Case{daemon_set(0, 0, 0), false, "0/0"}, // no node has its label yet
                          Case{json::object(), false, "0/0"},
                          Case{unseen, false, "2/2"}}) {
    CAPTURE(one.object.dump());
    Cluster cluster;
    cluster.k3s.objects[k_agent_path] = one.object;
    const Rollout rollout = cluster.look();
    CHECK(rollout.ready == one.ready);
    CHECK(rollout.line == std::string("ready: controller 1/1, agent ") + one.text);
  }
}

TEST_CASE("pods that a policy or a quota refuses are none, and its last word is told") {
  Cluster cluster;
  cluster.k3s.objects[k_agent_path] = daemon_set(2, 0, 0);
  CHECK(cluster.look().trouble.empty());
  const auto refuse = [&](const std::string& name, const char* time, const char* message) {
    cluster.k3s.objects[k_our_events + name] = {
        {"lastTimestamp", time}, {"reason", "FailedCreate"}, {"message", message}};
  };
  refuse("b",
         "2026-11-22T11:53:16Z",
         "Error creating: admission webhook \"validation.gatekeeper.sh\" denied the request");
  refuse("a", "2026-11-22T11:52:16Z", "Error creating: exceeded quota");
  CHECK(cluster.look().trouble == "no pod is made: FailedCreate: Error creating: admission webhook "
                                  "\"validation.gatekeeper.sh\" denied the request");
  // Of before: pods are on their way.
  cluster.put_pod("p", waiting_pod(k_here, "ContainerCreating"));
  CHECK(cluster.look().trouble.empty());
}

TEST_CASE("a pod that is not ready says why, where it is not just on its way") {
  const auto trouble_of = [](const json& pod) {
    Cluster cluster;
    cluster.wait_for_agent();
    cluster.put_pod("p", pod);
    return cluster.look().trouble;
  };
  CHECK(trouble_of(waiting_pod(k_here, "CrashLoopBackOff", "back-off")) ==
        "p: CrashLoopBackOff: back-off");
  CHECK(trouble_of(waiting_pod(k_here, "ErrImageNeverPull")) == "p: ErrImageNeverPull");
  CHECK(trouble_of(waiting_pod(k_here, "ContainerCreating")).empty());
  CHECK(trouble_of(waiting_pod(k_here, "PodInitializing")).empty());
  const auto with_condition = [](const char* type, const char* status) {
    const json condition{
        {"type", type}, {"status", status}, {"reason", "Unschedulable"}, {"message", "no room"}};
    return json{{"status", {{"conditions", {condition}}}}};
  };
  CHECK(trouble_of(with_condition("PodScheduled", "False")) == "p: Unschedulable: no room");
  CHECK(trouble_of(with_condition("PodScheduled", "True")).empty());
  json ready = waiting_pod(k_here, "CrashLoopBackOff");
  ready["status"]["conditions"] = {{{"type", "Ready"}, {"status", "True"}}};
  CHECK(trouble_of(ready).empty());
  ready["status"]["conditions"][0]["status"] = "False";
  CHECK(trouble_of(ready) == "p: CrashLoopBackOff");
  for (const char* const phase : {"Succeeded", "Failed"}) { // of a Job
    json ended = waiting_pod(k_here, "Error");
    ended["status"]["phase"] = phase;
    CHECK(trouble_of(ended).empty());
  }
  json going = waiting_pod(k_here, "CrashLoopBackOff");
  going["metadata"]["deletionTimestamp"] = "2026-11-22T11:52:16Z";
  CHECK(trouble_of(going).empty());
}

TEST_CASE("nodes without the image are named, each once, and only where nothing else is missing") {
  Cluster cluster;
  cluster.wait_for_agent();
  cluster.put_pod("a", waiting_pod("server-2", "ErrImageNeverPull"));
  cluster.put_pod("b", waiting_pod("server-2", "ErrImageNeverPull"));
  cluster.put_pod("c", waiting_pod("server-3", "ErrImageNeverPull"));
  const Rollout rollout = cluster.look();
  CHECK(rollout.without_image == std::vector<std::string>{"server-2", "server-3"});
  CHECK(rollout.trouble.empty());
  cluster.put_pod("d", waiting_pod(k_here, "ContainerCreating"));
  CHECK(cluster.look().without_image.empty());
}

TEST_CASE("what is up is not waited for, and said once") {
  Cluster cluster;
  CHECK(cluster.until_up());
  CHECK(cluster.lines == std::vector<std::string>{"ready: controller 1/1, agent 2/2"});
  CHECK(cluster.clock.steady_now().time_since_epoch().count() == 0);
}

TEST_CASE("each new line is told once, with what is in the way; the API may be away for a while") {
  Cluster cluster;
  cluster.k3s.objects.erase(k_addon);
  int requests = 0;
  cluster.k3s.before_request = [&] {
    ++requests;
    cluster.k3s.down = requests > 10 && requests < 20;
    if (requests == 20) {
      cluster.k3s.objects[k_addon] = {{"spec", {{"checksum", k_checksum}}}};
      cluster.wait_for_agent();
      cluster.put_pod("p", waiting_pod(k_here, "CrashLoopBackOff"));
    } else if (requests == 40) {
      cluster.k3s.objects[k_agent_path] = daemon_set(2, 2, 2);
    }
  };
  CHECK(cluster.until_up());
  CHECK(cluster.lines ==
        std::vector<std::string>{"k3s takes the manifests in (it looks every 15 seconds)",
                                 "the API server does not answer",
                                 "ready: controller 1/1, agent 1/2 (p: CrashLoopBackOff)",
                                 "ready: controller 1/1, agent 2/2"});
}

TEST_CASE("the time is bounded, and at its end it is said what kept it") {
  Cluster cluster;
  cluster.wait_for_agent();
  cluster.put_pod("p", waiting_pod(k_here, "CrashLoopBackOff", "back-off"));
  const Status late = cluster.until_up();
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::timeout);
  CHECK(late.error().message == "not ready after 30 s: ready: controller 1/1, agent 1/2; p: "
                                "CrashLoopBackOff: back-off");
  CHECK(cluster.clock.steady_now().time_since_epoch() == std::chrono::seconds(30));
  CHECK_FALSE(late.error().hint.empty());
}

TEST_CASE("other servers without the image end it before the time, once that is all for a while") {
  Cluster cluster;
  cluster.wait_for_agent();
  cluster.put_pod("a", waiting_pod("server-2", "ErrImageNeverPull"));
  SUBCASE("from the beginning") {
    const Status incomplete = cluster.until_up();
    REQUIRE_FALSE(incomplete);
    CHECK(incomplete.error().code == ErrorCode::incomplete);
    CHECK(incomplete.error().message.ends_with("not on the other servers yet: server-2"));
    CHECK(cluster.clock.steady_now().time_since_epoch() < std::chrono::seconds(6));
  }
  SUBCASE("the image comes in time") {
    int looks = 0;
    cluster.k3s.before_request = [&] {
      if (++looks == 4 * 9) { // four requests a look
        cluster.k3s.objects[k_agent_path] = daemon_set(2, 2, 2);
      }
    };
    CHECK(cluster.until_up());
  }
  SUBCASE("something else comes and goes in between: it is counted from then") {
    int looks = 0;
    cluster.k3s.before_request = [&] {
      ++looks;
      if (looks == 4 * 9) {
        cluster.put_pod("b", waiting_pod(k_here, "ContainerCreating"));
      } else if (looks == 4 * 10) {
        cluster.k3s.objects.erase(std::string(k_pods) + "b");
      }
    };
    CHECK(cluster.until_up().error().code == ErrorCode::incomplete);
    CHECK(looks > 4 * 18);
  }
}

TEST_CASE("what waiting does not mend ends it at once, and so does the word to stop") {
  Cluster cluster;
  cluster.k3s.refused = k_controller_path;
  CHECK(cluster.try_look().error().code == ErrorCode::permission_denied);
  CHECK(cluster.until_up().error().code == ErrorCode::permission_denied);
  CHECK(cluster.clock.steady_now().time_since_epoch().count() == 0);
  CHECK(cluster.lines.empty());

  cluster.k3s.refused.clear();
  cluster.wait_for_agent();
  cluster.stop.request_stop();
  CHECK(cluster.until_up().error().code == ErrorCode::cancelled);
}
