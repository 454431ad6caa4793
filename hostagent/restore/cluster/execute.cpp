#include "restore/cluster/execute.hpp"

#include "restore/cluster/host_files.hpp"
#include "restore/cluster/steps.hpp"

#include <algorithm>
#include <utility>

namespace rb::cluster {

namespace {

Status
do_step(Step step, JournalState& state, Ports& ports, const Limits& limits, Outcome& outcome) {
  switch (step) {
  case Step::decrypt:
    return do_decrypt(state, ports);
  case Step::stop:
    return do_stop(state, ports);
  case Step::save_state:
    return do_save_state(state, ports);
  case Step::put_back:
    RB_TRY(do_put_back(state, ports));
    put_image(state.plan, ports);
    return {};
  case Step::reset:
    return do_reset(state, ports, limits);
  case Step::start:
    return ports.service.start();
  case Step::ready:
    return do_ready(state.plan, ports, limits);
  case Step::compare:
    return do_compare(state.plan, ports, outcome);
  case Step::clean_up:
    return remove_path(state.plan.snapshot_path());
  }
  return {};
}

/// The step is in the journal before it begins and after it ended.
Status advance(Step step,
               JournalState& state,
               const Journal& journal,
               Ports& ports,
               const Limits& limits,
               Outcome& outcome) {
  if (step <= Step::ready && ports.stop.stop_requested()) { // later the cluster is back
    return Error{ErrorCode::cancelled, "told to stop", {}};
  }
  ports.progress.on_step(step);
  // Since the start the machine may have been switched off and on: k3s need not come by itself.
  if (step > Step::start && ports.service.state() == k3s::ServiceState::inactive) {
    RB_TRY(ports.service.start());
    RB_TRY(step > Step::ready ? do_ready(state.plan, ports, limits) : Status());
  }
  state.current = step;
  note_original(state);
  RB_TRY(journal.save(state));
  RB_TRY(do_step(step, state, ports, limits, outcome));
  state.completed.push_back(step);
  state.current.reset();
  note_original(state);
  return journal.save(state);
}

/// A restore that has not begun yet takes note of the one before it, and of what it will make.
Status look_before(JournalState& state, const Journal& journal) {
  if (!state.completed.empty() || state.current) {
    return {};
  }
  RB_TRY_ASSIGN(std::optional<JournalState> there, journal.load());
  if (there && there->phase == Phase::done) {
    there->earlier.clear();
    state.saved_dir = there->saved_dir == "saved" ? "saved-2" : "saved";
    state.earlier.assign(1, std::move(*there));
  }
  note_made(state, state.plan.work_dir());
  return {};
}

/// The way back leads to before this restore from now on.
void supersede_earlier(JournalState& state, const Journal& journal, Ports& ports) {
  const std::vector<JournalState> earlier = std::exchange(state.earlier, {});
  Status done = journal.save(state);
  if (done && !earlier.empty()) {
    done = remove_path(earlier.front().saved_path());
  }
  if (!done) {
    ports.progress.on_line("warning: " + done.error().message);
  }
}

/// Nothing but the service, if that, was touched: the next try begins anew, and what remains of
/// this one is of no use.
Outcome untouched(const Error& error, const JournalState& state, const Journal& journal) {
  Outcome outcome{exit_code_for(error.code), error.message, error.hint, true};
  if (const Status removed = forget(state, journal); !removed) {
    outcome.message += " (and " + removed.error().message + ")";
  }
  return outcome;
}

/// The service was stopped, if that, and nothing else: it runs again as before.
Outcome
only_stopped(const Error& error, const JournalState& state, const Journal& journal, Ports& ports) {
  Outcome outcome = untouched(error, state, journal);
  if (!state.plan.was_active) {
    return outcome;
  }
  if (const Status started = ports.service.start(); !started) {
    outcome.rolled_back = false;
    outcome.message += "; and k3s was stopped and cannot be started: " + started.error().message;
  }
  return outcome;
}

/// What failed, and what became of the way back.
Outcome failed(const Error& error,
               JournalState state,
               const Journal& journal,
               Ports& ports,
               const Limits& limits) {
  ports.progress.on_line("failed: " + error.message);
  state.failure = error.message;
  const bool telling = error.code == ErrorCode::busy || error.code == ErrorCode::cancelled;
  Outcome back = roll_back(std::move(state), journal, ports, limits);
  Outcome outcome = back;
  outcome.message = error.message;
  outcome.hint = error.hint;
  outcome.code = telling ? exit_code_for(error.code) : ExitCode::failed;
  if (!back.rolled_back) {
    outcome.message += "; and the way back failed: " + back.message;
    outcome.hint = back.hint;
  }
  return outcome;
}

} // namespace

Outcome execute(JournalState state, const Journal& journal, Ports& ports, const Limits& limits) {
  Outcome outcome;
  if (const Status looked = look_before(state, journal); !looked) {
    return {exit_code_for(looked.error().code), looked.error().message, looked.error().hint, true};
  }
  for (const Step step : state.plan.steps) {
    if (state.is_complete(step)) {
      continue;
    }
    const Status status = advance(step, state, journal, ports, limits, outcome);
    if (status) {
      continue;
    }
    if (step == Step::decrypt || (step == Step::stop && !state.current)) {
      return untouched(status.error(), state, journal);
    }
    if (step == Step::stop) {
      return only_stopped(status.error(), state, journal, ports);
    }
    if (step == Step::compare || step == Step::clean_up) { // the cluster is back; only say so
      return {ExitCode::failed, status.error().message, "repeat with --resume", false};
    }
    return failed(status.error(), std::move(state), journal, ports, limits);
  }
  state.phase = Phase::done;
  supersede_earlier(state, journal, ports);
  outcome.code = outcome.objects.missing.count == 0 ? ExitCode::done : ExitCode::incomplete;
  return outcome;
}

} // namespace rb::cluster
