// list and show: what the cluster says of its backups.
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/report.hpp"
#include "terminal/terminal_text.hpp"

#include "api/standing.hpp"
#include "kube/resource.hpp"

namespace rb::cli {

namespace {

/// The kind itself is unknown to the cluster.
bool knows_no_backups(Api& api, const Io& io) {
  const auto all = api.client().list_all(kube::k_cluster_backups, "", {}, io.stop);
  return !all && all.error().code == ErrorCode::not_found;
}

/// Below the table, so that scripts which read that see nothing of it. Not being able to is no
/// failure.
void say_who_reads(Api& api, Io& io) {
  const auto object = api.client().get(
      {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), ""}, io.stop);
  const auto standing = object ? api::backup_status_from_json(*object) : object.error();
  if (!standing) {
    return;
  }
  for (const api::NodeFacts& node : standing->status.nodes) {
    if (const std::string text = who_reads(node); !text.empty()) {
      io.err << "the newest set on " << terminal_text(node.node_name) << " is readable with "
             << text << '\n';
    }
  }
}

} // namespace

int list(Api& api, OutputFormat output, Io& io) {
  const auto items = api.client().list_all(kube::k_cluster_backups, "", {}, io.stop);
  if (!items) {
    const Error& error = items.error();
    return fail(
        io, error.code == ErrorCode::not_found ? not_installed(error) : error, api.server());
  }
  if (output == OutputFormat::json) {
    io.out << json_lines(nlohmann::json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", *items}});
    return static_cast<int>(ExitCode::done);
  }
  std::vector<api::ClusterBackup> backups;
  for (const nlohmann::json& item : *items) {
    auto backup = api::cluster_backup_from_json(item);
    if (!backup) {
      return fail(io, backup.error(), api.server());
    }
    backups.push_back(std::move(backup).value());
  }
  if (output == OutputFormat::name) {
    for (const api::ClusterBackup& backup : backups) {
      io.out << terminal_text(backup.meta.name) << '\n';
    }
  } else if (backups.empty()) {
    io.err << "no ClusterBackups in the cluster; make the first: railiance-backup create --wait\n";
  } else {
    io.out << backup_table(std::move(backups), io.clock.now());
    say_who_reads(api, io);
  }
  return static_cast<int>(ExitCode::done);
}

int show(Api& api, const ShowCommand& command, OutputFormat output, Io& io) {
  auto object = api.client().get({kube::k_cluster_backups, "", command.name, ""}, io.stop);
  if (!object) {
    Error error = std::move(object).error();
    if (error.code == ErrorCode::not_found && knows_no_backups(api, io)) {
      error = not_installed(std::move(error));
    } else if (error.code == ErrorCode::not_found) {
      error.message = "there is no ClusterBackup '" + command.name + "'";
      error.hint = "railiance-backup list shows those that there are; files outlive them: on the "
                   "server, railiance-restore list";
    }
    return fail(io, error, api.server());
  }
  if (output == OutputFormat::json) {
    io.out << json_lines(*object);
    return static_cast<int>(ExitCode::done);
  }
  const auto backup = api::cluster_backup_from_json(*object);
  if (!backup) {
    return fail(io, backup.error(), api.server());
  }
  io.out << describe(*backup);
  if (!backup->status.conditions.empty()) {
    io.out << '\n' << condition_table(*backup);
  }
  if (const std::string hint = advice(*backup); !hint.empty()) {
    io.out << "\nhint: " << hint << '\n';
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::cli
