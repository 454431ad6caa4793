// What becomes of an installation in the cluster: whether k3s has applied the manifests, whether
// controller and agent run, and what keeps them.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "kube/client.hpp"

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace rb::install {

/// One look.
struct Rollout {
  bool applied = false; ///< k3s has applied these manifests.
  bool ready = false;   ///< And everything in them is up.
  std::string line;     ///< How far it is, for a person.
  std::string trouble;  ///< What keeps it, where something does; may go away by itself.
  /// Other nodes that our pods are on, and the image is not. Nothing else is waited for.
  std::vector<std::string> without_image;
};

/// `checksum` is the SHA-256 of the manifest file, in hexadecimal, as k3s notes it. Errors: those
/// of kube::Client.
[[nodiscard]] Result<Rollout> look_at_rollout(kube::Client& client,
                                              std::string_view checksum,
                                              const std::string& this_node,
                                              const std::stop_token& stop);

struct RolloutWait {
  std::chrono::seconds timeout{180};
  std::chrono::milliseconds interval{500};
  std::function<void(const std::string& line)> on_line; ///< Of each new line.
};

/// Until all is up. An API server that goes away for a moment is waited for. Errors: timeout (with
/// what kept it), incomplete (other servers lack the image, and only that is missing), cancelled,
/// those of kube::Client that waiting does not mend.
[[nodiscard]] Status wait_for_rollout(kube::Client& client,
                                      std::string_view checksum,
                                      const std::string& this_node,
                                      const RolloutWait& wait,
                                      const Clock& clock,
                                      Waiter& waiter,
                                      const std::stop_token& stop);

} // namespace rb::install
