// `restore --rollback`. Needs neither the set nor a key: all of the way back lies on this host.
#include "recover/execute.hpp"
#include "restore/cluster_host.hpp"
#include "restore/failure.hpp"
#include "restore/restore_cluster.hpp"
#include "restore/restore_report.hpp"

namespace rb::restore {

namespace {

class NoSet final : public recover::SetSource {
public:
  [[nodiscard]] Status decrypt_snapshot(const std::string&) override { return none(); }
  [[nodiscard]] Result<unpack::HostState> host_state() override { return none(); }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& objects() const override {
    return m_objects;
  }

private:
  static Error none() { return {ErrorCode::internal, "the way back needs no set", {}}; }
  std::map<std::string, std::uint64_t> m_objects;
};

} // namespace

int roll_back(const RestoreCommand& command, const Options& options, Io& io) {
  ClusterHost host;
  if (const Status looked = look_at_host(host, command, nullptr); !looked) {
    return fail(io, looked.error(), ExitCode::usage);
  }
  recover::Plan place;
  place.data_dir = host.observed.data_dir;
  const recover::Journal journal(place.work_dir());
  auto state = journal.load();
  if (!state) {
    return fail(io, state.error());
  }
  if (!*state || (*state)->phase == recover::Phase::rolled_back) {
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
  recover::Ports ports{
      host.processes, *host.manager, host.servers, none, io.clock, host.sleeper, progress};
  const recover::Limits limits{std::chrono::seconds(command.reset_timeout_seconds),
                               std::chrono::seconds(command.ready_timeout_seconds)};
  const recover::Outcome outcome = recover::roll_back(std::move(**state), journal, ports, limits);
  if (outcome.code != ExitCode::done) {
    return fail(io, {ErrorCode::io, outcome.message, outcome.hint}, outcome.code);
  }
  if (options.output == OutputFormat::json) {
    io.out << "{\"rolledBack\": true}\n";
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::restore
