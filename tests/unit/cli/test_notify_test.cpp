// notify-test: an annotation asks, BackupStatus answers.
#include "fake_cluster.hpp"

#include "api/backup_status.hpp"
#include "base/json_fields.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::test;

namespace {

constexpr const char* k_path = "/apis/backup.railiance.io/v1alpha1/backupstatuses/cluster";

/// BackupStatus with receivers, and a controller that does what `react` says once it is asked.
struct Told : FakeCluster {
  using React = std::function<void(std::vector<api::ReceiverState>&, SystemTime asked)>;

  Told(std::vector<api::ReceiverState> receivers, React react)
      : m_receivers(std::move(receivers)), m_react(std::move(react)) {
    answer = [this](const kube::Request& request) -> std::optional<kube::Response> {
      if (request.path != k_path) {
        return std::nullopt;
      }
      if (request.method == kube::Method::patch) {
        asked = json_of(request.body)["metadata"]["annotations"]["backup.railiance.io/notify-test"]
                    .get<std::string>();
        m_react(m_receivers, parse_rfc3339(asked).value());
      }
      nlohmann::json object = api::notified_apply(m_receivers);
      object["metadata"]["uid"] = "u";
      return kube::Response{200, std::chrono::seconds(0), object.dump()};
    };
  }

  std::string asked;

private:
  std::vector<api::ReceiverState> m_receivers;
  React m_react;
};

api::ReceiverState receiver(const char* name) {
  return {name, parse_rfc3339("2026-11-01T00:00:00Z").value(), {}, {}, {}};
}

void all_take_it(std::vector<api::ReceiverState>& receivers, SystemTime asked) {
  for (api::ReceiverState& state : receivers) {
    state.topics = {{"test", asked, false}};
  }
}

} // namespace

TEST_CASE("notify-test: each receiver has it") {
  Told cluster({receiver("DeadMan"), receiver("Webhook")}, all_take_it);
  const Outcome outcome = run_command(cluster, {"notify-test"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == "DeadMan: has it\nWebhook: has it\n");
  CHECK(cluster.asked == "2026-11-22T11:52:16Z");
}

TEST_CASE("notify-test: one that fails is said with its reason, and ends with 1") {
  Told cluster({receiver("DeadMan"), receiver("Webhook")}, [](auto& receivers, SystemTime asked) {
    receivers[0].topics = {{"test", asked, false}};
    receivers[1].failing_since = asked;
    receivers[1].last_error = "ntfy.sh: HTTP 404";
  });
  const Outcome outcome = run_command(cluster, {"notify-test"});
  CHECK(outcome.code == 1);
  CHECK(outcome.out == "DeadMan: has it\nWebhook: cannot be told: ntfy.sh: HTTP 404\n");
  const auto json = json_of(run_command(cluster, {"notify-test", "--output", "json"}).out);
  CHECK(json.at(1).at("arrived") == false);
  CHECK(json.at(1).at("lastError") == "ntfy.sh: HTTP 404");
}

TEST_CASE("notify-test: asked with a clock that is behind, it is asked anew all the same") {
  api::ReceiverState told = receiver("Webhook");
  told.topics = {{"test", parse_rfc3339("2026-12-01T00:00:00Z").value(), false}};
  Told cluster({told}, all_take_it);
  CHECK(run_command(cluster, {"notify-test"}).code == 0);
  CHECK(cluster.asked == "2026-12-01T00:00:01Z");
}

TEST_CASE("notify-test: where nobody is told, it says what to set") {
  Told cluster({}, all_take_it);
  const Outcome outcome = run_command(cluster, {"notify-test"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "nobody is told"));
  CHECK(has(outcome.err, "notify.webhook"));
  CHECK(cluster.asked.empty());
}

TEST_CASE("notify-test: without BackupStatus it says how to install") {
  FakeCluster cluster;
  const Outcome outcome = run_command(cluster, {"notify-test"});
  CHECK(outcome.code != 0);
  CHECK(has(outcome.err, "railiance-backup: "));
}
