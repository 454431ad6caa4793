#include "cli/request.hpp"

#include "cli/failure.hpp"

#include "api/cluster_backup.hpp"

namespace rb::cli {

namespace {

constexpr unsigned k_name_attempts = 10;

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
    return Requested{std::move(object), false};
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

} // namespace

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
  backup.spec.verification = command.verification;
  if (command.ttl) {
    backup.spec.ttl_seconds_after_finished = static_cast<std::int32_t>(command.ttl->count());
  }
  return api::to_json(backup);
}

std::string default_name(SystemTime now, unsigned attempt) {
  std::string name = "manual-" + format_run_id(now);
  for (char& c : name) {
    c = c == 'T' ? 't' : c == 'Z' ? 'z' : c;
  }
  return attempt < 2 ? name : name + "-" + std::to_string(attempt);
}

Result<Requested> request_backup(kube::Client& client, const CreateCommand& command, const Io& io) {
  const std::string request_id = io.random_id();
  if (!command.name.empty()) {
    return request_named(client, command, command.name, request_id, io);
  }
  const SystemTime now = io.clock.now();
  for (unsigned attempt = 1; attempt < k_name_attempts; ++attempt) {
    auto requested = request_named(client, command, default_name(now, attempt), request_id, io);
    if (requested || requested.error().code != ErrorCode::already_exists) {
      return requested;
    }
  }
  return request_named(client, command, default_name(now, k_name_attempts), request_id, io);
}

} // namespace rb::cli
