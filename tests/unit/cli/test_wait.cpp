// When waiting is given up.
#include "cli/progress.hpp"
#include "fake_cluster.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cli;
using namespace rb::test;
using std::chrono::milliseconds;

namespace {

WaitOptions hasty() {
  WaitOptions options;
  options.name = "b";
  options.uid = "uid-of-b";
  options.timeout = std::chrono::minutes(10);
  options.tick = milliseconds(5);
  return options;
}

Result<nlohmann::json> wait_in(FakeCluster& cluster, const WaitOptions& options) {
  std::ostringstream out;
  std::ostringstream err;
  const RealClock clock;
  RealWaiter waiter;
  kube::Client client(cluster);
  Io io{{"railiance-backup", out, err, clock}};
  ProgressView view(io);
  return wait_for_end(client, options, view, io);
}

} // namespace

TEST_CASE(
    "a backup that no controller speaks of is given up, and the hint asks for the controller") {
  FakeCluster cluster;
  cluster.backups["b"] = a_backup("b");
  WaitOptions options = hasty();
  options.silence = milliseconds(50);
  const auto object = wait_in(cluster, options);
  REQUIRE_FALSE(object);
  CHECK(object.error().code == ErrorCode::unavailable);
  CHECK(object.error().message == "no controller has taken up 'b'");
  CHECK(object.error().hint.find("get pods") != std::string::npos);
}

TEST_CASE("a backup that is queued is waited for, however long nothing is new") {
  FakeCluster cluster;
  cluster.backups["b"] = a_backup("b", "Unknown", "Queued", "another run is in progress");
  WaitOptions options = hasty();
  options.silence = milliseconds(1000);
  options.timeout = milliseconds(1500);
  const auto object = wait_in(cluster, options);
  REQUIRE_FALSE(object);
  CHECK(object.error().code == ErrorCode::timeout);
}

TEST_CASE("an API server that stays away is given up after the patience, not before") {
  FakeCluster cluster;
  cluster.down = true;
  WaitOptions options = hasty();
  options.patience = milliseconds(1500);
  const auto start = std::chrono::steady_clock::now();
  const auto object = wait_in(cluster, options);
  REQUIRE_FALSE(object);
  CHECK(object.error().code == ErrorCode::unavailable);
  CHECK(std::chrono::steady_clock::now() - start >= milliseconds(1500));
}

TEST_CASE("being refused is given up sooner than being away") {
  FakeCluster cluster;
  cluster.answer = [](const kube::Request&) -> std::optional<kube::Response> {
    return kube::Response{403, {}, R"({"kind":"Status","reason":"Forbidden","message":"no"})"};
  };
  WaitOptions options = hasty();
  options.refusal_patience = milliseconds(500);
  const auto object = wait_in(cluster, options);
  REQUIRE_FALSE(object);
  CHECK(object.error().code == ErrorCode::permission_denied);
}

TEST_CASE("another object of the same name is not ours: ours was deleted") {
  FakeCluster cluster;
  cluster.backups["b"] = a_backup("b", "True", "Completed");
  cluster.backups["b"]["metadata"]["uid"] = "another";
  const auto object = wait_in(cluster, hasty());
  REQUIRE_FALSE(object);
  CHECK(object.error().code == ErrorCode::not_found);
}
