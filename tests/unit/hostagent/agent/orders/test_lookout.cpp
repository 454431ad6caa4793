// What an agent tells of a controller that is silent: once in the cluster, and its end.
#include "agent/orders/lookout.hpp"
#include "unit/controller/fake_api.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;
using namespace std::chrono_literals;
using controller::test::FakeApi;
using notify::MessageKind;

namespace {

constexpr const char* k_object = "/apis/backup.railiance.io/v1alpha1/backupstatuses/cluster";
const SystemTime k_now = parse_rfc3339("2026-11-22T12:00:00Z").value();
const SystemTime k_observed = k_now - 31min;

api::NodeFacts node(const char* name, SystemTime report = k_now, SystemTime missed = {}) {
  api::NodeFacts facts;
  facts.node_name = name;
  facts.report_time = report;
  facts.controller_missed_since = missed;
  return facts;
}

api::BackupStatusStatus seen(std::vector<api::NodeFacts> nodes, SystemTime observed = k_observed) {
  api::BackupStatusStatus status;
  status.observed_time = observed;
  status.nodes = std::move(nodes);
  return status;
}

class SetClock final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override {
    return k_now + std::chrono::duration_cast<std::chrono::seconds>(passed);
  }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(10000h) + passed;
  }
  std::chrono::milliseconds passed{0};
};

struct Inbox {
  std::vector<notify::Message> messages;
  int attempts = 0;
  bool away = false;
};

class FakeDelivery final : public notify::Delivery {
public:
  explicit FakeDelivery(Inbox& inbox) : m_inbox(inbox) {}
  [[nodiscard]] Status deliver(const notify::Message& message, const std::stop_token&) override {
    ++m_inbox.attempts;
    if (m_inbox.away) {
      return Error{ErrorCode::unavailable, "ntfy.sh: HTTP 500", {}};
    }
    m_inbox.messages.push_back(message);
    return {};
  }

private:
  Inbox& m_inbox;
};

/// One agent on n1, and the object as it stands in the API.
struct World {
  FakeApi api;
  kube::Client client{api};
  SetClock clock;
  Inbox inbox;
  Lookout lookout{std::make_unique<FakeDelivery>(inbox), "home", client, clock};

  World() { api.objects[k_object] = api::new_backup_status(); }
  /// As after each report.
  void look(SystemTime observed) {
    api::BackupStatusStatus status = seen({node("n1", clock.now())}, observed);
    const auto& stored = api.objects.at(k_object);
    const auto at = nlohmann::json::json_pointer("/status/nodes/0/controllerMissedSince");
    if (stored.contains(at)) {
      status.nodes[0].controller_missed_since =
          parse_rfc3339(stored.at(at).get<std::string>()).value();
    }
    lookout.look(status, "n1", {});
  }
  /// A minute at a time, the controller silent.
  void pass(std::chrono::minutes minutes, SystemTime observed) {
    for (auto passed = 0min; passed < minutes; ++passed) {
      look(observed);
      clock.passed += 1min;
    }
    look(observed);
  }
};

} // namespace

TEST_CASE("a silence of half an hour is told by the first living agent, and by no other") {
  const auto tells = [](const api::BackupStatusStatus& status,
                        const char* name,
                        const std::set<std::string>& silent = {}) {
    return notice_of_controller(status, name, 30min, silent).has_value();
  };
  CHECK(tells(seen({node("n1"), node("n2")}), "n1"));
  CHECK_FALSE(tells(seen({node("n1"), node("n2")}), "n2"));
  CHECK(tells(seen({node("n1"), node("n2")}), "n2", {"n1"})); // the first is gone
  CHECK_FALSE(tells(seen({node("n1", k_now, k_observed), node("n2")}), "n2", {"n1"})); // it told
  CHECK(tells(seen({node("n1", k_now, k_observed - 24h)}), "n1")); // that was another silence
  CHECK_FALSE(tells({}, "n1"));                                    // no controller ever looked
}

TEST_CASE("a silence that is shorter is not told, whatever the clocks say") {
  const auto status = seen({node("n1")}, k_now - 100h);
  CHECK_FALSE(notice_of_controller(status, "n1", 30min - 1s, {}));
  const auto notice = notice_of_controller(status, "n1", 30min, {});
  REQUIRE(notice);
  CHECK(notice->message.kind == MessageKind::problem);
  CHECK(notice->message.reason == "ControllerUnavailable");
  CHECK(notice->message.text.find("since 2026-11-18T08:00:00Z") != std::string::npos);
  CHECK(notice->message.text.find("there is no complete backup") != std::string::npos);
}

TEST_CASE("an agent whose clock is wrong is alive while it reports, and gone when it does not") {
  for (const auto off : {-48h, 48h}) {
    CAPTURE(off.count());
    for (const bool alive : {false, true}) {
      World world; // on n1; n0 comes before it
      for (int minute = 0; minute <= 40; ++minute) {
        const SystemTime report = alive ? world.clock.now() + off : k_now + off;
        world.lookout.look(seen({node("n0", report), node("n1", world.clock.now())}), "n1", {});
        world.clock.passed += 1min;
      }
      CHECK(world.inbox.messages.size() == (alive ? 0 : 1));
    }
  }
}

TEST_CASE("its end is told by the agent that told it") {
  const auto back = seen({node("n1", k_now, k_observed), node("n2")}, k_now);
  CHECK(notice_of_controller(back, "n1", 0s, {})->message.kind == MessageKind::recovered);
  CHECK_FALSE(notice_of_controller(back, "n2", 0s, {}));
  CHECK_FALSE(notice_of_controller(seen({node("n1")}, k_now), "n1", 0s, {})); // nothing was told
}

TEST_CASE("a host that was off for days tells nothing while its controller is about to come up") {
  World world;
  world.pass(29min, k_now - 100h);
  CHECK(world.inbox.attempts == 0);
  world.pass(10min, world.clock.now());
  CHECK(world.inbox.attempts == 0);
}

TEST_CASE("told once, written down, not told again by the agent after this one, and told when it "
          "is over") {
  World world;
  world.pass(60min, k_observed);
  REQUIRE(world.inbox.messages.size() == 1);
  CHECK(world.inbox.messages[0].title == "home: no backups are made: the controller is silent");
  CHECK(world.inbox.messages[0].cluster == "home");
  CHECK(world.api.objects.at(k_object)["status"]["nodes"][0]["controllerMissedSince"] ==
        format_rfc3339(k_observed));
  const auto writes = world.api.count("PATCH");
  world.pass(10min, k_observed);
  CHECK(world.api.count("PATCH") == writes);

  World next;
  next.api.objects = world.api.objects;
  next.pass(60min, k_observed);
  CHECK(next.inbox.attempts == 0);
  next.look(next.clock.now());
  REQUIRE(next.inbox.messages.size() == 1);
  CHECK(next.inbox.messages[0].kind == MessageKind::recovered);
  CHECK_FALSE(
      next.api.objects.at(k_object)["status"]["nodes"][0].contains("controllerMissedSince"));
}

TEST_CASE("a webhook that is away is tried with each report until it has it") {
  World world;
  world.inbox.away = true;
  world.pass(35min, k_observed);
  CHECK(world.inbox.attempts == 6);
  world.inbox.away = false;
  world.pass(5min, k_observed);
  CHECK(world.inbox.messages.size() == 1);
  CHECK(world.inbox.attempts == 7);
}

TEST_CASE("where the API does not take what was told, it is told once all the same") {
  World world;
  world.api.fail = [](const kube::Request&) { return 403; };
  world.pass(40min, k_observed);
  CHECK(world.inbox.messages.size() == 1);
  CHECK(world.api.count("PATCH") > 1);
  world.api.fail = nullptr;
  world.pass(2min, k_observed);
  CHECK(world.inbox.messages.size() == 1);
  CHECK(world.api.objects.at(k_object)["status"]["nodes"][0].contains("controllerMissedSince"));
}
