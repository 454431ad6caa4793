#include "controller/executor.hpp"

#include "controller/summary.hpp"
#include "terminal/format.hpp"
#include "terminal/log.hpp"

#include "api/backup.hpp"
#include "kube/retry.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::controller {

namespace {

/// Some ten seconds, with the pauses of the reconciler: a token that is renewed late, a new API
/// server.
constexpr int k_attempts = 8;

nlohmann::json status_object(const StatusPatch& patch, const api::ClusterBackupStatus& status) {
  return {{"apiVersion", api::k_api_version},
          {"kind", api::k_cluster_backup_kind},
          {"metadata",
           {{"name", patch.name}, {"uid", patch.uid}, {"resourceVersion", patch.resource_version}}},
          {"status", to_json(status)}};
}

/// What always fits the schema: used when the API server refuses the whole status, so that one odd
/// report can't keep a run from ending and block all later ones.
api::ClusterBackupStatus bare(api::ClusterBackupStatus status) {
  status.artifacts.clear();
  status.missing.clear();
  status.helm.reset();
  status.etcd.reset();
  for (api::ServerCopy& copy : status.servers) {
    copy.message.clear();
  }
  return status;
}

/// It may be so of this object alone, as where it has no room left for a status. While the server
/// is away or does not know us, no object is the reason.
bool may_be_of_object(const Error& error) {
  return error.http_status >= 400 && !kube::is_of_datastore(error) &&
         (error.http_status == 500 || !kube::is_passing(error.code));
}

/// Else a write may have been taken although its answer was lost.
bool surely_refused(const Error& error) {
  return (error.http_status >= 400 && error.http_status < 500) || kube::is_too_large(error);
}

bool refused_for_good(ErrorCode code) {
  return code == ErrorCode::invalid_argument || code == ErrorCode::permission_denied ||
         code == ErrorCode::unsupported;
}

kube::ObjectRef backup_ref(const std::string& name, const char* subresource = "") {
  return {kube::k_cluster_backups, "", name, subresource};
}

Status gone_is_fine(Status status) {
  if (!status && status.error().code == ErrorCode::not_found) {
    return {};
  }
  return status;
}

} // namespace

Status Executor::execute(const StatusPatch& patch, std::stop_token stop) {
  if (patch.helm_attempt > 0) {
    m_ports.store.note_helm_attempt(patch.uid, patch.helm_attempt);
  }
  auto written = m_ports.client.replace(
      backup_ref(patch.name, "status"), status_object(patch, patch.status), stop);
  if (!written && (written.error().code == ErrorCode::invalid_argument ||
                   kube::is_too_large(written.error()))) {
    log::error(patch.name + ": the status was refused and is written without details",
               written.error());
    written = m_ports.client.replace(
        backup_ref(patch.name, "status"), status_object(patch, bare(patch.status)), stop);
  }
  if (written) {
    if (m_refused_statuses.erase(patch.uid) != 0) {
      m_ports.store.note_status_refused(patch.uid, false);
    }
    m_ports.store.answered_backup(*written);
    mark(patch, *written, stop);
    tell_result(patch);
    return {};
  }
  if (!surely_refused(written.error())) {
    m_ports.store.note_run_id(patch.status.run_id);
  }
  const ErrorCode code = written.error().code;
  if (code == ErrorCode::conflict || code == ErrorCode::not_found) {
    return refresh(patch, stop);
  }
  note_refusal(patch, written.error());
  return std::move(written).error();
}

void Executor::note_refusal(const StatusPatch& patch, const Error& error) {
  if (!may_be_of_object(error)) {
    return;
  }
  const int times = ++m_refused_statuses[patch.uid];
  if (times == k_attempts) {
    log::error(patch.name + ": its status is not taken, and other runs go before it", error);
  }
  if (times >= k_attempts) {
    m_ports.store.note_status_refused(patch.uid, true);
  }
}

void Executor::mark(const StatusPatch& patch,
                    const nlohmann::json& written,
                    const std::stop_token& stop) {
  const std::string& run_id = patch.status.run_id;
  const auto meta = api::meta_from_json(written);
  if (!m_may_mark || run_id.empty() || !meta || api::marked_run(*meta) == run_id) {
    return;
  }
  const auto marked = m_ports.client.patch(backup_ref(patch.name),
                                           kube::PatchType::merge,
                                           api::run_mark(patch.name, patch.uid, run_id),
                                           stop);
  if (marked) {
    m_ports.store.answered_backup(*marked);
    return;
  }
  const ErrorCode code = marked.error().code;
  if (refused_for_good(code)) {
    log::warn(patch.name + ": without a mark it would run again if it came back by Velero",
              marked.error());
    // One whose annotations have no room left says nothing of the next one.
    m_may_mark = code == ErrorCode::invalid_argument;
  }
}

Status Executor::refresh(const StatusPatch& patch, const std::stop_token& stop) {
  auto object = m_ports.client.get(backup_ref(patch.name), stop);
  if (object) {
    const std::string version = object->value("/metadata/resourceVersion"_json_pointer, "");
    if (kube::is_older_version(version, patch.resource_version)) {
      m_ports.client.runtime().versions->went_back(); // asked after that version was known
    }
    m_ports.store.answered_backup(*object);
    return {};
  }
  if (object.error().code == ErrorCode::not_found) {
    // The watch may have told so before the answer that put it into the store.
    m_ports.store.remove_backup(patch.uid);
    return {};
  }
  return std::move(object).error();
}

void Executor::tell_result(const StatusPatch& patch) {
  if (!patch.event) {
    return;
  }
  const bool incomplete = patch.event->reason == api::to_string(api::Reason::incomplete);
  const char* result = !patch.event->warning ? "succeeded" : incomplete ? "incomplete" : "failed";
  const auto duration = patch.status.start_time && patch.status.completion_time
                            ? *patch.status.completion_time - *patch.status.start_time
                            : std::chrono::seconds{0};
  m_ports.metrics.run_ended(result, static_cast<double>(duration.count()));
  spdlog::log(patch.event->warning ? spdlog::level::warn : spdlog::level::info,
              "{}: run {} ended: {}: {}",
              patch.name,
              patch.status.run_id,
              patch.event->reason,
              patch.event->note);
  m_ports.record_event({{std::string(api::k_api_version),
                         std::string(api::k_cluster_backup_kind),
                         "",
                         patch.name,
                         patch.uid},
                        patch.event->warning ? kube::EventType::warning : kube::EventType::normal,
                        patch.event->reason,
                        "Backup",
                        patch.event->note});
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): the generic lambda uses this
Status Executor::execute(const Action& action, std::stop_token stop) {
  return std::visit([&](const auto& specific) { return carry_out(specific, stop); }, action);
}

Status Executor::carry_out(const CollectHelm& action, const std::stop_token& stop) {
  m_ports.store.add_payload(action.uid);
  const auto begin = m_ports.clock.steady_now();
  HelmTries& tries = m_helm_tries.try_emplace(action.uid, HelmTries{begin, 0}).first->second;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(tries.begin + action.time_limit - begin);
  std::stop_source bounded;
  auto outcome = [&] {
    const std::stop_callback with_us(stop, [&] { bounded.request_stop(); });
    const kube::DeadlineTimer::Alarm alarm(m_timer, left, [&] { bounded.request_stop(); });
    return m_ports.helm.run(action, bounded.get_token());
  }();
  if (outcome) {
    const std::chrono::duration<double> took = m_ports.clock.steady_now() - begin;
    const std::int64_t releases = outcome->status ? outcome->status->releases : 0;
    m_ports.metrics.helm_collected(took.count(), releases);
    spdlog::info("{}: {} collected in {:.2f} s",
                 action.backup_name,
                 count_of(static_cast<std::uint64_t>(releases), "Helm release"),
                 took.count());
    end_helm(action, *std::move(outcome));
    return {};
  }
  const bool late =
      bounded.stop_requested() || m_ports.clock.steady_now() - tries.begin >= action.time_limit;
  if (stop.stop_requested() ||
      (!late && kube::may_pass(outcome.error().code) && ++tries.failures < k_attempts)) {
    return outcome.error();
  }
  log::error(action.backup_name + ": the Helm values could not be collected", outcome.error());
  HelmOutcome failed;
  failed.missing = api::MissingArtifact{api::ArtifactType::helm_values,
                                        api::Reason::helm_failed,
                                        late ? "they were not collected within " +
                                                   std::to_string(action.time_limit.count()) +
                                                   " s: " + outcome.error().message
                                             : outcome.error().message};
  end_helm(action, std::move(failed));
  return {};
}

void Executor::end_helm(const CollectHelm& action, HelmOutcome outcome) {
  m_helm_tries.erase(action.uid);
  m_ports.store.set_helm(action.uid, std::move(outcome));
}

Status Executor::carry_out(const CreateOrder& action, const std::stop_token& stop) {
  const std::string& name = action.order.meta.name;
  auto made = m_ports.client.create(kube::k_node_backups, "", to_json(action.order), stop);
  if (!made && made.error().code == ErrorCode::already_exists) {
    made = m_ports.client.get({kube::k_node_backups, "", name, {}}, stop);
  }
  if (made) {
    m_forbidden_orders.erase(name);
    m_ports.store.answered_order(*made);
    spdlog::info("{}: run {} ordered from node {}",
                 action.order.spec.cluster_backup_name,
                 action.order.spec.run_id,
                 action.order.spec.node_name);
    return {};
  }
  const ErrorCode code = made.error().code;
  const bool again =
      code == ErrorCode::permission_denied && ++m_forbidden_orders[name] < k_attempts;
  if (refused_for_good(code) && !again) {
    m_forbidden_orders.erase(name);
    m_ports.store.set_order_refused(name, made.error().message);
    return {};
  }
  m_ports.store.note_order_trouble(name, made.error().message);
  return std::move(made).error();
}

Status Executor::carry_out(const ReadOrder& action, const std::stop_token& stop) {
  auto order = m_ports.client.get({kube::k_node_backups, "", action.name, {}}, stop);
  if (order) {
    if (!m_ports.store.asked_order(action.name, *order)) {
      return Error{ErrorCode::corrupt, "nodebackup " + action.name + " cannot be read", {}};
    }
    return {};
  }
  if (order.error().code == ErrorCode::not_found) {
    m_ports.store.set_order_gone(action.name);
    return {};
  }
  return std::move(order).error();
}

Status Executor::carry_out(const DeleteOrder& action, const std::stop_token& stop) {
  auto owner = m_ports.client.get(backup_ref(action.owner), stop);
  if (!owner && owner.error().code != ErrorCode::not_found) {
    return std::move(owner).error();
  }
  if (owner && owner->value("/metadata/uid"_json_pointer, "") == action.owner_uid) {
    if (action.owner_is_gone) {
      m_ports.store.answered_backup(*owner); // our view was behind
      return {};
    }
    const auto backup = api::cluster_backup_from_json(*owner);
    if (backup && !backup->finished()) {
      // What has ended never begins again: etcd was restored, and our view is of what was before.
      m_ports.client.runtime().versions->went_back();
      return {};
    }
  }
  RB_TRY(gone_is_fine(
      m_ports.client.remove({kube::k_node_backups, "", action.name, {}}, action.uid, stop)));
  m_ports.store.remove_order(action.name);
  return {};
}

Status Executor::carry_out(const DeletePayload& action, const std::stop_token& stop) {
  RB_TRY(m_ports.payloads.remove(action.run_uid, stop));
  m_ports.store.remove_payload(action.run_uid);
  return {};
}

/// Server-side apply: in a list whose key is the type it writes this one condition.
Status Executor::carry_out(const PatchReplicated& action, const std::stop_token& stop) {
  const nlohmann::json object{
      {"apiVersion", api::k_api_version},
      {"kind", api::k_cluster_backup_kind},
      {"metadata", {{"name", action.name}, {"uid", action.uid}}},
      {"status", {{"conditions", api::to_json(std::vector{action.condition})}}}};
  auto written = m_ports.client.patch(backup_ref(action.name, "status"),
                                      kube::PatchType::apply,
                                      object,
                                      stop,
                                      "railiance-backup-controller-replicated");
  if (!written) {
    const ErrorCode code = written.error().code;
    // Gone, or another one of the same name: the watch will tell.
    return code == ErrorCode::not_found || code == ErrorCode::conflict
               ? Status{}
               : Status(std::move(written).error());
  }
  m_ports.store.answered_backup(*written);
  return {};
}

Status Executor::carry_out(const DeleteBackup& action, const std::stop_token& stop) {
  RB_TRY(gone_is_fine(m_ports.client.remove(backup_ref(action.name), action.uid, stop)));
  m_ports.store.remove_backup(action.uid);
  return {};
}

} // namespace rb::controller
