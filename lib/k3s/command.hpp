// The program k3s, called: what every call has, its version, and `k3s kubectl` until the API of a
// server answers.
#pragma once

#include "base/clock.hpp"
#include "base/process.hpp"
#include "base/sleeper.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

/// Nothing is inherited: no K3S_*, proxy or cloud variable of the caller may reach k3s.
[[nodiscard]] std::map<std::string, std::string> clean_environment();

/// "v1.34.4+k3s1" of "k3s version v1.34.4+k3s1 (abcdef)"; empty where it is not that.
[[nodiscard]] std::string version_in(std::string_view output);

/// What `k3s --version` says; empty when it cannot be had.
[[nodiscard]] std::string
ask_version(ProcessRunner& processes, const std::string& program, std::stop_token stop = {});

struct Kubectl {
  std::string program;    ///< k3s, absolute path.
  std::string kubeconfig; ///< Absolute path of the admin kubeconfig; read anew by each call.
  std::map<std::string, std::string> environment = {}; ///< All of it; empty: clean_environment().
};

/// `k3s kubectl --kubeconfig=… ARGUMENTS`.
[[nodiscard]] ProcessSpec kubectl_spec(const Kubectl& kubectl,
                                       std::vector<std::string> arguments,
                                       std::chrono::seconds timeout = std::chrono::seconds(15));

struct ReadyWait {
  std::chrono::seconds timeout{300};
  std::chrono::milliseconds interval{500};
  /// Asked between two tries; its error ends the wait (a server that has ended). May be empty.
  std::function<Status()> alive = {};
};

/// Until /readyz says ok, through the kubeconfig as it is at that moment: a server that starts
/// writes it anew. Returns how long it took. Errors: timeout (with what kubectl said last),
/// cancelled, that of `alive`, those of ProcessRunner::run.
[[nodiscard]] Result<std::chrono::milliseconds> wait_until_ready(ProcessRunner& processes,
                                                                 const Clock& clock,
                                                                 Sleeper& sleeper,
                                                                 const Kubectl& kubectl,
                                                                 const ReadyWait& wait,
                                                                 std::stop_token stop);

} // namespace rb::k3s
