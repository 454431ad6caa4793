#include "fakes.hpp"

#include "kube/event_recorder.hpp"

#include <doctest/doctest.h>

#include <future>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const EventReporter k_reporter{"backup.railiance.io/controller", "controller-0"};

EventSpec event() {
  return {{"backup.railiance.io/v1alpha1", "ClusterBackup", {}, std::string(253, 'a'), "uid-1"},
          EventType::warning,
          "SnapshotFailed",
          "TakeSnapshot",
          "k3s said no"};
}

json written(const EventSpec& spec) {
  return event_to_json(spec, k_reporter, parse_run_id("20260101T000000Z").value());
}

} // namespace

TEST_CASE("an Event about a cluster-scoped object has every field that the API server asks for") {
  const json made = written(event());
  CHECK(made["apiVersion"] == "events.k8s.io/v1");
  CHECK(made["metadata"]["namespace"] == "default");
  CHECK(made["eventTime"] == "2026-01-01T00:00:00.000000Z");
  CHECK(made["type"] == "Warning");
  CHECK(made["reason"] == "SnapshotFailed");
  CHECK(made["action"] == "TakeSnapshot");
  CHECK(made["note"] == "k3s said no");
  CHECK(made["regarding"]["kind"] == "ClusterBackup");
  CHECK(made["regarding"]["uid"] == "uid-1");
  CHECK_FALSE(made["regarding"].contains("namespace"));
  CHECK(made["reportingController"] == "backup.railiance.io/controller");
  CHECK(made["reportingInstance"] == "controller-0");
}

TEST_CASE("the name is short, valid, the same for the same Event and another for another") {
  const std::string name = written(event())["metadata"]["name"];
  CHECK(check_name(name));
  CHECK(name.size() < 64);
  CHECK(written(event())["metadata"]["name"] == name);
  EventSpec other = event();
  other.note = "k3s said yes";
  CHECK(written(other)["metadata"]["name"] != name);
  other = event();
  other.regarding.uid = "uid-2";
  CHECK(written(other)["metadata"]["name"] != name);
  other.regarding.kind.clear();
  CHECK(check_name(written(other)["metadata"]["name"].get<std::string>()));
}

TEST_CASE("a long note is cut, and not inside a character") {
  EventSpec spec = event();
  spec.note = "x";
  while (spec.note.size() < 3000) {
    spec.note += "\xe2\x82\xac";
  }
  const json made = written(spec);
  CHECK(made["note"].get<std::string>().size() <= 1024);
  CHECK(made["note"].get<std::string>().size() > 1020);
  CHECK_NOTHROW(made.dump());
}

TEST_CASE("the recorder writes what it was given before it goes") {
  World world;
  world.transport.otherwise = [](const Request&) -> Result<Response> {
    return Response{201, 0s, "{}"};
  };
  Client client = world.client();
  {
    EventRecorder recorder(client, k_reporter);
    recorder.record(event());
    EventSpec spec = event();
    spec.regarding.name_space = "ns";
    recorder.record(spec);
  }
  REQUIRE(world.transport.count() == 2);
  CHECK(world.transport.request(0).path == "/apis/events.k8s.io/v1/namespaces/default/events");
  CHECK(world.transport.request(1).path == "/apis/events.k8s.io/v1/namespaces/ns/events");
}

TEST_CASE("an Event that is there already is fine; one that is refused is dropped and counted") {
  World world;
  world.transport.answer(409, status_body(409, "AlreadyExists", "it is there"));
  world.transport.answer(403, status_body(403, "Forbidden", "no"));
  Client client = world.client();
  {
    EventRecorder recorder(client, k_reporter);
    recorder.record(event());
    recorder.record(event());
  }
  CHECK(world.metrics.counted() ==
        std::vector<std::string>{"POST 409", "POST 403", "event dropped"});
}

TEST_CASE("a server that says nothing delays nobody, and the end by two seconds at most") {
  class Silent final : public Transport {
  public:
    Result<Response> send(const Request&, std::stop_token stop) override {
      std::promise<void> stopped;
      const std::stop_callback callback(stop, [&] { stopped.set_value(); });
      stopped.get_future().wait();
      return Error{ErrorCode::cancelled, "stopped", {}};
    }
    Result<StreamEnd> stream(const Request&, const ByteSink&, std::stop_token) override {
      return StreamEnd{};
    }
  };
  World world;
  Silent silent;
  Client client(silent, world.runtime());
  const auto began = std::chrono::steady_clock::now();
  {
    EventRecorder recorder(client, k_reporter);
    for (int i = 0; i < 400; ++i) {
      recorder.record(event());
    }
    CHECK(std::chrono::steady_clock::now() - began < 1s);
  }
  CHECK(std::chrono::steady_clock::now() - began < 4s);
  const auto counted = world.metrics.counted();
  CHECK(std::count(counted.begin(), counted.end(), "event dropped") >= 400 - 256 - 1);
}
