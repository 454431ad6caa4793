// The prover in earnest: hostagent/boot, on this host.
#pragma once

#include "agent/prover.hpp"
#include "agent/settings.hpp"
#include "restore/proof/scratch_dir.hpp"

namespace rb::agent {

class BootProver final : public Prover {
public:
  explicit BootProver(const Settings& settings);

  [[nodiscard]] std::variant<set::ProofRecord, NotProven>
  prove(const ProofRequest& request, const std::stop_token& stop) override;
  void sweep() override;

private:
  std::string m_k3s;
  std::string m_scratch_parent;
  proof::ScratchPlaces m_places;
};

} // namespace rb::agent
