// guard: may an upgrade of k3s begin? One look at the disks of all servers, by what their agents
// say of them, and an exit code that an upgrade controller goes by.
#include "cli/commands.hpp"
#include "cli/connect.hpp"
#include "cli/report.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

#include <nlohmann/json.hpp>

namespace rb::cli {

const char* const k_guard_footer = R"(Examples:
  railiance-backup guard --for v1.35.1+k3s1
  railiance-backup guard --for v1.35.1+k3s1 --max-age 6h --require boot --backup

Exit codes:
  0  every server has a set that is young enough and shown to be good
  1  no upgrade: that k3s cannot take the data over   6  damaged, not the host's own, or no good
  3  not proven, or one of several servers has none   8  it cannot be told
  4  there is no backup                               9  the newest backup is too old

It says what a downgrade would need afterwards. As the prepare container of a Plan of
system-upgrade-controller it needs no --for (docs/upgrade.md).)";

namespace {

using status::GuardReason;
using status::GuardVerdict;

/// The agents look at their disks soon after a run.
constexpr int k_looks_after_backup = 15;
constexpr std::chrono::milliseconds k_between_looks{1000};

GuardVerdict nobody_looked(std::string message) {
  GuardVerdict verdict;
  verdict.reason = GuardReason::controller_unavailable;
  verdict.message = std::move(message);
  return verdict;
}

/// Errors: what leaves open whether there is a cluster.
Result<GuardVerdict> look(Api& api, const status::GuardRules& rules, const Io& io) {
  const auto read = read_backup_status(api.client(), io.stop);
  if (!read && read.error().code == ErrorCode::not_found) {
    return nobody_looked("there is no BackupStatus: no controller has looked yet, or "
                         "railiance-backup is not installed");
  }
  if (!read && read.error().http_status == 403) {
    return nobody_looked("BackupStatus may not be read: " + read.error().message);
  }
  if (!read) {
    return read.error();
  }
  const api::BackupStatusStatus& all = read->status;
  const ControllerSeen controller = look_for_controller(api, io);
  const SystemTime now = cluster_time(controller, io.clock.now());
  const status::Current current = status::as_read(all, now);
  if (current.reason == status::CurrentReason::controller_unavailable) {
    return nobody_looked(current.message);
  }
  if (const std::string gone = describe(controller.presence); !gone.empty()) {
    return nobody_looked(gone);
  }
  // Our clock may be behind the cluster's.
  return status::judge_guard(
      status::nodes_as_read(all), rules, std::max(now, all.observed_time.value_or(now)));
}

/// What to do about it; empty: nothing.
std::string advice(GuardReason reason) {
  switch (reason) {
  case GuardReason::ready:
    return {};
  case GuardReason::not_proven:
    return "railiance-backup create --wait --verification boot makes a set and boots a server from "
           "it (guard --backup does so); or railiance-restore drill, where the key is";
  case GuardReason::stale:
  case GuardReason::never_ran:
  case GuardReason::proof_failed:
    return "railiance-backup create --wait --verification boot makes a new one (guard --backup "
           "does "
           "so); railiance-backup list, then show NAME, says why runs failed";
  case GuardReason::incomplete:
    return "railiance-backup create --wait --node SERVER makes one there (guard --backup does so); "
           "--servers one is content with the set of one server";
  case GuardReason::damaged:
  case GuardReason::untrusted:
    return "on that server: railiance-restore verify --all names the files; an upgrade can wait";
  case GuardReason::downgrade:
    return "an older k3s is gone back to with a set that was made by it: docs/upgrade.md";
  case GuardReason::no_datastore:
    return "back the database up with its own tools before the upgrade";
  case GuardReason::clock_anomaly:
    return "set the clock of that server right (timedatectl); where it is right, it was ahead when "
           "the newest set was made: railiance-restore list there shows which, move its files away";
  case GuardReason::facts_stale:
  case GuardReason::agent_unavailable:
    return "kubectl -n railiance-backup get pods -l app.kubernetes.io/component=agent -o wide";
  case GuardReason::controller_unavailable:
    return "kubectl -n railiance-backup get deployment,pods; the account of an upgrade Plan gets "
           "its "
           "rights by upgradeGuard.enabled of the chart";
  }
  return {};
}

std::string_view word(k3s::WayBack way) {
  switch (way) {
  case k3s::WayBack::binary:
    return "Binary";
  case k3s::WayBack::restore:
    return "Restore";
  case k3s::WayBack::unknown:
    return "Unknown";
  }
  return {};
}

/// What a downgrade would need; empty where no server was seen.
std::string way_back_text(const GuardVerdict& verdict, const std::string& target) {
  if (verdict.nodes.empty()) {
    return {};
  }
  if (!verdict.way_back) {
    return "none: no complete set is of an older k3s than " + target;
  }
  const std::string keep =
      "set " + verdict.set_to_keep +
      (verdict.set_version.empty() ? std::string() : ", with k3s " + verdict.set_version);
  switch (verdict.way_back->way) {
  case k3s::WayBack::binary:
    return verdict.way_back->message + "; " + keep + ", leads back to before";
  case k3s::WayBack::restore:
    return verdict.way_back->message + ": after the upgrade only a restore leads back, of " + keep +
           ". Keep it";
  case k3s::WayBack::unknown:
    return verdict.way_back->message + ": count on a restore, of " + keep + ". Keep it";
  }
  return {};
}

std::string describe(const GuardVerdict& verdict, const std::string& target) {
  const bool go = verdict.reason == GuardReason::ready;
  std::string text =
      (go ? std::string("GO: ") : "NO GO (" + std::string(word_of(verdict.reason)) + "): ") +
      terminal_text(verdict.message) + "\n";
  std::vector<std::vector<std::string>> rows;
  for (const status::GuardedNode& node : verdict.nodes) {
    rows.push_back({"  " + node.name,
                    node.counts ? std::string(word_of(node.reason)) : "not counted",
                    node.message});
  }
  text += verdict.nodes.size() > 1 ? text_table(rows) : std::string();
  if (const std::string back = way_back_text(verdict, target); !back.empty()) {
    text += "way back: " + terminal_text(back) + "\n";
  }
  const std::string hint = advice(verdict.reason);
  return text + (hint.empty() ? std::string() : "hint: " + hint + "\n");
}

nlohmann::json to_json(const GuardVerdict& verdict, const std::string& target) {
  nlohmann::json nodes = nlohmann::json::array();
  for (const status::GuardedNode& node : verdict.nodes) {
    nodes.push_back({{"node", node.name},
                     {"counts", node.counts},
                     {"reason", word_of(node.reason)},
                     {"message", node.message},
                     {"runID", node.run_id},
                     {"k3sVersion", node.k3s_version}});
  }
  const std::string back = way_back_text(verdict, target);
  nlohmann::json way_back;
  if (!back.empty()) {
    way_back = {{"needs", verdict.way_back ? word(verdict.way_back->way) : "None"},
                {"message", back}};
  }
  return {{"go", verdict.reason == GuardReason::ready},
          {"for", target},
          {"reason", word_of(verdict.reason)},
          {"message", verdict.message},
          {"exitCode", static_cast<int>(status::exit_code_for(verdict.reason))},
          {"nodes", nodes},
          {"wayBack", way_back}};
}

/// What a backup says is no result of this command.
Io beside_the_result(const Io& io) {
  Io beside{
      {io.program, io.err, io.err, io.clock, io.err_is_terminal, io.err_is_terminal, io.stop}};
  beside.random_id = io.random_id;
  beside.stop_signal = io.stop_signal;
  beside.terminal_width = io.terminal_width;
  return beside;
}

/// Its exit code. What came of it is seen by another look, whatever that is.
int back_up(Api& api, const std::string& node, const status::GuardRules& rules, const Io& io) {
  CreateCommand create_command;
  create_command.wait = true;
  create_command.node = node;
  const bool booted =
      rules.required == status::Proof::proven || rules.required == status::Proof::boot;
  create_command.verification = booted ? api::Verification::boot : api::Verification::snapshot;
  Io beside = beside_the_result(io);
  return create(api, create_command, OutputFormat::text, beside);
}

/// The verdict after backups of the servers that need one, or the signal that ended the wait.
Result<GuardVerdict> look_again(Api& api, const status::GuardRules& rules, const Io& io) {
  auto verdict = look(api, rules, io);
  for (int looks = 1; looks < k_looks_after_backup && verdict &&
                      verdict->reason != GuardReason::ready && !io.stop.stop_requested();
       ++looks) {
    api.client().runtime().waiter->wait(k_between_looks, io.stop);
    verdict = look(api, rules, io);
  }
  return verdict;
}

} // namespace

int guard(Api& api, const GuardCommand& command, OutputFormat output, Io& io) {
  auto verdict = look(api, command.rules, io);
  const std::vector<std::string> needing = command.backup && verdict
                                               ? status::nodes_to_back_up(*verdict, command.rules)
                                               : std::vector<std::string>();
  for (const std::string& node : needing) {
    io.err << "making a backup first: " << terminal_text(verdict->message) << '\n';
    const bool alone = verdict->nodes.size() == 1;
    const int code = back_up(api, alone ? std::string() : node, command.rules, io);
    if (code >= 128) {
      return code; // told to stop
    }
  }
  if (!needing.empty()) {
    verdict = look_again(api, command.rules, io);
  }
  if (!verdict) {
    return fail_unanswered(io, verdict.error(), api.server());
  }
  if (output == OutputFormat::json) {
    io.out << json_lines(to_json(*verdict, command.rules.target));
  } else {
    io.out << describe(*verdict, command.rules.target);
  }
  return static_cast<int>(status::exit_code_for(verdict->reason));
}

} // namespace rb::cli
