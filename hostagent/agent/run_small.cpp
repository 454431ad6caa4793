// The three small artifacts: each is gathered in memory, encrypted there, and written once.
#include "agent/host_state.hpp"
#include "agent/kubeconfig_source.hpp"
#include "agent/run_state.hpp"
#include "k3s/command.hpp"

#include "age/file.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

using api::ArtifactType;

StepFailure store_ciphertext(RunState& run, ArtifactType type, ByteView ciphertext) {
  auto writer = set::ArtifactWriter::create(*run.directory, api::file_name(type, run.order.run_id));
  if (!writer) {
    return storage_failure(writer.error());
  }
  if (const Status written = writer->write(ciphertext); !written) {
    return storage_failure(written.error());
  }
  const auto file = writer->commit(run.control.token());
  if (!file) {
    if (auto stopped = run.stopped(step::k_storing_artifacts)) {
      return stopped;
    }
    return storage_failure(file.error());
  }
  run.add_stored(type, *file);
  return std::nullopt;
}

StepFailure store_plaintext(RunState& run, ArtifactType type, ByteView plaintext) {
  const auto ciphertext = age::encrypt_bytes(plaintext, run.recipients);
  if (!ciphertext) {
    return failure_as(api::Reason::internal_error, ciphertext.error());
  }
  return store_ciphertext(run, type, *ciphertext);
}

StepFailure store_kubeconfig(RunState& run) {
  std::vector<std::string> candidates = run.settings.kubeconfig_sources;
  const std::string of_k3s = run.settings.config_dir + "/k3s/k3s.yaml";
  if (std::find(candidates.begin(), candidates.end(), of_k3s) == candidates.end()) {
    candidates.push_back(of_k3s);
  }
  auto found = find_kubeconfig(candidates);
  if (const auto* failure = std::get_if<Failure>(&found)) {
    run.add_missing(ArtifactType::kubeconfig, *failure);
    return std::nullopt;
  }
  return store_plaintext(run, ArtifactType::kubeconfig, std::get<Kubeconfig>(found).content.view());
}

/// The token must open the snapshot beside it: k3s keeps its keys below /bootstrap/<token hash>.
StepFailure check_token(const RunState& run, const std::string& hash) {
  if (!run.manifest.snapshot || run.manifest.snapshot->bootstrap_hashes.empty()) {
    return std::nullopt;
  }
  const auto& hashes = run.manifest.snapshot->bootstrap_hashes;
  if (std::find(hashes.begin(), hashes.end(), hash) != hashes.end()) {
    return std::nullopt;
  }
  return Failure{api::Reason::host_state_missing,
                 run.settings.data_dir +
                     "/server/token: it does not belong to this snapshot (no "
                     "key /bootstrap/" +
                     hash + " in it)",
                 "was the token rotated? restart k3s, then start the backup again"};
}

StepFailure store_host_state(RunState& run) {
  auto collected = collect_host_state(
      run.settings, {run.order.run_id, run.manifest.k3s_version, run.ports.clock.now(), run.node});
  if (const auto* failure = std::get_if<Failure>(&collected)) {
    run.add_missing(ArtifactType::host_state, *failure);
    return std::nullopt;
  }
  const auto& state = std::get<HostState>(collected);
  run.manifest.token_hash = state.token_hash;
  run.manifest.cluster_ca = state.cluster_ca;
  if (auto wrong = check_token(run, state.token_hash)) {
    run.add_missing(ArtifactType::host_state, *wrong);
  }
  return store_plaintext(run, ArtifactType::host_state, state.tar_gz.view());
}

StepFailure store_helm(RunState& run) {
  if (run.helm_ciphertext.empty()) {
    run.add_missing(ArtifactType::helm_values,
                    {api::Reason::helm_failed, "the controller sent no Helm values", {}});
    return std::nullopt;
  }
  run.manifest.helm = run.order.helm;
  return store_ciphertext(run, ArtifactType::helm_values, run.helm_ciphertext);
}

} // namespace

void fetch_helm(RunState& run) {
  if (!run.order.wants(ArtifactType::helm_values) || !run.order.helm_payload) {
    return;
  }
  auto payload = fetch_payload(
      run.ports.payloads, *run.order.helm_payload, run.ports.wait, run.control.token());
  if (!payload) {
    run.add_missing(ArtifactType::helm_values,
                    failure_as(api::Reason::helm_failed, payload.error()));
    return;
  }
  run.helm_ciphertext = std::move(*payload);
}

StepFailure store_small_artifacts(RunState& run) {
  run.enter(step::k_storing_artifacts);
  run.manifest.k3s_version =
      k3s::ask_version(run.ports.processes, run.k3s.command.program, run.control.token());
  struct Row {
    ArtifactType type;
    StepFailure (*store)(RunState&);
  };
  for (const Row& row : {Row{ArtifactType::kubeconfig, store_kubeconfig},
                         Row{ArtifactType::host_state, store_host_state},
                         Row{ArtifactType::helm_values, store_helm}}) {
    if (!run.order.wants(row.type)) {
      continue;
    }
    if (auto failure = row.store(run)) {
      return failure;
    }
    if (auto failure = run.stopped(step::k_storing_artifacts)) {
      return failure;
    }
  }
  return std::nullopt;
}

} // namespace rb::agent
