#include "agent/run/helm_payload.hpp"

#include "api/backup.hpp"
#include "base/digest.hpp"
#include "kube/retry.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

// c2sp.org/age, "Encrypted file format": the first line of the header.
constexpr std::string_view k_age_magic = "age-encryption.org/v1\n";

constexpr std::chrono::milliseconds k_patience = std::chrono::seconds(30);
constexpr std::chrono::milliseconds k_first_pause{500};
constexpr std::chrono::milliseconds k_longest_pause = std::chrono::seconds(5);

Error broken(std::string what) {
  return {ErrorCode::corrupt,
          "Helm payload: " + std::move(what),
          "the ConfigMaps of the run were changed or removed; start the backup again"};
}

Status check(const Bytes& joined, const api::HelmPayload& payload) {
  if (joined.size() != payload.size_bytes) {
    return broken("it has " + std::to_string(joined.size()) + " bytes, the order says " +
                  std::to_string(payload.size_bytes));
  }
  if (to_hex(sha256(joined)) != payload.sha256) {
    return broken("its SHA-256 is not the one that the order says");
  }
  if (!as_text(joined).starts_with(k_age_magic)) {
    return broken("it is not an age file");
  }
  return {};
}

/// `patience` is what is left of it for all pieces.
Result<Bytes> patient_piece(const FetchPiece& fetch_piece,
                            const std::string& name,
                            Waiter& waiter,
                            std::chrono::milliseconds& patience,
                            const std::stop_token& stop) {
  auto pause = k_first_pause;
  while (true) {
    auto piece = fetch_piece(name, stop);
    if (piece || !kube::may_pass(piece.error().code) || patience <= pause ||
        stop.stop_requested()) {
      return piece;
    }
    waiter.wait(pause, stop);
    patience -= pause;
    pause = std::min(pause * 2, k_longest_pause);
  }
}

} // namespace

Result<Bytes> fetch_payload(const FetchPiece& fetch_piece,
                            const api::HelmPayload& payload,
                            Waiter& waiter,
                            const std::stop_token& stop) {
  auto patience = k_patience;
  if (payload.size_bytes > api::k_payload_limit_bytes) {
    return Error{ErrorCode::unsupported,
                 "Helm payload: larger than " + std::to_string(api::k_payload_limit_bytes) +
                     " bytes",
                 {}};
  }
  Bytes joined;
  joined.reserve(payload.size_bytes);
  for (const std::string& name : payload.config_maps) {
    RB_TRY_ASSIGN(const Bytes piece, patient_piece(fetch_piece, name, waiter, patience, stop));
    if (piece.size() > payload.size_bytes - joined.size()) {
      return broken("it has more bytes than the order says");
    }
    joined.insert(joined.end(), piece.begin(), piece.end());
  }
  RB_TRY(check(joined, payload));
  return joined;
}

} // namespace rb::agent
