#include "restore/cluster/execute.hpp"

#include "restore/cluster/database.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/node_state.hpp"
#include "restore/cluster/steps.hpp"

#include <utility>

namespace rb::cluster {

namespace {

/// One restore, from where its journal stands to the end.
class Execution {
public:
  Execution(JournalState state, const Journal& journal, Ports& ports, const Limits& limits)
      : m_state(std::move(state)), m_journal(journal), m_ports(ports), m_limits(limits) {}

  Outcome run() {
    if (const Status looked = look_before(); !looked) {
      return ended(looked.error(), true);
    }
    const std::vector<Step> steps = m_state.plan.steps;
    for (const Step step : steps) {
      const Status done = m_state.is_complete(step) ? Status() : advance(step);
      if (!done) {
        return failed_at(step, done.error());
      }
    }
    supersede_earlier();
    m_outcome.code = m_outcome.objects.missing.count == 0 ? ExitCode::done : ExitCode::incomplete;
    return std::move(m_outcome);
  }

private:
  static Outcome ended(const Error& error, bool rolled_back) {
    return {exit_code_for(error.code), error.message, error.hint, rolled_back};
  }

  /// A restore that has not begun yet takes note of the one before it, and of what it will make.
  Status look_before() {
    if (!m_state.completed.empty() || m_state.current) {
      return {};
    }
    RB_TRY_ASSIGN(std::optional<JournalState> there, m_journal.load());
    if (there && there->phase == Phase::done) {
      there->earlier.clear();
      m_state.saved_dir = there->saved_dir == "saved" ? "saved-2" : "saved";
      m_state.earlier.clear();
      m_state.earlier.push_back(std::move(*there));
    }
    note_made(m_state, m_state.plan.work_dir());
    return {};
  }

  /// The step is in the journal before it begins and after it ended.
  Status advance(Step step) {
    if (step <= Step::join && m_ports.stop.stop_requested()) { // later the cluster is back
      return Error{ErrorCode::cancelled, "told to stop", {}};
    }
    m_ports.progress.on_step(step);
    // Since the start the machine may have been switched off and on: k3s need not come by itself.
    if (step > Step::start && m_ports.service.state() == k3s::ServiceState::inactive) {
      RB_TRY(m_ports.service.start());
      RB_TRY(step > Step::ready ? do_ready(m_state.plan, m_ports, m_limits) : Status());
    }
    m_state.current = step;
    database_of(m_state.plan.datastore).note_moved(m_state);
    RB_TRY(m_journal.save(m_state));
    RB_TRY(carry_out(step));
    m_state.completed.push_back(step);
    m_state.current.reset();
    database_of(m_state.plan.datastore).note_moved(m_state);
    return m_journal.save(m_state);
  }

  Status carry_out(Step step) {
    switch (step) {
    case Step::decrypt:
      return do_decrypt(m_state, m_ports);
    case Step::stop:
      return do_stop(m_state, m_ports);
    case Step::save_state:
      return do_save_state(m_state, m_ports);
    case Step::put_back:
      RB_TRY(do_put_back(m_state, m_ports));
      put_image(m_state.plan, m_ports);
      return {};
    case Step::put_token:
      return do_put_token(m_state, m_ports);
    case Step::reset:
      return do_reset(m_state, m_ports, m_limits);
    case Step::set_aside:
      return do_set_aside(m_state, m_ports);
    case Step::name_server:
      return do_name_server(m_state, m_ports);
    case Step::start:
      return m_ports.service.start();
    case Step::ready:
      return do_ready(m_state.plan, m_ports, m_limits);
    case Step::join:
      return do_join(m_state.plan, m_ports, m_limits, m_outcome);
    case Step::agree:
      return do_agree(m_state, m_ports, m_limits);
    case Step::compare:
      RB_TRY(do_compare(m_state.plan, m_ports, m_outcome));
      tell_of_restored_node(m_state, m_ports, m_limits);
      return {};
    case Step::clean_up:
      return remove_path(m_state.plan.snapshot_path());
    }
    return {};
  }

  /// What becomes of the host depends on how far the restore came.
  Outcome failed_at(Step step, const Error& error) {
    if (step == Step::decrypt || (step == Step::stop && !m_state.current)) {
      return untouched(error);
    }
    if (step == Step::stop) {
      return only_stopped(error);
    }
    if (step >= Step::agree) { // the cluster is back; only say so
      return {ExitCode::failed, error.message, "repeat with --resume", false};
    }
    return gone_back(error);
  }

  /// Nothing but the service, if that, was touched: the next try begins anew, and what remains of
  /// this one is of no use.
  Outcome untouched(const Error& error) {
    Outcome outcome = ended(error, true);
    if (const Status removed = forget(m_state, m_journal); !removed) {
      outcome.message += " (and " + removed.error().message + ")";
    }
    return outcome;
  }

  /// The service was stopped, if that, and nothing else: it runs again as before.
  Outcome only_stopped(const Error& error) {
    Outcome outcome = untouched(error);
    const Status started = m_state.plan.was_active ? m_ports.service.start() : Status();
    if (!started) {
      outcome.rolled_back = false;
      outcome.message += "; and k3s was stopped and cannot be started: " + started.error().message;
    }
    return outcome;
  }

  /// What failed, and what became of the way back.
  Outcome gone_back(const Error& error) {
    m_ports.progress.on_line("failed: " + error.message);
    m_state.failure = error.message;
    const bool telling = error.code == ErrorCode::busy || error.code == ErrorCode::cancelled;
    const Outcome back = roll_back(m_state, m_journal, m_ports, m_limits);
    Outcome outcome = ended(error, back.rolled_back);
    outcome.code = telling ? outcome.code : ExitCode::failed;
    if (!back.rolled_back) {
      outcome.message += "; and the way back failed: " + back.message;
      outcome.hint = back.hint;
    }
    return outcome;
  }

  /// The way back leads to before this restore from now on.
  void supersede_earlier() {
    m_state.phase = Phase::done;
    const std::vector<JournalState> earlier = std::exchange(m_state.earlier, {});
    Status done = m_journal.save(m_state);
    if (done && !earlier.empty()) {
      done = remove_path(earlier.front().saved_path());
    }
    if (!done) {
      m_ports.progress.on_line("warning: " + done.error().message);
    }
  }

  JournalState m_state;
  const Journal& m_journal;
  Ports& m_ports;
  const Limits& m_limits;
  Outcome m_outcome;
};

} // namespace

Outcome execute(JournalState state, const Journal& journal, Ports& ports, const Limits& limits) {
  return Execution(std::move(state), journal, ports, limits).run();
}

} // namespace rb::cluster
