// status: one look at all of it. Its exit code says whether there is a current backup.
#include "commands.hpp"
#include "failure.hpp"
#include "overview.hpp"
#include "report.hpp"

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

void read_backups(Api& api, const Io& io, Overview& overview) {
  const auto items = api.client().list_all(kube::k_cluster_backups, "", {}, io.stop);
  if (!items) {
    overview.backups_problem = items.error().message;
    return;
  }
  for (const nlohmann::json& item : *items) {
    if (auto backup = api::cluster_backup_from_json(item)) {
      overview.backups.push_back(*std::move(backup));
    }
  }
}

} // namespace

int status(Api& api, OutputFormat output, Io& io) {
  Overview overview;
  overview.now = io.clock.now();
  auto standing = read_standing(api, io);
  if (!standing && !leaves_unknown(standing.error())) {
    return fail(io, standing.error(), api.server());
  }
  if (standing) {
    overview.standing = std::move(standing->status);
    overview.current = observe::as_read(*overview.standing, overview.now);
  } else {
    overview.current.reason = observe::CurrentReason::controller_unavailable;
    overview.current.message = standing.error().message;
  }
  read_backups(api, io, overview);
  if (output == OutputFormat::json) {
    io.out << json_lines(to_json(overview));
  } else {
    io.out << describe(overview, io.out_colour);
    if (const std::string hint = advice(overview.current); !hint.empty()) {
      io.out << "\nhint: " << hint << '\n';
    }
  }
  return static_cast<int>(observe::exit_code_for(overview.current.reason));
}

} // namespace rb::cli
