#include "agent/run_control.hpp"

#include <string>

namespace rb::agent {

StepFailure stop_failure(StopCause cause, std::string_view step) {
  const std::string where = " (step " + std::string(step) + ")";
  switch (cause) {
  case StopCause::none:
    return std::nullopt;
  case StopCause::deadline:
    return Failure{api::Reason::deadline_exceeded,
                   "the deadline of the run passed before it was done" + where,
                   "raise spec.deadlineSeconds, or see which step takes so long"};
  case StopCause::order_deleted:
    return Failure{
        api::Reason::interrupted, "the order was deleted while the run was going on" + where, {}};
  case StopCause::shutting_down:
    return Failure{api::Reason::interrupted,
                   "the agent was told to end while the run was going on" + where,
                   "start the backup again"};
  }
  return std::nullopt;
}

} // namespace rb::agent
