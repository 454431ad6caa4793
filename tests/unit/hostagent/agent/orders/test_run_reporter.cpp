#include "agent/orders/run_reporter.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

namespace {

class Writes final : public StatusSink {
public:
  std::mutex mutex;
  std::vector<api::NodeBackupStatus> written;
  std::vector<ErrorCode> failures; ///< Of the next writes.

  Status write(const std::string&,
               const api::NodeBackupStatus& status,
               const std::string&,
               std::stop_token) override {
    const std::lock_guard lock(mutex);
    if (!failures.empty()) {
      const ErrorCode code = failures.front();
      failures.erase(failures.begin());
      return Error{code, "PATCH: no", {}};
    }
    written.push_back(status);
    return {};
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return written.size();
  }
  bool reaches(std::size_t wanted) {
    for (int i = 0; i < 400 && count() < wanted; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return count() >= wanted;
  }
};

api::NodeBackupStatus first() {
  api::NodeBackupStatus status;
  status.agent_id = "agent";
  status.start_time = SystemTime{std::chrono::seconds(100)};
  return status;
}

class NoWait final : public Waiter {
public:
  bool wait(std::chrono::milliseconds /*time*/, const std::stop_token& /*stop*/) override {
    return true;
  }
};

} // namespace

TEST_CASE("a heartbeat comes although nothing happens, and who runs it stays in it") {
  Writes sink;
  const RealClock clock;
  RunReporter reporter(
      sink, clock, "order", first(), {std::chrono::milliseconds(5), std::chrono::milliseconds(20)});
  CHECK(sink.reaches(2));
  reporter.on_status({});
  CHECK(sink.reaches(3));
  reporter.stop();
  CHECK(sink.written.back().agent_id == "agent");
  CHECK(sink.written.back().start_time == SystemTime{std::chrono::seconds(100)});
  CHECK(sink.written.back().heartbeat_time);
}

TEST_CASE("progress is reported, and a report that fails stops nothing") {
  Writes sink;
  sink.failures = {ErrorCode::unavailable};
  const RealClock clock;
  RunReporter reporter(
      sink, clock, "order", first(), {std::chrono::milliseconds(5), std::chrono::hours(1)});
  reporter.on_progress({"TakingSnapshot", 0, 0});
  reporter.on_progress({"EncryptingSnapshot", 10, 20});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  reporter.on_progress({"EncryptingSnapshot", 20, 20});
  CHECK(sink.reaches(1));
  reporter.stop();
  CHECK(sink.written.back().progress->step == "EncryptingSnapshot");
}

TEST_CASE("the final report is written again and again until the API is back") {
  Writes sink;
  NoWait waiter;
  sink.failures = {ErrorCode::unavailable, ErrorCode::timeout, ErrorCode::permission_denied};
  CHECK(write_final_status(sink, "order", first(), waiter, {}));
  CHECK(sink.count() == 1);
}

TEST_CASE("the final report is given up when the order is gone, refused, or we must end") {
  Writes sink;
  NoWait waiter;
  for (const ErrorCode code : {ErrorCode::not_found, ErrorCode::invalid_argument}) {
    sink.failures = {code};
    CHECK_FALSE(write_final_status(sink, "order", first(), waiter, {}));
  }
  std::stop_source stop;
  stop.request_stop();
  sink.failures = {ErrorCode::unavailable};
  CHECK_FALSE(write_final_status(sink, "order", first(), waiter, stop.get_token()));
  CHECK(sink.count() == 0);
}
