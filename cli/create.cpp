// create [--wait]: ask, follow, report.
#include "commands.hpp"
#include "failure.hpp"
#include "report.hpp"
#include "request.hpp"
#include "wait.hpp"

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
  const auto options = wait_options(requested->object, command);
  if (!options) {
    return fail(io, options.error(), api.server());
  }
  ProgressView view(io);
  if (!io.err_is_terminal) {
    view.say((requested->attached ? "waiting for the backup " : "asked for the backup ") +
             options->name);
  }
  const auto object = wait_for_end(api.client(), *options, view, io);
  view.end();
  return object ? report_end(*object, output, io)
                : exit_code_of_stopped_wait(object.error(), api, io);
}

} // namespace rb::cli
