#include "controller/helm_step.hpp"

#include "controller/helm_releases.hpp"

#include "age/file.hpp"
#include "age/sops_yaml.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "helm/artifact.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>

namespace rb::controller {

namespace {

constexpr const char* k_run_label = "backup.railiance.io/run-uid";

RecipientsProblem problem(const Error& error, const std::string& path) {
  const auto reason = error.code == ErrorCode::not_found ? api::Reason::recipient_missing
                                                         : api::Reason::recipient_invalid;
  std::string message = error.message;
  if (message.find(path) != 0) {
    message = path + ": " + message;
  }
  if (!error.hint.empty()) {
    message += "; " + error.hint;
  }
  return {reason, std::move(message)};
}

} // namespace

Recipients read_recipients(const std::string& sops_yaml_path) {
  auto text = read_text_file(sops_yaml_path, age::k_sops_yaml_limit_bytes);
  if (!text) {
    Error error = std::move(text).error();
    if (error.code == ErrorCode::not_found) {
      error.hint = "put your .sops.yaml into the ConfigMap railiance-backup-sops";
    }
    return problem(error, sops_yaml_path);
  }
  auto recipients = age::recipients_from_sops_yaml(*text);
  if (!recipients) {
    return problem(recipients.error(), sops_yaml_path);
  }
  return *std::move(recipients);
}

std::optional<std::size_t> memory_limit(const std::string& cgroup_root) {
  for (const char* file : {"/memory.max", "/memory/memory.limit_in_bytes"}) {
    std::ifstream stream(cgroup_root + file);
    std::string text;
    stream >> text;
    const auto bytes = whole_number<std::size_t>(text);
    // "max", and the number near 2^63 with which version 1 says the same.
    if (bytes && *bytes < (std::size_t{1} << 60U)) {
      return bytes;
    }
  }
  return std::nullopt;
}

helm::Budget inventory_budget(std::optional<std::size_t> limit) {
  return {
      std::min(helm::Budget{}.bytes, limit.value_or(k_default_memory_bytes) / k_inventory_share)};
}

std::size_t payload_pieces(std::size_t ciphertext_bytes) {
  return (ciphertext_bytes + k_payload_piece_bytes - 1) / k_payload_piece_bytes;
}

nlohmann::json payload_config_map(const std::string& name_space,
                                  const api::OwnerReference& owner,
                                  std::size_t number,
                                  ByteView ciphertext) {
  const ByteView rest = ciphertext.subspan(number * k_payload_piece_bytes);
  api::ObjectMeta meta;
  meta.name = std::string(api::k_payload_name_prefix) + owner.uid + "-" + std::to_string(number);
  meta.name_space = name_space;
  meta.labels = {{"app.kubernetes.io/name", "railiance-backup"},
                 {"app.kubernetes.io/managed-by", "railiance-backup-controller"},
                 {k_run_label, owner.uid}};
  meta.controller_owner = owner;
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", to_json(meta)},
          {"immutable", true},
          {"binaryData",
           {{"payload", to_base64(rest.first(std::min(rest.size(), k_payload_piece_bytes)))}}}};
}

PayloadStore::PayloadStore(kube::Client& client, std::string name_space)
    : m_client(client), m_name_space(std::move(name_space)) {}

Result<api::HelmPayload>
PayloadStore::write(const api::OwnerReference& owner, ByteView ciphertext, std::stop_token stop) {
  if (ciphertext.size() > api::k_payload_limit_bytes) {
    return Error{ErrorCode::unsupported,
                 "helm payload: " + std::to_string(ciphertext.size()) + " bytes are too many",
                 {}};
  }
  RB_TRY(remove(owner.uid, stop));
  api::HelmPayload payload;
  payload.size_bytes = ciphertext.size();
  payload.sha256 = to_hex(sha256(ciphertext));
  // One at a time: all of them would take a third more than the payload once more.
  for (std::size_t number = 0; number < payload_pieces(ciphertext.size()); ++number) {
    const nlohmann::json object = payload_config_map(m_name_space, owner, number, ciphertext);
    auto made = m_client.create(kube::k_config_maps, m_name_space, object, stop);
    // A POST whose answer was lost is sent again by the library: our own object is there then. It
    // is told from a stranger's by the digest in the order, which the agent checks.
    if (!made && made.error().code != ErrorCode::already_exists) {
      return std::move(made).error();
    }
    payload.config_maps.push_back(object.at("metadata").at("name").get<std::string>());
  }
  return payload;
}

Status PayloadStore::remove(const std::string& run_uid, std::stop_token stop) {
  kube::ListOptions options;
  options.label_selector = std::string(k_run_label) + "=" + run_uid;
  options.metadata_only = true;
  RB_TRY_ASSIGN(const nlohmann::json items,
                m_client.list_all(kube::k_config_maps, m_name_space, options, stop));
  for (const nlohmann::json& item : items) {
    RB_TRY_ASSIGN(const api::ObjectMeta meta, api::meta_from_json(item));
    Status removed =
        m_client.remove({kube::k_config_maps, m_name_space, meta.name, {}}, meta.uid, stop);
    if (!removed && removed.error().code != ErrorCode::not_found) {
      return removed;
    }
  }
  return {};
}

Result<std::set<std::string>> PayloadStore::list_runs(std::stop_token stop) {
  kube::ListOptions options;
  options.label_selector = k_run_label;
  options.metadata_only = true;
  RB_TRY_ASSIGN(const nlohmann::json items,
                m_client.list_all(kube::k_config_maps, m_name_space, options, stop));
  std::set<std::string> runs;
  for (const nlohmann::json& item : items) {
    RB_TRY_ASSIGN(const api::ObjectMeta meta, api::meta_from_json(item));
    const auto label = meta.labels.find(k_run_label);
    if (label != meta.labels.end()) {
      runs.insert(label->second);
    }
  }
  return runs;
}

ApiHelmStep::ApiHelmStep(kube::Client& client,
                         const Clock& clock,
                         PayloadStore& payloads,
                         std::string sops_yaml_path,
                         helm::Budget budget)
    : m_client(client), m_clock(clock), m_payloads(payloads),
      m_sops_yaml_path(std::move(sops_yaml_path)), m_budget(budget) {}

Result<HelmOutcome> ApiHelmStep::run(const CollectHelm& order, std::stop_token stop) {
  const Recipients recipients = read_recipients(m_sops_yaml_path);
  if (const auto* problem = std::get_if<RecipientsProblem>(&recipients)) {
    return Error{ErrorCode::invalid_argument, problem->message, {}};
  }
  RB_TRY_ASSIGN(HelmInventory inventory, read_helm_releases(m_client, stop, m_budget));
  RB_TRY_ASSIGN(helm::Payload payload, helm::build_payload(std::move(inventory), m_clock.now()));
  RB_TRY_ASSIGN(
      const Bytes ciphertext,
      age::encrypt_bytes(payload.tar_gz.view(), std::get<std::vector<age::Recipient>>(recipients)));
  payload.tar_gz = {};
  HelmOutcome outcome;
  RB_TRY_ASSIGN(outcome.payload,
                m_payloads.write({std::string(api::k_api_version),
                                  std::string(api::k_cluster_backup_kind),
                                  order.backup_name,
                                  order.uid},
                                 ciphertext,
                                 stop));
  outcome.payload->recipients_sha256 =
      age::recipients_sha256(std::get<std::vector<age::Recipient>>(recipients));
  outcome.status = std::move(payload.status);
  return outcome;
}

} // namespace rb::controller
