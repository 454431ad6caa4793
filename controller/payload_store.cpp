#include "controller/payload_store.hpp"

#include "base/digest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::controller {

namespace {

constexpr const char* k_run_label = "backup.railiance.io/run-uid";

} // namespace

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

} // namespace rb::controller
