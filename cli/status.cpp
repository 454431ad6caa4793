// status: one look at all of it. Its exit code says whether there is a current backup.
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/overview.hpp"
#include "cli/report.hpp"

#include "kube/resource.hpp"

namespace rb::cli {

namespace {

/// No controller that knows the object, or no right to read it: then nothing is proven.
bool leaves_unknown(const Error& error) {
  return error.code == ErrorCode::not_found ||
         (error.code == ErrorCode::permission_denied && error.http_status == 403);
}

Result<api::BackupStatus> read_standing(Api& api, const Io& io) {
  RB_TRY_ASSIGN(
      const nlohmann::json object,
      api.client().get({kube::k_backup_statuses, "", std::string(api::k_backup_status_name), ""},
                       io.stop));
  return api::backup_status_from_json(object);
}

Status read_backups(Api& api, const Io& io, Overview& overview) {
  const auto items = api.client().list_all(kube::k_cluster_backups, "", {}, io.stop);
  if (!items) {
    overview.backups_problem = items.error().message;
    return items.error();
  }
  for (const nlohmann::json& item : *items) {
    if (auto backup = api::cluster_backup_from_json(item)) {
      overview.backups.push_back(*std::move(backup));
    }
  }
  return {};
}

/// Neither kind is known: then there is no railiance-backup to ask.
bool is_nowhere(const Error& standing, const Status& backups) {
  return standing.code == ErrorCode::not_found && !backups &&
         backups.error().code == ErrorCode::not_found;
}

} // namespace

int status(Api& api, OutputFormat output, Io& io) {
  Overview overview;
  overview.now = io.clock.now();
  auto standing = read_standing(api, io);
  if (!standing && !leaves_unknown(standing.error())) {
    return fail(io, standing.error(), api.server());
  }
  const Status backups = read_backups(api, io, overview);
  if (standing) {
    overview.standing = std::move(standing->status);
    overview.current =
        judge_now(*overview.standing, overview.backups, look_for_controller(api, io), overview.now);
  } else if (is_nowhere(standing.error(), backups)) {
    static_cast<void>(fail(io, not_installed(standing.error())));
    return static_cast<int>(status::exit_code_for(status::CurrentReason::controller_unavailable));
  } else {
    overview.current.reason = status::CurrentReason::controller_unavailable;
    overview.current.message = standing.error().code == ErrorCode::not_found
                                   ? "no controller has looked yet: there is no BackupStatus"
                                   : standing.error().message;
  }
  if (output == OutputFormat::json) {
    io.out << json_lines(to_json(overview));
  } else {
    io.out << describe(overview, io.out_colour);
    if (const std::string hint = advice(overview.current); !hint.empty()) {
      io.out << "\nhint: " << hint << '\n';
    }
  }
  return static_cast<int>(status::exit_code_for(overview.current.reason));
}

} // namespace rb::cli
