// From a snapshot to a scratch server whose API is ready, inside of a cage.
#pragma once

#include "boot/boot.hpp"

namespace rb::boot {

/// `k3s server --cluster-reset …`, to its end. Errors: those of judge_reset and of Cage::run.
[[nodiscard]] Status
reset_scratch(const ScratchServer& server, Cage& cage, const std::stop_token& stop);

/// Starts the server; it goes on. Errors: those of Cage::start.
[[nodiscard]] Status start_scratch(const ScratchServer& server, Cage& cage);

/// Opens the way into the API as soon as there is a kubeconfig, and waits for /readyz.
/// Errors: unavailable (the server ended; with its last words), timeout, cancelled.
[[nodiscard]] Status wait_ready(const BootInput& input,
                                const ScratchServer& server,
                                const BootPorts& ports,
                                objects::ApiPort& api,
                                const std::stop_token& stop);

} // namespace rb::boot
