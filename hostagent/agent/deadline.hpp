// Stops a run when its time is up.
#pragma once

#include "agent/run_control.hpp"

#include "base/clock.hpp"

#include <memory>
#include <thread>

namespace rb::agent {

/// Calls control->stop(StopCause::deadline) once `deadline` has passed, unless it goes first. The
/// time that is left is read off the wall clock once; a jump of the clock afterwards changes
/// nothing.
class DeadlineTimer {
public:
  DeadlineTimer(std::shared_ptr<RunControl> control, SystemTime now, SystemTime deadline)
      : m_thread(
            [control = std::move(control), left = deadline - now](const std::stop_token& stop) {
              if (RealWaiter().wait(left, stop)) {
                control->stop(StopCause::deadline);
              }
            }) {}

private:
  std::jthread m_thread;
};

} // namespace rb::agent
