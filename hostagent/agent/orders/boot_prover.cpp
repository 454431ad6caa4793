// The prover in earnest: a scratch server of hostagent/restore/proof, on this host.
#include "agent/run/prover.hpp"
#include "restore/proof/memory.hpp"
#include "restore/proof/prove_set.hpp"
#include "restore/proof/scratch_dir.hpp"
#include "set/host_state.hpp"
#include "terminal/log.hpp"

#include "base/open_beneath.hpp"

namespace rb::agent {

namespace {

set::ProofRecord unavailable(std::string message) {
  return not_proven(api::Reason::proof_unavailable, std::move(message));
}

/// Before anything is started, so that want of memory is never taken for a bad snapshot.
std::optional<set::ProofRecord> lacks_memory() {
  const std::uint64_t usable = proof::usable_memory_bytes();
  if (usable == 0 || usable >= proof::k_memory_needed_bytes) {
    return std::nullopt;
  }
  return unavailable("too little memory for a scratch server: " + std::to_string(usable >> 20U) +
                     " MiB available on this host or below the agent's limit, " +
                     std::to_string(proof::k_memory_needed_bytes >> 20U) + " needed");
}

set::ProofRecord record_of(const proof::BootReport& report) {
  set::ProofRecord record;
  record.reason = api::Reason::completed;
  record.objects = report.comparison.objects;
  record.kinds = report.comparison.kinds.size();
  record.milliseconds = static_cast<std::uint64_t>(report.total.count());
  record.peak_memory_bytes = report.peak_memory_bytes;
  return record;
}

class BootProver final : public Prover {
public:
  explicit BootProver(const Settings& settings)
      : m_k3s(settings.k3s_program),
        m_scratch_parent(settings.scratch_dir.empty() ? settings.data_dir : settings.scratch_dir),
        m_places(settings.key_dir + "/scratch-places") {}

  [[nodiscard]] set::ProofRecord prove(const ProofRequest& request,
                                       const std::stop_token& stop) override;
  void sweep() override {
    proof::sweep_scratch_dirs(m_scratch_parent);
    m_places.sweep();
  }

private:
  std::string m_k3s;
  std::string m_scratch_parent;
  proof::ScratchPlaces m_places;
};

set::ProofRecord BootProver::prove(const ProofRequest& request, const std::stop_token& stop) {
  const auto state = set::parse_host_state(request.host_state);
  if (!state) {
    return unavailable(state.error().message);
  }
  const auto k3s = proof::find_k3s(m_k3s, {});
  if (!k3s) {
    return unavailable(k3s.error().message);
  }
  if (const Status trusted = check_root_owned(*k3s); !trusted) {
    return unavailable(trusted.error().message + "; " + trusted.error().hint);
  }
  if (auto lack = lacks_memory()) {
    return *lack;
  }
  auto scratch = proof::ScratchDir::make(
      m_scratch_parent, proof::scratch_bytes_for(request.record.size_bytes), m_places);
  if (!scratch) {
    return unavailable(scratch.error().message);
  }
  const auto progress = [](const std::string& line) { spdlog::info("{}", line); };
  auto input = proof::boot_input(*state, *scratch, *k3s, request.timeout, progress);
  if (!input) {
    return unavailable(input.error().message);
  }
  input->snapshot_path = request.snapshot_path;
  input->revision = request.record.revision;
  input->objects = request.record.objects;
  const auto report = proof::boot_here(*input, *scratch, progress, stop);
  if (!report) {
    return not_proven(report.error());
  }
  return record_of(*report);
}

} // namespace

std::unique_ptr<Prover> make_boot_prover(const Settings& settings) {
  return std::make_unique<BootProver>(settings);
}

} // namespace rb::agent
