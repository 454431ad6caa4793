// Proving a snapshot by booting a server from it: the port of a run, and what its answers mean.
#pragma once

#include "agent/host/settings.hpp"
#include "set/manifest.hpp"

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/port.hpp"

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

namespace rb::agent {

struct ProofRequest {
  std::string snapshot_path;         ///< Plaintext, absolute; it is only read.
  const set::SnapshotRecord& record; ///< What was found in it.
  ByteView host_state;               ///< The tar.gz of this host: token and settings.
  std::chrono::seconds timeout{300}; ///< For the reset, and again for the API to get ready.
};

class Prover : public Port {
public:
  /// Boots a scratch server and compares; leaves nothing behind. The reason of the record is
  /// completed, proof_failed (a server was tried) or proof_unavailable (none could be). `stop` ends
  /// it early, and the answer is then of no use.
  [[nodiscard]] virtual set::ProofRecord prove(const ProofRequest& request,
                                               const std::stop_token& stop) = 0;

  /// Removes what an agent that was killed in a proof left on the disk.
  virtual void sweep() = 0;
};

/// The prover in earnest: hostagent/restore/proof, on this host. It is part of rb_agent.
[[nodiscard]] std::unique_ptr<Prover> make_boot_prover(const Settings& settings);

/// The record of a proof that is not there.
[[nodiscard]] set::ProofRecord not_proven(api::Reason reason, std::string message);

/// What an error of a boot says of the snapshot: that this host can try no server (rights, room,
/// program, a kind of cluster that is not supported), or that the one that was tried did not serve
/// what the snapshot holds.
[[nodiscard]] set::ProofRecord not_proven(const Error& error);

/// How long a proof may take.
struct ProofTimes {
  std::chrono::seconds step{0};  ///< For the reset, and again for the API to get ready.
  std::chrono::seconds whole{0}; ///< For all of it; 0: there is no time for a proof.
  bool cut_short = false;        ///< The deadline leaves less than the steps may take.
};

/// The record of a proof that was ended because its time was over. What the deadline of the run cut
/// short says nothing of the set, which a restore would pass over else.
[[nodiscard]] set::ProofRecord not_done_in_time(const ProofTimes& times);

/// `configured` for each step (reset, start, comparison), within the time that is left before the
/// run's deadline; of that, a part is kept for storing the rest. A deadline of 0 seconds since 1970
/// is none.
[[nodiscard]] ProofTimes
proof_times(std::chrono::seconds configured, SystemTime now, SystemTime deadline);

} // namespace rb::agent
