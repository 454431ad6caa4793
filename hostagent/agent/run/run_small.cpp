// The three small artifacts: each is gathered in memory, encrypted there, and written once.
#include "agent/host/host_artifacts.hpp"
#include "agent/run/run_state.hpp"
#include "k3s/command.hpp"
#include "terminal/log.hpp"

#include "age/file.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

using api::ArtifactType;

Status store_ciphertext(BackupRun& run, ArtifactType type, ByteView ciphertext) {
  RB_TRY_ASSIGN(
      auto writer,
      set::ArtifactWriter::create(*run.directory, api::file_name(type, run.order.run_id)));
  RB_TRY(writer.write(ciphertext));
  const auto file = writer.commit(run.control.token());
  if (!file) {
    return run.stopped_or(step::k_storing_artifacts, file.error());
  }
  run.add_stored(type, *file);
  return {};
}

Status store_plaintext(BackupRun& run, ArtifactType type, ByteView plaintext) {
  const auto ciphertext = age::encrypt_bytes(plaintext, run.recipients);
  if (!ciphertext) {
    return Error(ciphertext.error()).because(api::Reason::internal_error);
  }
  return store_ciphertext(run, type, *ciphertext);
}

Status store_kubeconfig(BackupRun& run) {
  std::vector<std::string> candidates = run.settings.kubeconfig_sources;
  const std::string of_k3s = run.settings.config_dir + "/k3s/k3s.yaml";
  if (std::ranges::find(candidates, of_k3s) == candidates.end()) {
    candidates.push_back(of_k3s);
  }
  const auto found = find_kubeconfig(candidates);
  if (!found) {
    run.add_missing(ArtifactType::kubeconfig,
                    Error(found.error()).because(api::Reason::kubeconfig_missing));
    return {};
  }
  return store_plaintext(run, ArtifactType::kubeconfig, found->content.view());
}

/// The token must open the snapshot beside it: k3s keeps its keys below /bootstrap/<token hash>.
Status check_token(const BackupRun& run, const std::string& hash) {
  if (!run.manifest.snapshot || run.manifest.snapshot->bootstrap_hashes.empty()) {
    return {};
  }
  const auto& hashes = run.manifest.snapshot->bootstrap_hashes;
  if (std::ranges::find(hashes, hash) != hashes.end()) {
    return {};
  }
  return Error{ErrorCode::conflict,
               run.settings.data_dir +
                   "/server/token: it does not belong to this snapshot (no "
                   "key /bootstrap/" +
                   hash + " in it)",
               "was the token rotated? restart k3s, then start the backup again"}
      .because(api::Reason::host_state_missing);
}

/// Into the log of the agent; all of it is in host.json of the artifact.
void tell_left_out(const HostState& state) {
  constexpr std::size_t k_most = 5;
  for (std::size_t i = 0; i < std::min(state.skipped_in_all, k_most); ++i) {
    log::warn("host state: left out /" + state.skipped[i].path,
              {ErrorCode::unsupported, state.skipped[i].why, {}});
  }
  if (state.skipped_in_all > k_most) {
    log::warn("host state",
              {ErrorCode::unsupported,
               std::to_string(state.skipped_in_all - k_most) + " more were left out",
               "host.json in the host state names them"});
  }
}

Status store_host_state(BackupRun& run) {
  const auto state = collect_host_state(
      run.settings, {run.order.run_id, run.manifest.k3s_version, run.ports.clock.now(), run.node});
  if (!state) {
    const bool ours = state.error().code == ErrorCode::internal;
    run.add_missing(
        ArtifactType::host_state,
        Error(state.error())
            .because(ours ? api::Reason::internal_error : api::Reason::host_state_missing));
    return {};
  }
  tell_left_out(*state);
  run.manifest.token_hash = state->token_hash;
  run.manifest.cluster_ca = state->cluster_ca;
  if (const Status opens = check_token(run, state->token_hash); !opens) {
    run.add_missing(ArtifactType::host_state, opens.error());
  }
  return store_plaintext(run, ArtifactType::host_state, state->tar_gz.view());
}

Status store_helm(BackupRun& run) {
  if (run.helm_ciphertext.empty()) {
    run.add_missing(ArtifactType::helm_values,
                    Error{ErrorCode::not_found, "the controller sent no Helm values", {}}.because(
                        api::Reason::helm_failed));
    return {};
  }
  run.manifest.helm = run.order.helm;
  return store_ciphertext(run, ArtifactType::helm_values, run.helm_ciphertext);
}

/// A manifest names one list of recipients for all of its files. Controller and agent see a new
/// .sops.yaml at different moments: for a minute or two one of them may still have the old one.
Status check_recipients(const BackupRun& run) {
  const std::string& named = run.order.helm_payload->recipients_sha256;
  if (named.empty() || named == age::recipients_sha256(run.recipients)) {
    return {};
  }
  return Error{ErrorCode::conflict,
               "Helm payload: the controller encrypted it to other recipients than .sops.yaml "
               "names on this node",
               "a new .sops.yaml reaches controller and agents one after the other: start the "
               "backup again in two minutes"};
}

} // namespace

void BackupRun::fetch_helm() {
  if (!order.wants(ArtifactType::helm_values) || !order.helm_payload) {
    return;
  }
  if (const Status same = check_recipients(*this); !same) {
    add_missing(ArtifactType::helm_values, Error(same.error()).because(api::Reason::helm_failed));
    return;
  }
  auto payload =
      fetch_payload(ports.fetch_piece, *order.helm_payload, ports.waiter, control.token());
  if (!payload) {
    add_missing(ArtifactType::helm_values,
                std::move(payload).error().because(api::Reason::helm_failed));
    return;
  }
  helm_ciphertext = std::move(*payload);
}

Status BackupRun::store_small_artifacts() {
  enter(step::k_storing_artifacts);
  // The program on the disk may be a newer one, with which the server was not started yet: packages
  // of distributions exchange it, and start nothing.
  manifest.k3s_version =
      server_version.empty()
          ? k3s::ask_version(ports.processes, k3s.command.program, control.token())
          : server_version;
  struct Row {
    ArtifactType type;
    Status (*store)(BackupRun&);
  };
  for (const Row& row : {Row{ArtifactType::kubeconfig, store_kubeconfig},
                         Row{ArtifactType::host_state, store_host_state},
                         Row{ArtifactType::helm_values, store_helm}}) {
    if (order.wants(row.type)) {
      RB_TRY(row.store(*this));
      RB_TRY(check_stop(control, step::k_storing_artifacts));
    }
  }
  return {};
}

} // namespace rb::agent
