// What is named, and restarted, after a restore because it watches the API.
#include "restore/cluster/workloads.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::cluster;

namespace {

constexpr const char* k_listed =
    R"(Deployment    kube-system        coredns                       coredns
Deployment    kube-system        traefik                       traefik
Deployment    shop               web                           <none>
Deployment    shop               api                           default
DaemonSet     metallb-system     speaker                       speaker
StatefulSet   db                 pg-operator                   pg
Deployment    railiance-backup   railiance-backup-controller   railiance-backup-controller
DaemonSet     railiance-backup   railiance-backup-agent        railiance-backup-agent
Widget        x                  y                             z
Deployment    -n                 --all                         sa
garbage
)";

class FakeKubectl final : public ProcessRunner {
public:
  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token) override {
    calls.push_back(spec);
    ProcessResult result;
    result.exit_status =
        fails_for.empty() || std::ranges::find(spec.arguments, fails_for) == spec.arguments.end()
            ? 0
            : 1;
    result.out = out;
    return result;
  }
  std::string out;
  std::string fails_for;
  std::vector<ProcessSpec> calls;
};

class Ticking final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override { return {}; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    m_now += std::chrono::seconds(1);
    return m_now;
  }

private:
  mutable std::chrono::steady_clock::time_point m_now{};
};

const k3s::Kubectl k_kubectl{"/usr/local/bin/k3s", "/etc/rancher/k3s/k3s.yaml", "/data"};

} // namespace

TEST_CASE("who fills his own namespace takes no place of others") {
  std::string lines;
  for (int i = 0; i < 200; ++i) {
    lines += "Deployment a-tenant d" + std::to_string(i) + " mine\n";
  }
  const auto found = workloads_that_watch(lines + k_listed);
  REQUIRE(found.size() == 204);
  CHECK(found[0] == Workload{"Deployment", "kube-system", "coredns"});
  CHECK(found[1] == Workload{"Deployment", "kube-system", "traefik"});
  CHECK(found[2].name_space == "metallb-system");
  CHECK(found[3].name_space == "db");
  CHECK(found[4] == Workload{"Deployment", "a-tenant", "d0"});
}

TEST_CASE("what has an account of its own may watch the API; ours notices a restore by itself") {
  CHECK(workloads_that_watch(k_listed) ==
        std::vector<Workload>{{"Deployment", "kube-system", "coredns"},
                              {"Deployment", "kube-system", "traefik"},
                              {"DaemonSet", "metallb-system", "speaker"},
                              {"StatefulSet", "db", "pg-operator"}});
  CHECK(workloads_that_watch("").empty());
}

TEST_CASE("they are listed by one call of kubectl") {
  FakeKubectl processes;
  processes.out = k_listed;
  const auto found = find_workloads_that_watch(processes, k_kubectl, {});
  REQUIRE(found);
  CHECK(found->size() == 4);
  REQUIRE(processes.calls.size() == 1);
  CHECK(processes.calls[0].program == "/usr/local/bin/k3s");
  CHECK(processes.calls[0].arguments[0] == "kubectl");
  processes.fails_for = "get";
  CHECK_FALSE(find_workloads_that_watch(processes, k_kubectl, {}));
}

TEST_CASE("each is restarted; one that cannot be is named and keeps nobody else from it") {
  FakeKubectl processes;
  processes.fails_for = "deployment/traefik";
  const auto left = restart_workloads(processes,
                                      Ticking(),
                                      k_kubectl,
                                      workloads_that_watch(k_listed),
                                      std::chrono::seconds(100),
                                      {});
  CHECK(left == std::vector<Workload>{{"Deployment", "kube-system", "traefik"}});
  REQUIRE(processes.calls.size() == 4);
  const std::vector<std::string> arguments = processes.calls[2].arguments;
  CHECK(std::vector<std::string>(arguments.begin() + 2, arguments.end()) ==
        std::vector<std::string>{"rollout",
                                 "restart",
                                 "daemonset/speaker",
                                 "--namespace=metallb-system",
                                 "--request-timeout=10s"});
  CHECK(to_string(left.front()) == "deployment/traefik -n kube-system");
}

TEST_CASE("restarting ends after its time: the rest is named") {
  FakeKubectl processes;
  const auto left = restart_workloads(
      processes, Ticking(), k_kubectl, workloads_that_watch(k_listed), std::chrono::seconds(2), {});
  CHECK(left.size() == 3);
  CHECK(processes.calls.size() == 1);
}

TEST_CASE("what is said names each workload as a command, and is bounded") {
  const std::vector<Workload> some{{"Deployment", "kube-system", "coredns"},
                                   {"DaemonSet", "metallb-system", "speaker"}};
  CHECK(words_for({}, false, {}).empty());
  CHECK(words_for(some, false, {}) ==
        std::vector<std::string>{
            "these may watch the API, and see nothing until they are restarted:",
            "  k3s kubectl rollout restart deployment/coredns -n kube-system",
            "  k3s kubectl rollout restart daemonset/speaker -n metallb-system"});
  CHECK(words_for(some, true, {}) ==
        std::vector<std::string>{"2 workloads that may watch the API were restarted"});
  CHECK(words_for(some, true, {some[1]}) ==
        std::vector<std::string>{
            "1 workloads that may watch the API were restarted",
            "not restarted:",
            "  k3s kubectl rollout restart daemonset/speaker -n metallb-system"});
  CHECK(words_for(std::vector<Workload>(500, some[0]), false, {}).size() == 22);
}
