// Keeps the object BackupStatus: makes it where it is missing, and renews what the controller says
// of it while this process leads.
#pragma once

#include "controller/standing.hpp"
#include "controller/store.hpp"

#include "kube/client.hpp"

#include <functional>
#include <thread>

namespace rb::controller {

struct StandingTimes {
  std::chrono::milliseconds look{std::chrono::seconds(5)};
  /// Readers take an object that is older than five minutes for Unknown (observe/current.hpp).
  std::chrono::seconds renew{60};
};

class StandingReporter {
public:
  /// All references outlive it. `synced` says whether the store has seen all objects.
  StandingReporter(kube::Client& client,
                   const Store& store,
                   const Clock& clock,
                   Expectation expectation,
                   std::function<bool()> synced,
                   StandingTimes times = {});

  /// Begins a term of leadership. Returns at once.
  void start();
  /// Ends it: nothing is written any more when this returns.
  void stop();

  /// One look: writes where there is something to say. Public for tests; used by one thread.
  [[nodiscard]] Status visit(const std::stop_token& stop);

private:
  void run(const std::stop_token& stop);

  kube::Client& m_client;
  const Store& m_store;
  const Clock& m_clock;
  const Expectation m_expectation;
  const std::function<bool()> m_synced;
  const StandingTimes m_times;
  const SystemTime m_process_start;
  api::BackupStatusStatus m_written;
  std::optional<std::chrono::steady_clock::time_point> m_written_at;
  std::jthread m_thread;
};

} // namespace rb::controller
