// What goes blind in a restored cluster: programs in pods that watch the API. The versions have
// gone back, and a watch from before the restore gets no event and no error. Ours notices by
// itself.
#pragma once

#include "k3s/command.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::cluster {

struct Workload {
  std::string kind; ///< "Deployment", "DaemonSet", "StatefulSet".
  std::string name_space;
  std::string name;

  bool operator==(const Workload&) const = default;
};

/// "deployment/coredns -n kube-system": what kubectl is given.
[[nodiscard]] std::string to_string(const Workload& workload);

/// Of the lines "KIND NAMESPACE NAME SERVICEACCOUNT" those that have an account of their own, which
/// is what a program needs to read the API, and that are not railiance-backup's. A line that is
/// none is left out. Those of kube-system come first, then namespaces with few of them. Pure.
[[nodiscard]] std::vector<Workload> workloads_that_watch(std::string_view lines);

/// What is to be said of them at the end of a restore, one line each, bounded; `left` are those
/// that a restart was asked for and did not reach.
[[nodiscard]] std::vector<std::string> words_for(const std::vector<Workload>& workloads,
                                                 bool restarted,
                                                 const std::vector<Workload>& left);

/// Asks the API. Errors: those of ProcessRunner::run; io (kubectl failed).
[[nodiscard]] Result<std::vector<Workload>> find_workloads_that_watch(ProcessRunner& processes,
                                                                      const k3s::Kubectl& kubectl,
                                                                      std::stop_token stop);

/// `kubectl rollout restart`, one after another, within `limit` for all of them. Returns those that
/// were not restarted.
[[nodiscard]] std::vector<Workload> restart_workloads(ProcessRunner& processes,
                                                      const Clock& clock,
                                                      const k3s::Kubectl& kubectl,
                                                      const std::vector<Workload>& workloads,
                                                      std::chrono::seconds limit,
                                                      std::stop_token stop);

} // namespace rb::cluster
