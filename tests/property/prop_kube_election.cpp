// Three candidates in simulated time over a network that loses, delays and cuts: there is never a
// moment at which two of them may act, and once the faults end one of them leads.
#include "kube_random.hpp"

#include "base/json_fields.hpp"
#include "kube/lease.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <thread>

using namespace rb;
using namespace rb::kube;
using rb::kube::test::Chance;
using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::milliseconds;

namespace {

/// Simulated time: one thread runs at a time, and time passes when all of them wait. The order is
/// decided by the wake times alone, so that a seed repeats a run.
class Simulation {
public:
  void enter(std::size_t threads) { m_running = threads; }

  void sleep(milliseconds duration) {
    std::unique_lock lock(m_mutex);
    const auto ticket = m_sleepers.emplace(m_now + duration, false);
    --m_running;
    wake_next();
    m_changed.wait(lock, [&] { return ticket->second; });
    m_sleepers.erase(ticket);
  }
  void leave() {
    const std::lock_guard lock(m_mutex);
    --m_running;
    wake_next();
  }
  milliseconds now() const {
    const std::lock_guard lock(m_mutex);
    return m_now;
  }

private:
  void wake_next() {
    if (m_running > 0) {
      return;
    }
    for (auto& [time, awake] : m_sleepers) {
      if (!awake) {
        m_now = std::max(m_now, time);
        awake = true;
        ++m_running;
        m_changed.notify_all();
        return;
      }
    }
  }

  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::multimap<milliseconds, bool> m_sleepers;
  std::size_t m_running = 0;
  milliseconds m_now{0};
};

class SimulatedClock final : public Clock {
public:
  explicit SimulatedClock(const Simulation& simulation) : m_simulation(simulation) {}
  SystemTime now() const override { return SystemTime{}; } // nobody may depend on it
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(1h) + m_simulation.now();
  }

private:
  const Simulation& m_simulation;
};

class SimulatedWaiter final : public Waiter {
public:
  explicit SimulatedWaiter(Simulation& simulation) : m_simulation(simulation) {}
  bool wait(milliseconds duration, const std::stop_token& stop) override {
    m_simulation.sleep(duration);
    return !stop.stop_requested();
  }

private:
  Simulation& m_simulation;
};

/// The Lease on the server, and the network in front of it.
struct Server {
  std::optional<json> lease;
  int version = 0;

  Response handle(const Request& request) {
    if (request.method == Method::get) {
      return lease ? Response{200, 0s, lease->dump()} : Response{404, 0s, {}};
    }
    json body = json_of(request.body);
    if (request.method == Method::post && lease) {
      return {409, 0s, R"({"kind":"Status","reason":"AlreadyExists"})"};
    }
    if (request.method == Method::put && (!lease || body["metadata"]["resourceVersion"] !=
                                                        (*lease)["metadata"]["resourceVersion"])) {
      return {409, 0s, R"({"kind":"Status","reason":"Conflict"})"};
    }
    body["metadata"]["resourceVersion"] = std::to_string(++version);
    lease = std::move(body);
    return {200, 0s, lease->dump()};
  }
};

class Network final : public Transport {
public:
  Network(Server& server, Simulation& simulation, Chance& chance)
      : m_server(server), m_simulation(simulation), m_chance(chance) {}

  bool faults = true;

  Result<Response> send(const Request& request, std::stop_token /*stop*/) override {
    if (!faults) {
      m_simulation.sleep(milliseconds(m_chance.up_to(50)));
      return m_server.handle(request);
    }
    if (m_chance.once_in(40)) {
      m_cut_until = m_simulation.now() + milliseconds(m_chance.up_to(40'000));
    }
    const bool cut = m_simulation.now() < m_cut_until;
    const auto there = milliseconds(m_chance.up_to(m_chance.once_in(8) ? 20'000 : 200));
    const auto back = milliseconds(m_chance.up_to(m_chance.once_in(8) ? 20'000 : 200));
    // What is late arrives all the same: here, before the sender has given up.
    m_simulation.sleep(std::min(there, request.timeout));
    if (cut || m_chance.once_in(20)) {
      return Error{ErrorCode::unavailable, "lost on the way", {}};
    }
    const Response response = m_server.handle(request);
    const auto left = request.timeout - std::min(there, request.timeout);
    m_simulation.sleep(std::min(back, left));
    if (there + back >= request.timeout) {
      return Error{ErrorCode::timeout, "too late", {}};
    }
    if (m_chance.once_in(20)) {
      return Error{ErrorCode::unavailable, "lost on the way back", {}};
    }
    return response;
  }
  Result<StreamEnd> stream(const Request&, const ByteSink&, std::stop_token) override {
    return Error{ErrorCode::internal, "not used", {}};
  }

private:
  Server& m_server;
  Simulation& m_simulation;
  Chance& m_chance;
  milliseconds m_cut_until{0};
};

struct Candidate {
  Network network;
  Client client;
  bool started = false;
  LeaderElector elector;

  Candidate(Server& server,
            Simulation& simulation,
            Chance& chance,
            const Runtime& runtime,
            const std::string& identity)
      : network(server, simulation, chance), client(network, runtime),
        elector(client,
                "ns",
                "lease",
                identity,
                {[this] { started = true; }, [this] { started = false; }, {}, {}}) {}
};

struct World {
  Chance chance;
  Simulation simulation;
  SimulatedClock clock{simulation};
  SimulatedWaiter waiter{simulation};
  Server server;
  std::vector<std::unique_ptr<Candidate>> candidates;

  explicit World(std::uint64_t seed) : chance(seed) {
    Runtime runtime;
    runtime.clock = &clock;
    runtime.waiter = &waiter;
    runtime.random = [this] { return chance.fraction(); };
    for (const char* identity : {"one", "two", "three"}) {
      candidates.push_back(
          std::make_unique<Candidate>(server, simulation, chance, runtime, identity));
    }
  }

  std::size_t leaders() const {
    std::size_t count = 0;
    for (const auto& candidate : candidates) {
      count += candidate->elector.is_leader() ? 1U : 0U;
    }
    return count;
  }
};

} // namespace

TEST_CASE("two candidates may never act at once, and in the end one leads") {
  for (std::uint64_t round = 0; round < 60; ++round) {
    CAPTURE(Chance::seed());
    CAPTURE(round);
    World world(Chance::seed() + round);
    std::stop_source stop;
    std::size_t most = 0;
    std::size_t seconds_led = 0;
    std::size_t leaders_at_the_end = 0;
    world.simulation.enter(world.candidates.size() + 1);
    {
      std::vector<std::jthread> threads;
      for (auto& candidate : world.candidates) {
        threads.emplace_back([&world, &candidate, &stop] {
          world.simulation.sleep(0ms); // all begin in turn
          candidate->elector.run(stop.get_token());
          world.simulation.leave();
        });
      }
      constexpr int ticks = 6000; // ten minutes
      for (int tick = 0; tick < ticks; ++tick) {
        world.simulation.sleep(100ms);
        most = std::max(most, world.leaders());
        seconds_led += world.leaders();
        if (tick == ticks - 600) {
          for (auto& candidate : world.candidates) {
            candidate->network.faults = false;
          }
        }
      }
      leaders_at_the_end = world.leaders();
      stop.request_stop();
      world.simulation.leave();
    }
    CHECK(most == 1);
    CHECK(leaders_at_the_end == 1);
    CHECK(seconds_led > 600);
    for (const auto& candidate : world.candidates) {
      CHECK_FALSE(candidate->started);
    }
  }
}
