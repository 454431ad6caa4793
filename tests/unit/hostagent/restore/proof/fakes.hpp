// Stand-ins for the ports of the room.
#pragma once

#include "restore/proof/boot.hpp"
#include "support/fake_api.hpp"

#include "base/clock.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace rb::test {

/// Time passes only when somebody waits.
class FakeTime final : public Clock, public Waiter {
public:
  [[nodiscard]] SystemTime now() const override { return {}; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override { return m_now; }
  bool wait(std::chrono::milliseconds time, const std::stop_token& /*stop*/) override {
    m_now += time;
    return true;
  }

private:
  std::chrono::steady_clock::time_point m_now{};
};

/// A cage that notes what is asked of it.
class FakeCage final : public proof::Cage {
public:
  Status open() override {
    is_open = opens_with.has_value();
    return opens_with;
  }
  Result<ProcessResult> run(const ProcessSpec& spec, const std::stop_token&) override {
    if (spec.arguments.front() == "kubectl") {
      asked.push_back(spec);
      return on_kubectl(spec);
    }
    ran.push_back(spec);
    return on_run();
  }
  Status start(const ProcessSpec& spec, const std::string& log_path) override {
    started.push_back(spec);
    return on_start ? on_start(spec, log_path) : Status();
  }
  Status alive() override { return alive_with; }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return memory; }
  void close() override {
    is_open = false;
    closed = true;
  }

  Status opens_with;
  Status alive_with;
  std::function<Result<ProcessResult>()> on_run = [] { return reset_done(); };
  std::function<Result<ProcessResult>(const ProcessSpec&)> on_kubectl = [](const ProcessSpec&) {
    return ProcessResult{0, 0, false, false, "ok", ""};
  };
  std::function<Status(const ProcessSpec&, const std::string&)> on_start;
  std::uint64_t memory = 0;
  std::vector<ProcessSpec> ran;   ///< Without `k3s kubectl`.
  std::vector<ProcessSpec> asked; ///< `k3s kubectl`, run to its end.
  std::vector<ProcessSpec> started;
  bool is_open = false;
  bool closed = false;

  static ProcessResult reset_done() {
    ProcessResult result;
    result.exit_status = 0;
    result.err =
        R"(level=error msg="Shutdown request received: restart without --cluster-reset flag now")";
    return result;
  }
};

} // namespace rb::test
