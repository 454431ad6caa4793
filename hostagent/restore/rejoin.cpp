// `rejoin`: this host comes back to a cluster that was restored on another one.
#include "restore/cluster/rejoin.hpp"

#include "restore/cluster/server_access.hpp"
#include "restore/cluster/set_access.hpp"
#include "restore/commands.hpp"
#include "restore/host_work.hpp"
#include "restore/set_output.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>

namespace rb::restore {

namespace {

class Rejoin final : public HostWork {
public:
  Rejoin(const RejoinCommand& command, const Options& options, Io& io)
      : HostWork(command, options, io), m_rejoin(command) {}

private:
  [[nodiscard]] const char* name() const override { return "rejoin"; }
  [[nodiscard]] bool allow_unsigned() const override { return m_rejoin.wishes.allow_unsigned; }

  /// The set may be another server's: its layout is none of ours.
  [[nodiscard]] const cluster::OpenedSet*
  layout_of(const cluster::OpenedSet& /*opened*/) const override {
    return nullptr;
  }

  int begin(cluster::OpenedSet opened) override {
    m_host.look(m_command.hints, nullptr);
    m_io.err << "asking the servers of the cluster\n";
    const cluster::RejoinFacts facts = cluster::look_for_rejoin(m_host,
                                                                {m_command.hints,
                                                                 m_rejoin.wishes,
                                                                 opened,
                                                                 m_set->time,
                                                                 cluster::k_access_file,
                                                                 m_io.clock.now()},
                                                                m_io.stop);
    forget_access(); // by now it should be gone
    const cluster::RejoinDecision decision = cluster::decide_rejoin(facts, m_rejoin.wishes);
    if (!decision.member.empty()) {
      return already(decision.member);
    }
    return agree_and_carry_out(decision.decision,
                               "Rejoin now? The database of this host is moved aside.");
  }

  int already(const std::string& members) const {
    if (m_options.output == OutputFormat::json) {
      m_io.out << dump({{"done", true}, {"already", true}, {"members", members}, {"exitCode", 0}});
    } else {
      m_io.out << "this host is a voting member already: " << members << "; nothing was changed\n";
    }
    return static_cast<int>(ExitCode::done);
  }

  int finish(const cluster::Outcome& outcome,
             const cluster::Plan& plan,
             nlohmann::ordered_json json,
             bool back) override {
    const std::uint64_t all =
        std::max<std::uint64_t>(plan.joining ? plan.joining->servers : 0, outcome.members);
    const std::string members =
        std::to_string(outcome.members) + " of " + std::to_string(all) + " members";
    json["done"] = outcome.message.empty() && !back;
    json["rolledBack"] = outcome.rolled_back;
    json["message"] = outcome.message;
    json["members"] = members;
    json["exitCode"] = static_cast<int>(outcome.code);
    if (m_options.output == OutputFormat::json) {
      m_io.out << dump(json);
    }
    if (!outcome.message.empty()) {
      return fail(m_io,
                  {ErrorCode::io, terminal_text(outcome.message), terminal_text(outcome.hint)},
                  outcome.code);
    }
    if (m_options.output == OutputFormat::text && !back) {
      m_io.out << "rejoined " << terminal_text(plan.joining ? plan.joining->server : std::string())
               << ": " << members << "; `rm -rf " << plan.work_dir() << " " << plan.data_dir
               << "/server/db/etcd-old-*` once all is well (--rollback needs them)\n";
    }
    return static_cast<int>(outcome.code);
  }

  const RejoinCommand& m_rejoin;
};

} // namespace

int carry_out(const RejoinCommand& command, const Options& options, Io& io) {
  Rejoin rejoin(command, options, io);
  return command.rollback ? rejoin.roll_back() : rejoin.run();
}

} // namespace rb::restore
