// create [--wait]: ask, follow, report.
#include "cli/commands.hpp"
#include "cli/connect.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"

#include "api/backup.hpp"
#include "api/backup_status.hpp"
#include "kube/resource.hpp"
#include "kube/retry.hpp"

#include <algorithm>

namespace rb::cli {

namespace {

constexpr unsigned k_name_attempts = 10;
constexpr std::chrono::milliseconds k_request_pause{1000};

/// Says which call made an object: the same value in what we sent and in what is there means that
/// it is ours, although the server answered "exists already".
inline constexpr std::string_view k_request_annotation = "backup.railiance.io/request-id";

struct Requested {
  nlohmann::json object; ///< As the server has it.
  bool attached = false; ///< It was there before (--attach, --request-id).
};

/// What stays the same however often it is sent.
struct Asking {
  std::string request_id;
  std::string name; ///< The first one to try.
  bool numbered;    ///< Where it is taken, by a request of somebody else, a number goes behind it.
};

/// The object to be sent. Absent fields take the CRD's defaults.
nlohmann::json backup_object(const CreateCommand& command,
                             const std::string& name,
                             const std::string& request_id) {
  api::ClusterBackup backup;
  backup.meta.name = name;
  backup.meta.annotations[std::string(k_request_annotation)] = request_id;
  backup.meta.labels["app.kubernetes.io/managed-by"] = "railiance-backup";
  if (!command.artifacts.empty()) {
    backup.spec.artifacts = command.artifacts;
  }
  backup.spec.keep_last = command.keep_last;
  backup.spec.scheduled = command.scheduled;
  backup.spec.deadline_seconds = static_cast<std::int32_t>(command.deadline.count());
  backup.spec.node_name = command.node;
  backup.spec.servers = command.servers;
  backup.spec.verification = command.verification;
  if (command.ttl) {
    backup.spec.ttl_seconds_after_finished = static_cast<std::int32_t>(command.ttl->count());
  }
  return api::to_json(backup);
}

/// "manual-20261122t115216z"
std::string default_name(SystemTime now) {
  std::string name = "manual-" + format_run_id(now);
  for (char& c : name) {
    c = c == 'T' ? 't' : c == 'Z' ? 'z' : c;
  }
  return name;
}

Asking asking(const CreateCommand& command, const Io& io) {
  const bool named = !command.name.empty();
  return {command.request_id.empty() ? io.random_id() : command.request_id,
          named ? command.name : default_name(io.clock.now()),
          !named || !command.request_id.empty()};
}

bool made_by(const nlohmann::json& object, const std::string& request_id) {
  const auto pointer = nlohmann::json::json_pointer("/metadata/annotations");
  if (!object.contains(pointer) || !object[pointer].is_object()) {
    return false;
  }
  const auto& annotations = object[pointer];
  const auto found = annotations.find(std::string(k_request_annotation));
  return found != annotations.end() && *found == request_id;
}

/// The object is there already: ours from a first arrival, one to attach to, or somebody else's.
Result<Requested> take_existing(kube::Client& client,
                                const CreateCommand& command,
                                const std::string& name,
                                const std::string& request_id,
                                const Io& io) {
  RB_TRY_ASSIGN(nlohmann::json object,
                client.get({kube::k_cluster_backups, "", name, ""}, io.stop));
  if (made_by(object, request_id)) {
    return Requested{std::move(object), !command.request_id.empty()};
  }
  if (command.attach) {
    return Requested{std::move(object), true};
  }
  return Error{ErrorCode::already_exists,
               "there is a ClusterBackup '" + name + "' already",
               "choose another name, or add --attach to take that one"};
}

Result<Requested> request_named(kube::Client& client,
                                const CreateCommand& command,
                                const std::string& name,
                                const std::string& request_id,
                                const Io& io) {
  auto created =
      client.create(kube::k_cluster_backups, "", backup_object(command, name, request_id), io.stop);
  if (created) {
    return Requested{std::move(created).value(), false};
  }
  if (created.error().code != ErrorCode::already_exists) {
    Error error = std::move(created).error();
    return error.code == ErrorCode::not_found ? not_installed(std::move(error)) : error;
  }
  return take_existing(client, command, name, request_id, io);
}

/// Puts a ClusterBackup into the cluster, once, although a POST may arrive twice. Errors:
/// already_exists (a given name, without --attach), and those of kube::Client::create with a hint
/// where the CRD is missing.
Result<Requested> request_backup(kube::Client& client,
                                 const CreateCommand& command,
                                 const Asking& asking,
                                 const Io& io) {
  const unsigned attempts = asking.numbered ? k_name_attempts : 1;
  for (unsigned attempt = 1;; ++attempt) {
    const std::string name =
        attempt == 1 ? asking.name : asking.name + "-" + std::to_string(attempt);
    auto requested = request_named(client, command, name, asking.request_id, io);
    if (requested || requested.error().code != ErrorCode::already_exists || attempt == attempts) {
      return requested;
    }
  }
}

/// The same. Who waits for the end of the run also bears what passes by itself at its beginning,
/// for as long as it would later: a server that has just started forbids everything, or does not
/// know the certificate yet.
Result<Requested>
request_patiently(kube::Client& client, const CreateCommand& command, ProgressView& view, Io& io) {
  const Asking what = asking(command, io);
  const auto start = io.clock.steady_now();
  for (bool said = false;; said = true) {
    auto requested = request_backup(client, command, what, io);
    if (requested || !command.wait || !kube::may_pass(requested.error().code) ||
        io.clock.steady_now() - start >= WaitOptions{}.refusal_patience) {
      return requested;
    }
    if (!said) {
      view.say("the request was not taken, trying again: " + requested.error().message);
    }
    client.runtime().waiter->wait(k_request_pause, io.stop);
  }
}

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
  if (const std::string lacking = missing_copies(*backup); !lacking.empty()) {
    io.err << "warning: " << lacking << '\n';
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
constexpr std::chrono::seconds k_facts_patience{15};
constexpr std::chrono::milliseconds k_facts_tick{300};

/// What the agent says of the node that the run was on; nothing where it cannot be read.
std::optional<api::NodeFacts>
facts_of(kube::Client& client, const api::ClusterBackup& run, const Io& io) {
  const auto backup_status = read_backup_status(client, io.stop);
  if (!backup_status) {
    return std::nullopt;
  }
  const auto& nodes = backup_status->status.nodes;
  const auto node = std::ranges::find(nodes, run.status.node_name, &api::NodeFacts::node_name);
  return node == nodes.end() ? api::NodeFacts{} : *node;
}

/// Until `status` knows of the set that the run left. Nothing: it made none, or it is not known.
std::optional<api::NodeFacts>
await_facts(kube::Client& client, const nlohmann::json& object, const Io& io) {
  const auto run = api::cluster_backup_from_json(object);
  if (!run || exit_code_of(*run) != ExitCode::done || !run->status.etcd) {
    return std::nullopt; // nothing that `status` calls a backup
  }
  const auto start = io.clock.steady_now();
  while (!io.stop.stop_requested() && io.clock.steady_now() - start < k_facts_patience) {
    auto facts = facts_of(client, *run, io);
    if (!facts || facts->last_success_run_id >= run->status.run_id) {
      return facts;
    }
    RealWaiter().wait(k_facts_tick, io.stop);
  }
  return std::nullopt;
}

} // namespace

int create(Api& api, const CreateCommand& command, OutputFormat output, Io& io) {
  ProgressView view(io);
  const auto requested = request_patiently(api.client(), command, view, io);
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
  options->why_quiet = [&] { return describe(look_for_controller(api, io).presence); };
  if (!io.err_is_terminal) {
    view.say((requested->attached ? "waiting for the backup " : "asked for the backup ") +
             options->name);
  }
  const auto object = wait_for_end(api.client(), *options, view, io);
  const auto facts = object ? await_facts(api.client(), *object, io) : std::nullopt;
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
