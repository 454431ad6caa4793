// From a snapshot to a scratch server whose API is ready, inside of a cage.
#pragma once

#include "restore/proof/boot.hpp"

namespace rb::proof {

/// `k3s server --cluster-reset …`, to its end. The kubeconfig that it leaves is removed: it trusts
/// a CA made for the occasion, and the start brings the snapshot's. Errors: those of judge_reset
/// and of Cage::run.
[[nodiscard]] Status
reset_scratch(const ScratchServer& server, Cage& cage, const std::stop_token& stop);

/// Starts the server; it goes on. Errors: those of Cage::start.
[[nodiscard]] Status start_scratch(const ScratchServer& server, Cage& cage);

/// Waits for /readyz. Errors: unavailable (the server ended), timeout, both with what `k3s kubectl`
/// said last and the server's last words; cancelled.
[[nodiscard]] Status wait_ready(const BootInput& input,
                                const ScratchServer& server,
                                const BootPorts& ports,
                                const std::stop_token& stop);

/// Opens the way into the API of a server that is ready. Errors: unavailable, with the proxy's own
/// words; cancelled, those of Cage::start.
[[nodiscard]] Result<std::unique_ptr<objects::ApiPort>>
open_api(const ScratchServer& server, const BootPorts& ports, const std::stop_token& stop);

} // namespace rb::proof
