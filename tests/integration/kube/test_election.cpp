#include "support.hpp"

#include "kube/event_recorder.hpp"
#include "kube/lease.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using nlohmann::json;

namespace {

/// The pause between two tries is also what a holder has for giving the Lease back: a second,
/// because a loaded API server may take more than some tenths of one.
constexpr LeaseTiming k_timing{
    std::chrono::seconds(6), std::chrono::seconds(4), std::chrono::seconds(1)};

/// A candidate on a thread of its own.
class Candidate {
public:
  Candidate(Client& client, const std::string& name_space, const std::string& identity)
      : m_elector(client,
                  name_space,
                  "the-lease",
                  identity,
                  {[this] { m_leads = true; }, [this] { m_leads = false; }, {}, {}},
                  k_timing),
        m_thread([this](const std::stop_token& stop) { m_elector.run(stop); }) {}

  bool leads() const { return m_leads && m_elector.is_leader(); }
  std::string holder() const { return m_elector.holder(); }
  void leave() {
    m_thread.request_stop();
    m_thread.join();
  }

private:
  std::atomic<bool> m_leads{false};
  LeaderElector m_elector;
  std::jthread m_thread;
};

} // namespace

TEST_CASE("of two candidates one leads; when it leaves the other follows at once") {
  const auto first_connection = connect();
  const auto second_connection = connect();
  const ScratchNamespace space(first_connection->client());
  Candidate first(first_connection->client(), space.name(), "first");
  REQUIRE(eventually(std::chrono::seconds(10), [&] { return first.leads(); }));
  Candidate second(second_connection->client(), space.name(), "second");
  const auto longer_than_the_lease = std::chrono::steady_clock::now() + k_timing.duration * 4 / 3;
  while (std::chrono::steady_clock::now() < longer_than_the_lease) {
    REQUIRE(first.leads());
    REQUIRE_FALSE(second.leads());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(second.holder() == "first");
  first.leave();
  CHECK_FALSE(first.leads());
  CHECK(eventually(std::chrono::seconds(4), [&] { return second.leads(); })); // not run out yet
}

TEST_CASE("a Lease whose holder is dead is taken when its own duration has passed") {
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  LeaseRecord dead;
  dead.holder = "dead";
  dead.duration = std::chrono::seconds(4);
  dead.renew_time = "2099-01-01T00:00:00.000000Z"; // its clock is wrong, which must not matter
  REQUIRE(client.create(k_leases, space.name(), lease_to_json(dead, space.name(), "the-lease")));
  const auto began = std::chrono::steady_clock::now();
  const Candidate heir(client, space.name(), "heir");
  REQUIRE(eventually(std::chrono::seconds(15), [&] { return heir.leads(); }));
  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::seconds(4));
  const json lease = client.get({k_leases, space.name(), "the-lease", {}}).value();
  CHECK(lease["spec"]["holderIdentity"] == "heir");
  CHECK(lease["spec"]["leaseTransitions"] == 1);
}

TEST_CASE("an Event about a cluster-scoped object is written once, to the namespace default") {
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  const json object = client.get({k_namespaces, {}, space.name(), {}}).value();
  EventSpec event;
  event.regarding = {
      "v1", "Namespace", {}, space.name(), object["metadata"]["uid"].get<std::string>()};
  event.type = EventType::warning;
  event.reason = "SnapshotFailed";
  event.action = "TakeSnapshot";
  event.note = "k3s said no";
  {
    EventRecorder recorder(client, {"backup.railiance.io/test", "integration-kube"});
    recorder.record(event);
    recorder.record(event);
  }
  ListOptions options;
  options.field_selector = "regarding.name=" + space.name();
  const json events = client.list_all(k_events, "default", options).value();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["reason"] == "SnapshotFailed");
  CHECK(events[0]["type"] == "Warning");
  CHECK(events[0]["note"] == "k3s said no");
  CHECK(events[0]["reportingController"] == "backup.railiance.io/test");
}

TEST_CASE("an Event about an object in a namespace goes to that namespace") {
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  {
    EventRecorder recorder(client, {"backup.railiance.io/test", "integration-kube"});
    recorder.record({{"v1", "ConfigMap", space.name(), "a-map", "uid-1"},
                     EventType::normal,
                     "Tested",
                     "Test",
                     "a note"});
  }
  CHECK(client.list_all(k_events, space.name()).value().size() == 1);
}
