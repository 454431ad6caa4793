// The notifier: attempts and pauses, what is kept in BackupStatus, and restarts.
#include "controller/notifier.hpp"
#include "fake_api.hpp"
#include "world.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* k_object = "/apis/backup.railiance.io/v1alpha1/backupstatuses/cluster";

class SetClock final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override {
    return k_start + std::chrono::duration_cast<std::chrono::seconds>(passed);
  }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(10000h) + passed;
  }
  std::chrono::milliseconds passed{0};
};

/// What reached a receiver; it may be away.
struct Inbox {
  std::vector<std::string> topics;
  std::vector<notify::MessageKind> kinds;
  int attempts = 0;
  bool away = false;
  std::function<void()> before = {};
  std::string refused_topic = {};
};

class FakeDelivery final : public notify::Delivery {
public:
  explicit FakeDelivery(Inbox& inbox) : m_inbox(inbox) {}
  [[nodiscard]] Status deliver(const notify::Message& message,
                               const std::stop_token& stop) override {
    ++m_inbox.attempts;
    if (m_inbox.before) {
      m_inbox.before();
    }
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop", {}};
    }
    if (m_inbox.away) {
      return Error{ErrorCode::unavailable, "ntfy.sh: HTTP 500", "a hint"};
    }
    if (message.topic == m_inbox.refused_topic) {
      Error no{ErrorCode::permission_denied, "discord.com: HTTP 400", {}};
      no.http_status = 400;
      return no;
    }
    m_inbox.topics.push_back(message.topic);
    m_inbox.kinds.push_back(message.kind);
    return {};
  }

private:
  Inbox& m_inbox;
};

/// A cluster with one BackupStatus, and what its controllers see.
struct World {
  FakeApi api;
  kube::Client client{api, kube::Runtime{}, one_attempt()};
  SetClock clock;
  NoticeView view;
  Inbox webhook;
  Inbox dead_man;
  std::vector<std::string> events;
  int failures = 0;
  bool synced = true;

  World() {
    api.objects[k_object] = api::new_backup_status();
    api.objects[k_object]["metadata"]["uid"] = "u";
  }
  /// A controller that has just begun to lead.
  std::unique_ptr<Notifier> controller(bool with_dead_man = false) {
    std::vector<Receiver> receivers;
    if (with_dead_man) {
      receivers.push_back(
          {"DeadMan", {true, true, false, false}, std::make_unique<FakeDelivery>(dead_man)});
    }
    receivers.push_back(
        {"Webhook", {false, false, true, true}, std::make_unique<FakeDelivery>(webhook)});
    return std::make_unique<Notifier>(NotifierPorts{client,
                                                    clock,
                                                    [this] { return view; },
                                                    [this] { return synced; },
                                                    [this](const kube::EventSpec& event) {
                                                      events.push_back(event.reason + ": " +
                                                                       event.note);
                                                    },
                                                    [this](const std::string&) { ++failures; }},
                                      std::move(receivers));
  }
  /// A run fails, after everything that was.
  void fail_a_run() {
    clock.passed += 60s;
    RunSeen run;
    run.name = "nightly";
    run.completion_time = clock.now();
    run.reason = "StorageFull";
    view.last = run;
  }
  /// A run succeeds, and one server has no set of it.
  void back_up_without_cp_3() {
    clock.passed += 60s;
    RunSeen run;
    run.name = "nightly";
    run.completion_time = clock.now();
    run.succeeded = true;
    run.copies = api::Condition{"Copies",
                                api::ConditionStatus::false_,
                                "StorageFull",
                                "2 of 3 servers: cp-3: no space",
                                clock.now(),
                                1};
    view.last = run;
    view.copies = run;
  }
  nlohmann::json notified(const std::string& receiver = "Webhook") {
    for (const auto& state : api.objects.at(k_object)["status"]["notified"]) {
      if (state.at("receiver") == receiver) {
        return state;
      }
    }
    return {};
  }
};

} // namespace

TEST_CASE("a receiver that was just set up is written down, and told nothing of before") {
  World world;
  world.fail_a_run();
  const auto controller = world.controller();
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.attempts == 0);
  CHECK(world.notified().at("sinceTime") == format_rfc3339(world.clock.now()));
  CHECK_FALSE(world.notified().contains("topics"));
}

TEST_CASE("what happens is told once, also by the controller after this one") {
  World world;
  auto controller = world.controller();
  REQUIRE(controller->visit({}));
  world.fail_a_run();
  REQUIRE(controller->visit({}));
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.topics == std::vector<std::string>{"run"});
  for (int restart = 0; restart < 3; ++restart) {
    controller = world.controller();
    REQUIRE(controller->visit({}));
  }
  CHECK(world.webhook.attempts == 1);
  world.fail_a_run();
  controller = world.controller(); // it failed while nobody was there
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.topics.size() == 2);
}

TEST_CASE("before all is listed, and without a BackupStatus, nothing is told") {
  World world;
  const auto controller = world.controller();
  REQUIRE(controller->visit({}));
  world.fail_a_run();
  world.synced = false;
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.attempts == 0);

  World empty;
  empty.api.objects.clear();
  const auto first = empty.controller();
  REQUIRE(first->visit({}));
  CHECK(empty.api.count("PATCH") == 0);
}

TEST_CASE("a receiver that is away is tried with growing pauses, and said to fail once") {
  World world;
  const auto controller = world.controller();
  REQUIRE(controller->visit({}));
  world.fail_a_run();
  world.webhook.away = true;
  std::vector<int> attempts_at; // seconds
  int before = 0;
  const auto begin = world.clock.passed;
  for (int second = 0; second < 2 * 3600; second += 5) {
    world.clock.passed = begin + std::chrono::seconds(second);
    REQUIRE(controller->visit({}));
    if (world.webhook.attempts > before) {
      attempts_at.push_back(second);
      before = world.webhook.attempts;
    }
  }
  REQUIRE(attempts_at.size() > 8);
  CHECK(std::vector<int>(attempts_at.begin(), attempts_at.begin() + 5) ==
        std::vector<int>{0, 5, 15, 35, 75});
  CHECK(attempts_at.back() - attempts_at[attempts_at.size() - 2] == 900);
  CHECK(world.failures == world.webhook.attempts);
  REQUIRE(world.events.size() == 1);
  CHECK(world.events[0] == "NotifyFailed: Webhook cannot be told: ntfy.sh: HTTP 500; a hint");
  CHECK(world.notified().at("lastError") == "ntfy.sh: HTTP 500; a hint");
  CHECK(world.notified().contains("failingSinceTime"));

  SUBCASE("and told when it is back") {
    world.webhook.away = false;
    world.clock.passed += 900s;
    REQUIRE(controller->visit({}));
    CHECK(world.webhook.topics == std::vector<std::string>{"run"});
    CHECK_FALSE(world.notified().contains("failingSinceTime"));
    CHECK_FALSE(world.notified().contains("lastError"));
  }
  SUBCASE("and the controller after this one does not say it again") {
    const auto next = world.controller();
    for (int i = 0; i < 20; ++i) {
      world.clock.passed += 900s;
      REQUIRE(next->visit({}));
    }
    CHECK(world.events.size() == 1);
    world.webhook.away = false;
    world.clock.passed += 900s;
    REQUIRE(next->visit({}));
    CHECK(world.webhook.topics.size() == 1);
  }
}

TEST_CASE("who asks for a test does not wait for the end of a pause, and learns why it fails now") {
  World world;
  const auto controller = world.controller();
  REQUIRE(controller->visit({}));
  world.fail_a_run();
  world.webhook.away = true;
  for (int i = 0; i < 10; ++i) {
    world.clock.passed += 900s;
    REQUIRE(controller->visit({}));
  }
  const int attempts = world.webhook.attempts;
  world.clock.passed += 1s;
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.attempts == attempts);
  world.view.test_asked = world.clock.now();
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.attempts == attempts + 1);
  world.webhook.away = false;
  world.view.test_asked = world.clock.now() + 1s;
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.topics == std::vector<std::string>{"run", "test"});
}

TEST_CASE("one receiver that is away keeps nothing from the other") {
  World world;
  const auto controller = world.controller(true);
  REQUIRE(controller->visit({}));
  world.fail_a_run();
  world.dead_man.away = true;
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.topics.size() == 1);
  CHECK(world.dead_man.topics.empty());
  CHECK(world.notified("DeadMan").is_object());
}

TEST_CASE("a server without a set is told to the webhook until it arrives, then no more") {
  World world;
  auto controller = world.controller(true);
  REQUIRE(controller->visit({}));
  world.back_up_without_cp_3();
  world.webhook.away = true;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(controller->visit({}));
    world.clock.passed += 900s;
  }
  CHECK(world.webhook.attempts == 5);
  world.webhook.away = false;
  REQUIRE(controller->visit({}));
  controller = world.controller(true);
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.topics == std::vector<std::string>{"copies"});
  CHECK(world.webhook.attempts == 6);

  world.back_up_without_cp_3(); // of the next run it is told again
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.topics == std::vector<std::string>{"copies", "copies"});
  CHECK(world.dead_man.kinds ==
        std::vector{notify::MessageKind::succeeded, notify::MessageKind::succeeded});
}

TEST_CASE("where the API does not take what was told, it is told once all the same") {
  World world;
  const auto controller = world.controller();
  REQUIRE(controller->visit({}));
  world.fail_a_run();
  world.api.fail = [](const kube::Request& request) {
    return request.method == kube::Method::patch ? 500 : 0;
  };
  CHECK_FALSE(controller->visit({}));
  CHECK_FALSE(controller->visit({}));
  CHECK(world.webhook.attempts == 1);
  world.api.fail = nullptr;
  REQUIRE(controller->visit({}));
  CHECK(world.notified().at("topics").at(0).at("topic") == "run");
  CHECK(world.webhook.attempts == 1);
}

TEST_CASE("a receiver that is not set up any more goes from BackupStatus") {
  World world;
  REQUIRE(world.controller(true)->visit({}));
  CHECK(world.api.objects.at(k_object)["status"]["notified"].size() == 2);
  REQUIRE(world.controller(false)->visit({}));
  CHECK(world.api.objects.at(k_object)["status"]["notified"].size() == 1);
  Notifier none({world.client,
                 world.clock,
                 [] { return NoticeView(); },
                 [] { return true; },
                 [](const kube::EventSpec&) {},
                 [](const std::string&) {}},
                {});
  REQUIRE(none.visit({}));
  CHECK(world.api.objects.at(k_object)["status"]["notified"].empty());
  const auto writes = world.api.count("PATCH");
  REQUIRE(none.visit({}));
  CHECK(world.api.count("PATCH") == writes);
}

TEST_CASE("a stop in the middle is no failure, and ends the thread at once") {
  World world;
  auto controller = world.controller();
  REQUIRE(controller->visit({}));
  world.fail_a_run();
  std::stop_source stop;
  world.webhook.before = [&] { stop.request_stop(); };
  REQUIRE(controller->visit(stop.get_token()));
  CHECK(world.failures == 0);
  CHECK(world.webhook.topics.empty());

  world.webhook.before = nullptr;
  controller->start();
  const auto begin = std::chrono::steady_clock::now();
  controller->stop();
  CHECK(std::chrono::steady_clock::now() - begin < 1s);
}

TEST_CASE("a message that the receiver refuses keeps no other one back, and is said to fail") {
  World world;
  const auto controller = world.controller();
  REQUIRE(controller->visit({}));
  world.webhook.refused_topic = "drill/n1";
  world.clock.passed += 60s;
  api::NodeFacts node;
  node.node_name = "n1";
  node.last_drill_time = world.clock.now();
  node.last_drill_result = "Failed";
  world.view.nodes = {node};
  world.fail_a_run(); // later, and so behind it
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.topics == std::vector<std::string>{"run"});
  CHECK(world.failures == 1);
  CHECK(world.events.empty());
  for (int i = 0; i < 2; ++i) {
    world.clock.passed += 60s;
    REQUIRE(controller->visit({}));
  }
  CHECK(world.webhook.attempts == 4); // it is tried again, and the other one is told once
  CHECK(world.events.size() == 1);
  CHECK(world.notified().at("lastError").get<std::string>().find("HTTP 400") != std::string::npos);

  world.fail_a_run();
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.topics.size() == 2);
  CHECK(
      world.notified().contains("failingSinceTime")); // one arrived, and the other is refused still
  world.webhook.refused_topic.clear();
  world.clock.passed += 900s;
  REQUIRE(controller->visit({}));
  CHECK(world.webhook.topics.back() == "drill/n1");
  CHECK_FALSE(world.notified().contains("failingSinceTime"));
}
