#include "controller/helm_step.hpp"

#include "controller/helm_inventory.hpp"
#include "controller/wording.hpp"

#include "age/encrypt.hpp"
#include "helm/payload.hpp"

#include <algorithm>

namespace rb::controller {

namespace {

constexpr std::size_t k_named_in_message = 3;

} // namespace

std::optional<api::MissingArtifact> undecodable_entry(const api::HelmStatus& status) {
  if (status.undecodable_total == 0) {
    return std::nullopt;
  }
  std::string message =
      std::to_string(status.undecodable_total) + " of " +
      count_of(static_cast<std::uint64_t>(status.releases + status.undecodable_total), "release") +
      " could not be decoded:";
  const std::size_t named = std::min(status.undecodable.size(), k_named_in_message);
  for (std::size_t i = 0; i < named; ++i) {
    const api::UndecodableRelease& release = status.undecodable[i];
    message.append(i == 0 ? " " : ", ").append(release.name_space).append("/");
    message.append(release.storage_object).append(" (").append(release.message).append(")");
  }
  if (static_cast<std::int64_t>(named) < status.undecodable_total) {
    message += ", …";
  }
  return api::MissingArtifact{
      api::ArtifactType::helm_values, api::Reason::helm_undecodable, std::move(message)};
}

ApiHelmStep::ApiHelmStep(kube::Client& client,
                         const Clock& clock,
                         PayloadStore& payloads,
                         std::string sops_yaml_path)
    : m_client(client), m_clock(clock), m_payloads(payloads),
      m_sops_yaml_path(std::move(sops_yaml_path)) {}

Result<HelmOutcome> ApiHelmStep::run(const CollectHelm& order, std::stop_token stop) {
  const Recipients recipients = read_recipients(m_sops_yaml_path);
  if (const auto* problem = std::get_if<RecipientsProblem>(&recipients)) {
    return Error{ErrorCode::invalid_argument, problem->message, {}};
  }
  RB_TRY_ASSIGN(HelmInventory inventory, read_helm_releases(m_client, stop));
  RB_TRY_ASSIGN(helm::Payload payload, helm::build_payload(std::move(inventory), m_clock.now()));
  RB_TRY_ASSIGN(
      const Bytes ciphertext,
      age::encrypt_bytes(payload.tar_gz.view(), std::get<std::vector<age::Recipient>>(recipients)));
  HelmOutcome outcome;
  RB_TRY_ASSIGN(outcome.payload,
                m_payloads.write({std::string(api::k_api_version),
                                  std::string(api::k_cluster_backup_kind),
                                  order.backup_name,
                                  order.uid},
                                 ciphertext,
                                 stop));
  outcome.missing = undecodable_entry(payload.status);
  outcome.status = std::move(payload.status);
  return outcome;
}

} // namespace rb::controller
