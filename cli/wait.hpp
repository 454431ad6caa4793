// Follows one ClusterBackup until its run has ended, over lost connections and API restarts.
#pragma once

#include "cli/io.hpp"
#include "cli/progress.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace rb::cli {

struct WaitOptions {
  std::string name;
  std::string uid;
  std::chrono::milliseconds timeout{};
  std::chrono::milliseconds tick{std::chrono::seconds(1)}; ///< How often the view is renewed.
  /// How long the API server may be away before we give up.
  std::chrono::milliseconds patience{std::chrono::minutes(5)};
  /// How long no controller may have said anything about the object.
  std::chrono::milliseconds silence{std::chrono::minutes(5)};
  /// Then it is said that no controller takes it up, and again at times.
  std::chrono::milliseconds quiet{std::chrono::seconds(10)};
  std::function<std::string()> why_quiet; ///< Why that may be, or "". May be absent.
  /// The same as `patience` for 401 and 403, which a server that has just started may give to
  /// anybody.
  std::chrono::milliseconds refusal_patience{std::chrono::seconds(15)};
};

/// The object as it is when the run has ended. Errors: cancelled (io.stop; the run goes on, where
/// there is one), timeout (the same), unavailable (out of patience, or no controller), not_found
/// (deleted meanwhile), permission_denied, unauthenticated, corrupt.
[[nodiscard]] Result<nlohmann::json>
wait_for_end(kube::Client& client, const WaitOptions& options, ProgressView& view, const Io& io);

} // namespace rb::cli
