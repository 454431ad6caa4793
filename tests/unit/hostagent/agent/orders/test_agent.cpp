// The worker between an API server that loses answers and a host on which a run fails at once.
#include "agent/orders/agent.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace rb;
using namespace rb::agent;

namespace {

constexpr const char* k_uid = "u-1";

/// Real, but that waiting is skipped.
class Clockwork final : public Clock, public Waiter {
public:
  [[nodiscard]] SystemTime now() const override { return RealClock().now(); }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::now() + m_skipped;
  }
  bool wait(std::chrono::milliseconds time, const std::stop_token& /*stop*/) override {
    m_skipped += time;
    return true;
  }

private:
  std::chrono::milliseconds m_skipped{0}; ///< Only the agent's thread looks and waits.
};

enum class Answer {
  given,
  lost_after_write,
  lost_before_write,
  sent_twice, ///< Written, the answer lost, and sent again below us: a conflict is all we hear.
};

/// One order, kept as an API server keeps it; what changes reaches the board as a watch event.
class Server final : public StatusSink {
public:
  explicit Server(OrderBoard& board) : m_board(board) {}

  void show() { m_board.on_upsert(m_object); }
  nlohmann::json& object() { return m_object; }
  void answer_next(std::vector<Answer> answers) { m_answers = std::move(answers); }
  /// Another agent changes the order right after the next write that arrives.
  void meddle_next(nlohmann::json status) { m_meddling = std::move(status); }

  Status write(const std::string&,
               const api::NodeBackupStatus& status,
               const std::string& resource_version,
               std::stop_token) override {
    Answer answer = Answer::given;
    if (!m_answers.empty()) {
      answer = m_answers.front();
      m_answers.erase(m_answers.begin());
    }
    const Error lost{ErrorCode::unavailable, "PATCH: the connection was reset", {}};
    if (answer == Answer::lost_before_write) {
      return lost;
    }
    if (!resource_version.empty() && resource_version != version()) {
      return conflict();
    }
    change(api::to_json(status));
    if (answer == Answer::sent_twice) {
      return conflict();
    }
    if (!m_meddling.is_null()) {
      change(std::exchange(m_meddling, nullptr));
    }
    return answer == Answer::given ? Status() : Status(lost);
  }

  [[nodiscard]] api::NodeBackup order() const {
    return api::node_backup_from_json(m_object).value();
  }
  [[nodiscard]] int writes() const { return m_version - 1; }

private:
  static Error conflict() {
    Error error{ErrorCode::conflict, "PATCH: the object has been modified", {}};
    error.http_status = 409;
    return error;
  }
  [[nodiscard]] std::string version() const { return std::to_string(m_version); }
  void change(const nlohmann::json& status) {
    m_object["status"].merge_patch(status);
    ++m_version;
    m_object["metadata"]["resourceVersion"] = version();
    show();
  }

  OrderBoard& m_board;
  int m_version = 1;
  std::vector<Answer> m_answers;
  nlohmann::json m_meddling;
  nlohmann::json m_object{{"metadata",
                           {{"name", k_uid},
                            {"uid", k_uid},
                            {"resourceVersion", "1"},
                            {"creationTimestamp", "2026-11-22T11:52:00Z"}}},
                          {"spec",
                           {{"clusterBackupName", "b"},
                            {"runID", "20261122T115200Z"},
                            {"nodeName", "vm"},
                            {"artifacts", {"Kubeconfig"}},
                            {"keepLast", 7},
                            {"deadline", "2126-11-22T12:00:00Z"}}},
                          {"status", nlohmann::json::object()}};
};

struct World {
  World() {
    settings.node_name = "vm";
    settings.agent_id = "pod";
    settings.instance_id = "me";
    settings.backup_dir = temporary.file("backups");
    settings.data_dir = temporary.file("k3s");
    settings.config_dir = temporary.file("rancher");
    settings.key_dir = temporary.file("key");
    settings.k3s_program = temporary.file("no-k3s");
    settings.sops_config = temporary.file("no-sops.yaml");
  }

  /// The reason with which the order ends; empty when it does not within ten seconds.
  std::string outcome() {
    server.show();
    board.on_synced();
    {
      Agent agent(settings, {board, server, metrics, {processes, clock, clock, {}}});
      std::stop_source stop;
      std::jthread worker([&] { agent.work(stop.get_token(), {}); });
      for (int i = 0; i < 1000 && board.finished().empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      stop.request_stop();
    }
    for (const api::Condition& condition : server.order().status.conditions) {
      if (condition.type == "Succeeded" && condition.status != api::ConditionStatus::unknown) {
        return condition.reason;
      }
    }
    return {};
  }

  test::TemporaryDirectory temporary;
  Settings settings;
  Clockwork clock;
  RealProcessRunner processes;
  AgentMetrics metrics{"vm"};
  OrderBoard board{"vm"};
  Server server{board};
};

/// What a run says that really began here: there are no recipients.
constexpr const char* k_carried_out = "RecipientMissing";

nlohmann::json taken_by(const std::string& agent, const std::string& instance) {
  return {{"agentID", agent}, {"instanceID", instance}, {"startTime", "2026-11-22T11:52:01Z"}};
}

} // namespace

TEST_CASE("an order is accepted with the mark of the process, and carried out") {
  World world;
  CHECK(world.outcome() == k_carried_out);
  CHECK(world.server.order().status.agent_id == "pod");
  CHECK(world.server.order().status.instance_id == "me");
}

TEST_CASE("an order whose deadline has passed by the clock of the node names the clocks") {
  World world;
  world.server.object()["spec"]["deadline"] = "2020-01-01T12:00:00Z";
  world.server.object()["metadata"]["creationTimestamp"] = "2020-01-01T11:00:00Z";
  CHECK(world.outcome() == "DeadlineExceeded");
  const api::NodeBackup order = world.server.order();
  const api::Condition* const ended =
      api::find_condition(order.status.conditions, api::condition_type::k_succeeded);
  REQUIRE(ended != nullptr);
  CHECK(ended->message.find("the deadline (2020-01-01T12:00:00Z)") != std::string::npos);
  CHECK(ended->message.find("the clock of node vm says 20") != std::string::npos);
  CHECK(ended->message.find("the order was made at 2020-01-01T11:00:00Z") != std::string::npos);
  CHECK(ended->message.find("timedatectl") != std::string::npos);
}

TEST_CASE("an acceptance whose answer was lost is found again, and the run goes on") {
  World world;
  SUBCASE("it had arrived") {
    world.server.answer_next({Answer::lost_after_write});
  }
  SUBCASE("it had not") {
    world.server.answer_next({Answer::lost_before_write});
  }
  SUBCASE("it was sent twice, and the second met the first") {
    world.server.answer_next({Answer::sent_twice, Answer::sent_twice});
  }
  SUBCASE("the second is lost as well") {
    world.server.answer_next(
        {Answer::lost_after_write, Answer::lost_after_write, Answer::lost_before_write});
  }
  CHECK(world.outcome() == k_carried_out);
}

TEST_CASE("what the process before had taken is settled as interrupted, in the same pod too") {
  World world;
  SUBCASE("at once") {}
  SUBCASE("and the answers are lost") {
    world.server.answer_next({Answer::lost_after_write, Answer::lost_before_write});
  }
  world.server.object()["status"] = taken_by("pod", "before");
  CHECK(world.outcome() == "Interrupted");
  CHECK(world.server.order().status.instance_id == "me");
}

TEST_CASE("an order that another agent took over while our answer was lost is not begun here") {
  World world;
  world.server.answer_next({Answer::lost_after_write});
  SUBCASE("it works on it, and we settle only what it leaves") {
    world.server.meddle_next(taken_by("other-pod", "other"));
    CHECK(world.outcome() == "Interrupted");
  }
  SUBCASE("the answer to our settling is lost, too: that is no acceptance of ours") {
    world.server.answer_next({Answer::lost_after_write, Answer::lost_after_write});
    world.server.meddle_next(taken_by("other-pod", "other"));
    CHECK(world.outcome() == "Interrupted");
  }
  SUBCASE("it has settled it") {
    auto status = taken_by("other-pod", "other");
    status["conditions"] = {{{"type", "Succeeded"},
                             {"status", "False"},
                             {"reason", "Interrupted"},
                             {"lastTransitionTime", "2026-11-22T11:53:00Z"}}};
    world.server.meddle_next(status);
    CHECK(world.outcome() == "Interrupted");
    CHECK(world.server.writes() == 2); // ours, and its own
  }
}
