// Commands that only look: list and show say what the cluster has of its backups, recipients says
// who can read them, before anything is installed.
#include "cli/commands.hpp"
#include "cli/connect.hpp"
#include "cli/install/manifests.hpp"
#include "cli/report.hpp"
#include "cli/sops_file.hpp"
#include "terminal/terminal_text.hpp"

#include "api/backup_status.hpp"
#include "base/fd.hpp"
#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

namespace rb::cli {

namespace {

/// The kind itself is unknown to the cluster.
bool knows_no_backups(Api& api, const Io& io) {
  const auto all = api.client().list_all(kube::k_cluster_backups, "", {}, io.stop);
  return !all && all.error().code == ErrorCode::not_found;
}

/// Below the table, so that scripts which read that see nothing of it. Not being able to is no
/// failure.
void say_who_reads_newest(Api& api, Io& io) {
  const auto backup_status = read_backup_status(api.client(), io.stop);
  if (!backup_status) {
    return;
  }
  for (const api::NodeFacts& node : backup_status->status.nodes) {
    if (const std::string text = who_reads(node); !text.empty()) {
      io.err << "the newest set on " << terminal_text(node.node_name) << " is readable with "
             << text << '\n';
    }
  }
}

} // namespace

Result<SopsFile> read_sops_file(const std::string& file) {
  auto contents = read_text_file(file, age::k_sops_yaml_limit_bytes);
  if (!contents) {
    Error error = std::move(contents).error();
    if (error.code == ErrorCode::not_found) {
      error.hint = "give the path of your .sops.yaml: unlike SOPS this looks in no directory above";
    }
    return error;
  }
  return sops_file_of(*std::move(contents), file);
}

Result<SopsFile> sops_file_of(std::string text, const std::string& name) {
  auto rule = age::recipient_rule_of_sops_yaml(text);
  if (!rule) {
    return std::move(rule).error().within(name);
  }
  if (Status fits = install::check_sops_text(text); !fits) {
    return std::move(fits).error().within(name);
  }
  return SopsFile{std::move(text), *std::move(rule)};
}

void say_who_reads(std::ostream& out, const age::RecipientRule& rule) {
  out << "By " << terminal_text(rule.rule)
      << ", whoever has a private key of these can read the backups:\n";
  for (const age::Recipient& recipient : rule.recipients) {
    out << "  " << age::shortened(recipient.text()) << '\n';
  }
}

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
    say_who_reads_newest(api, io);
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

int recipients(const RecipientsCommand& command, OutputFormat output, Io& io) {
  const auto sops = read_sops_file(command.file);
  if (!sops) {
    return fail(io, sops.error());
  }
  if (output == OutputFormat::json) {
    nlohmann::json keys = nlohmann::json::array();
    for (const age::Recipient& recipient : sops->rule.recipients) {
      keys.push_back(recipient.text());
    }
    io.out << nlohmann::json{{"rule", sops->rule.rule}, {"recipients", keys}}.dump(
                  2, ' ', false, nlohmann::json::error_handler_t::replace)
           << '\n';
    return static_cast<int>(ExitCode::done);
  }
  say_who_reads(io.out, sops->rule);
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::cli
