#include "agent/run/run_control.hpp"

#include "api/reason.hpp"
#include "base/clock.hpp"

namespace rb::agent {

Status check_stop(const RunControl& control, std::string_view step) {
  const std::string where = " (step " + std::string(step) + ")";
  switch (control.cause()) {
  case StopCause::none:
    return {};
  case StopCause::deadline:
    return Error{
        ErrorCode::timeout,
        "the deadline of the run passed before it was done" + where,
        "raise spec.deadlineSeconds, or see which step takes so long; if it took less time "
        "than that, the clock of this node is ahead (timedatectl)"}
        .because(api::Reason::deadline_exceeded);
  case StopCause::order_deleted:
    return Error{
        ErrorCode::cancelled, "the order was deleted while the run was going on" + where, {}}
        .because(api::Reason::interrupted);
  case StopCause::shutting_down:
    return Error{ErrorCode::cancelled,
                 "the agent was told to end while the run was going on" + where,
                 "start the backup again"}
        .because(api::Reason::interrupted);
  }
  return {};
}

Timer::Timer(std::chrono::seconds time, std::function<void()> ring)
    : m_thread([time, ring = std::move(ring)](const std::stop_token& stop) {
        if (RealWaiter().wait(time, stop)) {
          ring();
        }
      }) {}

} // namespace rb::agent
