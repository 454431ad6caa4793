// Notices on a real API server: told once over kills and restarts, kept in BackupStatus, and no
// secret anywhere but in the request.
#include "controller_process.hpp"
#include "unit/kube/transport/loopback_server.hpp"

#include "api/backup_status.hpp"
#include "kube/resource.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>
#include <thread>

using namespace rb;
using namespace rb::test;
using kube::test::LoopbackServer;
using kube::test::Peer;
using kube::test::response;

namespace {

constexpr const char* k_dead_man = "/s3cr3t-check";
constexpr const char* k_webhook = "/s3cr3t-hook";

/// Both receivers; keeps the first line of each request.
class Receivers {
public:
  Receivers()
      : m_server([this](Peer& peer) {
          const std::string request = peer.read_request();
          int status = 200;
          {
            const std::lock_guard lock(m_mutex);
            status = m_status;
            if (status == 200) {
              m_lines.push_back(request.substr(0, request.find(" HTTP/")));
            }
          }
          peer.write(response(status, ""));
          peer.wait_closed();
        }) {}

  void answer(int status) {
    const std::lock_guard lock(m_mutex);
    m_status = status;
  }
  [[nodiscard]] std::size_t count(const std::string& line) {
    const std::lock_guard lock(m_mutex);
    return static_cast<std::size_t>(std::ranges::count(m_lines, line));
  }
  [[nodiscard]] int connections() const { return m_server.connections(); }

  /// What a controller is started with to know of them.
  std::vector<std::string> arguments(const Cluster& cluster) {
    const std::string directory = cluster.directory() + "/notify";
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/dead-man-url") << m_server.url() << k_dead_man << "\n";
    std::ofstream(directory + "/webhook-url") << m_server.url() << k_webhook << "\n";
    return {"--notify-dead-man",
            "--notify-webhook",
            "--notify-allow-http",
            "--notify-secret-dir",
            directory};
  }

private:
  std::mutex m_mutex;
  std::vector<std::string> m_lines;
  int m_status = 200;
  LoopbackServer m_server;
};

nlohmann::json backup_status(Cluster& cluster) {
  const auto object = cluster.client().get({kube::k_backup_statuses, "", "cluster", ""});
  return object ? *object : nlohmann::json::object();
}

std::vector<api::ReceiverState> notified(Cluster& cluster) {
  const auto object = api::backup_status_from_json(backup_status(cluster));
  return object ? object->status.notified : std::vector<api::ReceiverState>{};
}

bool both_known(Cluster& cluster) {
  return Cluster::eventually([&] { return notified(cluster).size() == 2; });
}

/// There is no agent: it fails after the wait for one.
void fail_a_run(Cluster& cluster, const std::string& name) {
  REQUIRE(cluster.create_backup(name, nlohmann::json::object()));
  cluster.wait_finished(name);
}

const std::string k_hook_line = std::string("POST ") + k_webhook;
const std::string k_fail_line = std::string("POST ") + k_dead_man + "/fail";

} // namespace

TEST_CASE("a run that fails is told once to each, whatever becomes of the controllers") {
  Cluster cluster;
  Receivers receivers;
  const auto arguments = receivers.arguments(cluster);
  ControllerProcess first(cluster, "first", arguments);
  REQUIRE(both_known(cluster));
  fail_a_run(cluster, "fails-once");
  REQUIRE(Cluster::eventually(
      [&] { return receivers.count(k_hook_line) == 1 && receivers.count(k_fail_line) == 1; }));
  REQUIRE(Cluster::eventually([&] {
    return std::ranges::all_of(notified(cluster), [](const api::ReceiverState& state) {
      return std::ranges::find(state.topics, "run", &api::ToldTopic::topic) != state.topics.end();
    });
  }));
  first.kill();
  {
    ControllerProcess second(cluster, "second", arguments);
    fail_a_run(cluster, "fails-twice");
    REQUIRE(Cluster::eventually(
        [&] { return receivers.count(k_hook_line) == 2 && receivers.count(k_fail_line) == 2; }));
    second.terminate();
  }
  const ControllerProcess third(cluster, "third", arguments);
  fail_a_run(cluster, "fails-a-third-time"); // it leads, and has looked
  REQUIRE(Cluster::eventually(
      [&] { return receivers.count(k_hook_line) == 3 && receivers.count(k_fail_line) == 3; }));
  std::this_thread::sleep_for(std::chrono::seconds(5)); // two looks
  CHECK(receivers.count(k_hook_line) == 3);
  CHECK(receivers.count(k_fail_line) == 3);
}

TEST_CASE("receivers that fail delay no run, are said once, and are told when they are back") {
  Cluster cluster;
  Receivers receivers;
  receivers.answer(500);
  const ControllerProcess controller(cluster, "only", receivers.arguments(cluster));
  REQUIRE(both_known(cluster));
  fail_a_run(cluster, "fails-untold");
  REQUIRE(Cluster::eventually(
      [&] {
        return std::ranges::all_of(notified(cluster), [](const api::ReceiverState& state) {
          return state.failing_since.has_value();
        });
      },
      std::chrono::seconds(60)));
  CHECK(notified(cluster).front().last_error.ends_with(": HTTP 500"));
  const auto events = cluster.client().list_all(kube::k_events, "default");
  REQUIRE(events);
  CHECK(std::ranges::count_if(*events, [](const nlohmann::json& event) {
          return event.value("reason", "") == "NotifyFailed";
        }) >= 1);

  receivers.answer(200);
  // Who asks for a test does not wait for the end of the pause.
  REQUIRE(
      cluster.client().patch({kube::k_backup_statuses, "", "cluster", ""},
                             kube::PatchType::merge,
                             {{"metadata",
                               {{"annotations",
                                 {{api::k_notify_test_annotation,
                                   format_rfc3339(time_here() + std::chrono::seconds(1))}}}}}}));
  REQUIRE(Cluster::eventually([&] {
    return receivers.count(k_hook_line) == 2 && receivers.count(k_fail_line) == 1 &&
           receivers.count(std::string("POST ") + k_dead_man + "/log") == 1;
  }));
  REQUIRE(Cluster::eventually([&] {
    return std::ranges::none_of(notified(cluster), [](const api::ReceiverState& state) {
      return state.failing_since.has_value();
    });
  }));

  // No part of an address but the host, anywhere.
  std::ifstream log(cluster.directory() + "/controller.log");
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  CHECK(text.find("s3cr3t") == std::string::npos);
  CHECK(text.find("cannot be told") != std::string::npos);
  CHECK(backup_status(cluster).dump().find("s3cr3t") == std::string::npos);
  CHECK(events->dump().find("s3cr3t") == std::string::npos);
}

TEST_CASE("a Secret that is not there keeps no controller from making backups") {
  Cluster cluster;
  const ControllerProcess controller(
      cluster,
      "only",
      {"--notify-dead-man", "--notify-webhook", "--notify-secret-dir", "/does/not/exist"});
  REQUIRE(both_known(cluster));
  fail_a_run(cluster, "fails-for-want-of-an-agent");
  CHECK(cluster.backup("fails-for-want-of-an-agent").finished());
}
