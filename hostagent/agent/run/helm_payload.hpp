// The encrypted Helm artifact on its way from the controller: pieces in ConfigMaps.
#pragma once

#include "agent/run/run_control.hpp"

#include "api/backup.hpp"
#include "base/bytes.hpp"

#include <functional>
#include <stop_token>
#include <string>

namespace rb::agent {

/// The bytes of one piece. Errors: those of the API, corrupt.
using FetchPiece =
    std::function<Result<Bytes>(const std::string& config_map, std::stop_token stop)>;

/// Joins the pieces in order. While the API server is away or does not know us (a restart, a new
/// certificate, a token that is renewed), a piece is asked for again for half a minute. Errors:
/// corrupt (size or digest is not what the order says, or it is not an age file), unsupported
/// (larger than api::k_payload_limit_bytes), those of `fetch_piece`.
[[nodiscard]] Result<Bytes> fetch_payload(const FetchPiece& fetch_piece,
                                          const api::HelmPayload& payload,
                                          Waiter& waiter,
                                          const std::stop_token& stop);

} // namespace rb::agent
