#include "fakes.hpp"

#include "base/json_fields.hpp"
#include "kube/lease.hpp"
#include "kube/resource.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace rb;
using namespace rb::kube;
using namespace std::chrono_literals;
using namespace rb::kube::test;
using nlohmann::json;

namespace {

const std::chrono::steady_clock::time_point k_start{std::chrono::hours(1)};

ObservedLease held_by(const std::string& holder) {
  return {{"5", holder, 15s, "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z", 3},
          k_start};
}

/// An API server that has room for one Lease.
struct LeaseServer {
  std::optional<LeaseRecord> lease;
  int version = 100;
  bool away = false;
  bool loses_answers = false; ///< It writes, and the answer does not arrive.
  std::vector<std::string> holders;

  Result<Response> answer(const Request& request) {
    if (away) {
      return Error{ErrorCode::unavailable, "away", {}};
    }
    if (request.method == Method::get) {
      return lease ? found() : Response{404, 0s, status_body(404, "NotFound", "no lease")};
    }
    const json body = json_of(request.body);
    if (request.method == Method::post && lease) {
      return Response{409, 0s, status_body(409, "AlreadyExists", "it is there")};
    }
    if (request.method == Method::put &&
        (!lease || body["metadata"]["resourceVersion"] != lease->resource_version)) {
      return Response{409, 0s, status_body(409, "Conflict", "it has changed")};
    }
    write(body["spec"]["holderIdentity"], body["spec"]["leaseDurationSeconds"]);
    if (loses_answers) {
      return Error{ErrorCode::unavailable, "lost", {}};
    }
    return found();
  }

  void write(const std::string& holder, int seconds) {
    if (!lease) {
      lease.emplace();
    }
    lease->resource_version = std::to_string(++version);
    lease->holder = holder;
    lease->duration = std::chrono::seconds(seconds);
    holders.push_back(holder);
  }

  Response found() const { return {200, 0s, lease_to_json(*lease, "ns", "lease").dump()}; }
};

/// One candidate "us" whose thread is the test's: `at` is asked at each wait, with the time.
struct Setup {
  World world;
  LeaseServer server;
  Client client = world.client();
  std::vector<std::string> diary;
  std::stop_source stop;
  std::function<void(std::chrono::milliseconds)> at = [](auto) {};
  LeaderElector elector{client,
                        "ns",
                        "lease",
                        "us",
                        {[this] { note("started"); },
                         [this] { note("stopped"); },
                         [this](const std::string& holder) { note("holder " + holder); },
                         [this](const Error&) { note("trouble"); }}};

  Setup() {
    world.transport.otherwise = [this](const Request& request) { return server.answer(request); };
    world.waiter.on_wait = [this] { at(world.clock.elapsed()); };
  }

  void note(const std::string& word) { diary.push_back(word); }

  void run_until(
      std::chrono::milliseconds end,
      std::function<void(std::chrono::milliseconds)> then = [](auto) {}) {
    at = [this, end, then = std::move(then)](std::chrono::milliseconds now) {
      then(now);
      if (now >= end) {
        stop.request_stop();
      }
    };
    elector.run(stop.get_token());
  }
};

using Words = std::vector<std::string>;

} // namespace

TEST_CASE("a Lease that is not there is created, ours renewed, a released one taken") {
  CHECK(decide_lease(std::nullopt, "us", k_start) == LeaseAction::create);
  CHECK(decide_lease(held_by("us"), "us", k_start + 1h) == LeaseAction::renew);
  CHECK(decide_lease(held_by(""), "us", k_start) == LeaseAction::take);
}

TEST_CASE("another's Lease is respected for its duration from when we saw it change") {
  CHECK(decide_lease(held_by("them"), "us", k_start) == LeaseAction::wait);
  CHECK(decide_lease(held_by("them"), "us", k_start + 15s - 1ns) == LeaseAction::wait);
  CHECK(decide_lease(held_by("them"), "us", k_start + 15s) == LeaseAction::take);
}

TEST_CASE("the duration is that of the Lease, and the writer's clock does not matter") {
  ObservedLease lease = held_by("them");
  lease.record.duration = 60s;
  lease.record.renew_time = "1999-01-01T00:00:00.000000Z";
  CHECK(decide_lease(lease, "us", k_start + 59s) == LeaseAction::wait);
}

TEST_CASE("a Lease that is seen unchanged keeps the time of its change") {
  const ObservedLease first = held_by("them");
  const ObservedLease same = observe_lease(first, first.record, k_start + 10s);
  CHECK(same.changed_at == k_start);
  LeaseRecord renewed = first.record;
  renewed.resource_version = "6";
  CHECK(observe_lease(same, renewed, k_start + 10s).changed_at == k_start + 10s);
  CHECK(observe_lease(std::nullopt, renewed, k_start + 3s).changed_at == k_start + 3s);
}

TEST_CASE("a Lease survives the way through JSON") {
  const LeaseRecord record = held_by("them").record;
  const auto text = lease_to_json(record, "ns", "name");
  CHECK(text["metadata"]["namespace"] == "ns");
  CHECK(lease_from_json(text).value() == record);
}

TEST_CASE("a Lease that others made may lack anything but its version") {
  const auto bare = json_of(R"({"metadata":{"resourceVersion":"1"}})");
  CHECK(lease_from_json(bare).value().holder.empty());
  const auto odd = json_of(
      R"({"metadata":{"resourceVersion":"1"},"spec":{"holderIdentity":null,"leaseDurationSeconds":-5,"leaseTransitions":"x"}})");
  CHECK(lease_from_json(odd).value().duration == 0s);
  for (const char* bad : {"{}", "[]", "5", R"({"metadata":[]})", R"({"metadata":{}})"}) {
    CHECK(lease_from_json(json_of(bad)).error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("a MicroTime has six digits after the second") {
  const SystemTime time = parse_run_id("20260101T000000Z").value();
  CHECK(format_micro_time(time) == "2026-01-01T00:00:00.000000Z");
  CHECK(format_micro_time(time, 42) == "2026-01-01T00:00:00.000042Z");
  CHECK(format_micro_time(time, 5'123'456) == "2026-01-01T00:00:00.123456Z");
  CHECK(format_micro_time(time, -1) == "2026-01-01T00:00:00.999999Z");
}

TEST_CASE("without a rival we lead, renew every two seconds, and release at the end") {
  Setup setup;
  bool led = false;
  setup.run_until(20s, [&](auto) { led = setup.elector.is_leader(); });
  CHECK(led);
  CHECK(setup.diary == Words{"holder us", "started", "stopped", "holder "});
  CHECK(setup.server.holders.size() == 11); // created, renewed nine times, released
  CHECK(setup.server.lease->holder.empty());
  CHECK_FALSE(setup.elector.is_leader());
}

TEST_CASE("the Lease is still ours while the work is being stopped") {
  Setup setup;
  std::string holder_while_stopping;
  bool leader_while_stopping = true;
  Client client = setup.world.client();
  LeaderElector elector(client,
                        "ns",
                        "lease",
                        "us",
                        {{},
                         [&] {
                           holder_while_stopping = setup.server.lease->holder;
                           leader_while_stopping = elector.is_leader();
                         },
                         {},
                         {}});
  setup.world.waiter.on_wait = [&] { setup.stop.request_stop(); };
  elector.run(setup.stop.get_token());
  CHECK(holder_while_stopping == "us");
  CHECK_FALSE(leader_while_stopping);
  CHECK(setup.server.lease->holder.empty());
}

TEST_CASE("the Lease is given back although the answer to its last renewal never came") {
  Setup setup;
  setup.run_until(6s, [&](auto now) { setup.server.loses_answers = now >= 4s && now < 6s; });
  CHECK(setup.server.lease->holder.empty());
  CHECK(setup.diary == Words{"holder us", "started", "trouble", "stopped", "holder "});
}

TEST_CASE("a Lease that somebody else took in the meantime is not given back") {
  Setup setup;
  setup.run_until(6s, [&](auto now) {
    if (now >= 6s) {
      setup.server.write("them", 15);
    }
  });
  CHECK(setup.server.lease->holder == "them");
}

TEST_CASE("a rival that renews is never robbed") {
  Setup setup;
  setup.server.write("them", 15);
  setup.run_until(120s, [&](auto now) {
    if (now.count() % 8000 < 2500) {
      setup.server.write("them", 15);
    }
  });
  CHECK(setup.diary == Words{"holder them"});
}

TEST_CASE("a rival that has died is followed 15 s after its last renewal, not earlier") {
  Setup setup;
  setup.server.write("them", 15);
  std::chrono::milliseconds led_at{0};
  setup.run_until(40s, [&](auto now) {
    if (led_at.count() == 0 && setup.elector.is_leader()) {
      led_at = now;
    }
  });
  CHECK(led_at >= 15s);
  CHECK(led_at <= 21s); // one retry, and the wait that noticed it
}

TEST_CASE("a leader that cannot renew stops 10 s after its last renewal at the latest") {
  Setup setup;
  std::chrono::milliseconds lost_at{0};
  std::chrono::milliseconds stopped_at{0};
  setup.run_until(60s, [&](auto now) {
    if (now >= 6s) {
      setup.server.away = true;
    }
    if (lost_at.count() == 0 && now > 6s && !setup.elector.is_leader()) {
      lost_at = now;
    }
    const bool stopped =
        std::find(setup.diary.begin(), setup.diary.end(), "stopped") != setup.diary.end();
    if (stopped_at.count() == 0 && stopped) {
      stopped_at = now;
    }
  });
  CHECK(lost_at <= 15s); // last renewal before 6 s
  CHECK(lost_at >= 10s);
  CHECK(stopped_at.count() != 0); // told, and not only when all ends
  CHECK(stopped_at <= lost_at + 2500ms);
  CHECK(std::count(setup.diary.begin(), setup.diary.end(), "stopped") == 1);
}

TEST_CASE("an API server that is away for five seconds costs nothing but trouble in the log") {
  Setup setup;
  setup.run_until(30s, [&](auto now) { setup.server.away = now >= 6s && now < 11s; });
  CHECK(std::count(setup.diary.begin(), setup.diary.end(), "started") == 1);
  CHECK(std::count(setup.diary.begin(), setup.diary.end(), "stopped") == 1);
  CHECK(std::count(setup.diary.begin(), setup.diary.end(), "trouble") >= 2);
}

TEST_CASE("a leader whose Lease was taken stops at once and competes again") {
  Setup setup;
  setup.run_until(40s, [&](auto now) {
    if (now == 6s) {
      setup.server.write("them", 15);
    }
  });
  REQUIRE(setup.diary.size() >= 6);
  CHECK(Words(setup.diary.begin(), setup.diary.begin() + 6) ==
        Words{"holder us", "started", "holder them", "stopped", "holder us", "started"});
}

TEST_CASE("a renewal whose answer was lost is no loss of the Lease") {
  Setup setup;
  setup.run_until(30s, [&](auto now) { setup.server.loses_answers = now >= 4s && now < 8s; });
  CHECK(std::count(setup.diary.begin(), setup.diary.end(), "started") == 1);
}

TEST_CASE("a process that comes back under its name has its Lease at once") {
  Setup setup;
  setup.server.write("us", 15);
  setup.run_until(2s);
  CHECK(setup.diary.front() == "holder us");
  CHECK(setup.world.clock.elapsed() == 2s);
}

TEST_CASE("no call of a leader may last beyond its right to lead") {
  Setup setup;
  std::vector<std::chrono::milliseconds> limits;
  setup.run_until(30s, [&](auto now) {
    setup.server.away = now >= 6s;
    limits.push_back(setup.world.transport.request(setup.world.transport.count() - 1).timeout);
  });
  CHECK(*std::max_element(limits.begin(), limits.end()) == 5s);
  CHECK(*std::min_element(limits.begin(), limits.end()) < 3s);
}
