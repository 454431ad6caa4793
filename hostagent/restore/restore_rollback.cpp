// `restore --rollback`. Needs neither the set nor a key: all of the way back lies on this host.
#include "restore/cluster/execute.hpp"
#include "restore/cluster/journal_place.hpp"
#include "restore/cluster/restore_lock.hpp"
#include "restore/cluster_host.hpp"
#include "restore/io.hpp"
#include "restore/restore_cluster.hpp"
#include "restore/restore_report.hpp"
#include "terminal/program_io.hpp"

namespace rb::restore {

namespace {

class NoSet final : public cluster::SetSource {
public:
  [[nodiscard]] Status decrypt_snapshot(const std::string& /*path*/) override { return none(); }
  [[nodiscard]] Result<set::HostState> host_state() override { return none(); }

private:
  static Error none() { return {ErrorCode::internal, "the way back needs no set", {}}; }
};

/// The restore that can be undone there, if there is one.
Result<std::optional<cluster::JournalState>> begun(const cluster::Plan& place) {
  RB_TRY_ASSIGN(auto state, cluster::Journal(place.work_dir()).load());
  const bool open = state && state->phase != cluster::Phase::rolled_back;
  return open ? std::move(state) : std::nullopt;
}

} // namespace

int roll_back(const RestoreCommand& command, const Options& options, Io& io) {
  const auto lock = cluster::RestoreLock::acquire();
  if (!lock && lock.error().code == ErrorCode::busy) {
    return fail(io, lock.error());
  }
  ClusterHost host;
  if (const Status looked = look_at_host(host, command, nullptr); !looked) {
    return fail(io, looked.error(), ExitCode::usage);
  }
  cluster::Plan place;
  place.data_dir = host.observed.data_dir;
  auto state = begun(place);
  const std::string elsewhere = cluster::remembered_place();
  if (state && !*state && command.data_dir.empty() && !elsewhere.empty()) {
    place.data_dir = elsewhere;
    state = begun(place);
  }
  if (!state) {
    return fail(io, state.error());
  }
  if (!*state) {
    return fail(io,
                {ErrorCode::not_found,
                 place.work_dir() + ": there is no restore to go back from",
                 "--data-dir names another data directory"},
                ExitCode::nothing_to_restore);
  }
  if (host.observed.user_id != 0 || !host.manager) {
    return fail(
        io,
        {ErrorCode::permission_denied,
         host.manager ? "only root can go back" : "no service manager is found",
         host.manager ? "use sudo" : "give --stop-command, --start-command and --status-command"},
        ExitCode::failed);
  }
  NoSet none;
  LineProgress progress(io);
  cluster::Ports ports{host.processes,
                       *host.manager,
                       host.servers,
                       none,
                       host.cluster,
                       io.clock,
                       host.waiter,
                       progress};
  const cluster::Limits limits{std::chrono::seconds(command.reset_timeout_seconds),
                               std::chrono::seconds(command.ready_timeout_seconds)};
  const cluster::Journal journal(place.work_dir());
  // The way back is not stopped; a second signal ends us.
  const StopSignals interrupts({SIGINT, SIGTERM, SIGHUP}, io.stop);
  const cluster::Outcome outcome = cluster::roll_back(std::move(**state), journal, ports, limits);
  if (const auto left = journal.load(); left && !*left && place.data_dir == elsewhere) {
    if (const Status forgotten = cluster::forget_place(); !forgotten) {
      progress.on_line("warning: " + forgotten.error().message);
    }
  }
  if (outcome.code != ExitCode::done) {
    return fail(io, {ErrorCode::io, outcome.message, outcome.hint}, outcome.code);
  }
  if (options.output == OutputFormat::json) {
    io.out << "{\"rolledBack\": true}\n";
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::restore
