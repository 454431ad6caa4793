// create [--wait]: ask, follow, report.
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/presence.hpp"
#include "cli/report.hpp"
#include "cli/request.hpp"
#include "cli/wait.hpp"

#include "api/standing.hpp"
#include "kube/resource.hpp"

#include <algorithm>

namespace rb::cli {

namespace {

/// Without --timeout: the run's own deadline, and as much again for those before it.
constexpr int k_default_timeout_factor = 2;
constexpr std::chrono::minutes k_default_timeout_margin{5};

int report_end(const nlohmann::json& object, OutputFormat output, Io& io) {
  const auto backup = api::cluster_backup_from_json(object);
  if (!backup) {
    return fail(io, backup.error());
  }
  if (output == OutputFormat::json) {
    io.out << json_lines(object);
  } else {
    io.out << describe(*backup);
  }
  if (const std::string hint = advice(*backup); !hint.empty()) {
    io.err << "hint: " << hint << '\n';
  }
  return static_cast<int>(exit_code_of(*backup));
}

int report_asked(const nlohmann::json& object, bool attached, OutputFormat output, Io& io) {
  const std::string name = object["metadata"]["name"].get<std::string>();
  if (output == OutputFormat::json) {
    io.out << json_lines(object);
  } else {
    io.out << "clusterbackup/" << name << (attached ? " was there already" : " created") << '\n';
    io.err << "hint: follow it with: railiance-backup show " << name << '\n';
  }
  return static_cast<int>(ExitCode::done);
}

int exit_code_of_stopped_wait(const Error& error, Api& api, const Io& io) {
  const int code = fail(io, error, api.server());
  if (error.code == ErrorCode::cancelled) {
    return 128 + io.stop_signal();
  }
  return code;
}

/// Name and uid as the server gave them.
Result<WaitOptions> wait_options(const nlohmann::json& object, const CreateCommand& command) {
  RB_TRY_ASSIGN(const api::ObjectMeta meta, api::meta_from_json(object));
  WaitOptions options;
  options.name = meta.name;
  options.uid = meta.uid;
  options.timeout = command.timeout.value_or(command.deadline * k_default_timeout_factor +
                                             k_default_timeout_margin);
  return options;
}

/// The agent looks at its disk soon after a run; `status` must not deny a set that was just made.
constexpr std::chrono::seconds k_standing_patience{15};
constexpr std::chrono::milliseconds k_standing_tick{300};

/// What the agent says of the node that the run was on; nothing where it cannot be read.
std::optional<api::NodeFacts>
facts_of(kube::Client& client, const api::ClusterBackup& run, const Io& io) {
  const auto object = client.get(
      {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), ""}, io.stop);
  const auto standing = object ? api::backup_status_from_json(*object) : object.error();
  if (!standing) {
    return std::nullopt;
  }
  const auto& nodes = standing->status.nodes;
  const auto node = std::ranges::find(nodes, run.status.node_name, &api::NodeFacts::node_name);
  return node == nodes.end() ? api::NodeFacts{} : *node;
}

/// Until `status` knows of the set that the run left. Nothing: it made none, or it is not known.
std::optional<api::NodeFacts>
await_standing(kube::Client& client, const nlohmann::json& object, const Io& io) {
  const auto run = api::cluster_backup_from_json(object);
  if (!run || exit_code_of(*run) != ExitCode::done || !run->status.etcd) {
    return std::nullopt; // nothing that `status` calls a backup
  }
  const auto start = io.clock.steady_now();
  while (!io.stop.stop_requested() && io.clock.steady_now() - start < k_standing_patience) {
    auto facts = facts_of(client, *run, io);
    if (!facts || facts->last_success_run_id >= run->status.run_id) {
      return facts;
    }
    RealWaiter().wait(k_standing_tick, io.stop);
  }
  return std::nullopt;
}

} // namespace

int create(Api& api, const CreateCommand& command, OutputFormat output, Io& io) {
  const auto requested = request_backup(api.client(), command, io);
  if (!requested) {
    const int code = fail(io, requested.error(), api.server());
    return requested.error().code == ErrorCode::cancelled ? 128 + io.stop_signal() : code;
  }
  if (!command.wait) {
    return report_asked(requested->object, requested->attached, output, io);
  }
  auto options = wait_options(requested->object, command);
  if (!options) {
    return fail(io, options.error(), api.server());
  }
  options->why_quiet = [&] { return describe(look_for_controller(api, io)); };
  ProgressView view(io);
  if (!io.err_is_terminal) {
    view.say((requested->attached ? "waiting for the backup " : "asked for the backup ") +
             options->name);
  }
  const auto object = wait_for_end(api.client(), *options, view, io);
  const auto facts = object ? await_standing(api.client(), *object, io) : std::nullopt;
  view.end();
  if (!object) {
    return exit_code_of_stopped_wait(object.error(), api, io);
  }
  const int code = report_end(*object, output, io);
  if (const std::string readers = facts ? who_reads(*facts) : std::string(); !readers.empty()) {
    io.err << "readable with " << readers << '\n';
  }
  return code;
}

} // namespace rb::cli
