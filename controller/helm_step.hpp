// The Helm step of a run: releases -> tar.gz -> age -> ConfigMaps.
#pragma once

#include "controller/payload_store.hpp"
#include "controller/plan.hpp"
#include "controller/recipients.hpp"

#include "helm/limits.hpp"

#include <stop_token>
#include <string>

namespace rb::controller {

/// The port that the executor calls.
class HelmStep {
public:
  HelmStep() = default;
  virtual ~HelmStep() = default;
  HelmStep(const HelmStep&) = delete;
  HelmStep& operator=(const HelmStep&) = delete;
  HelmStep(HelmStep&&) = delete;
  HelmStep& operator=(HelmStep&&) = delete;

  /// Undecodable releases are kept as they were stored and counted in `outcome.status`; the step
  /// has succeeded. Errors: anything that kept the artifact from being made; the caller decides
  /// whether to try again.
  [[nodiscard]] virtual Result<HelmOutcome> run(const CollectHelm& order, std::stop_token stop) = 0;
};

/// The plaintext is in memory only, in buffers that are wiped.
class ApiHelmStep final : public HelmStep {
public:
  ApiHelmStep(kube::Client& client,
              const Clock& clock,
              PayloadStore& payloads,
              std::string sops_yaml_path,
              helm::Budget budget = {});

  [[nodiscard]] Result<HelmOutcome> run(const CollectHelm& order, std::stop_token stop) override;

private:
  kube::Client& m_client;
  const Clock& m_clock;
  PayloadStore& m_payloads;
  std::string m_sops_yaml_path;
  helm::Budget m_budget;
};

} // namespace rb::controller
