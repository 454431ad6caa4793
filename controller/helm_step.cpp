#include "controller/helm_step.hpp"

#include "controller/helm_inventory.hpp"

#include "age/file.hpp"
#include "helm/artifact.hpp"

namespace rb::controller {

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
  outcome.status = std::move(payload.status);
  return outcome;
}

} // namespace rb::controller
