// Finds the cluster that is meant, and opens a connection to it.
#pragma once

#include "cli/io.hpp"

#include "kube/client_config.hpp"

#include <functional>
#include <string>
#include <vector>

namespace rb::cli {

/// The kubeconfigs that are looked for, in order: $KUBECONFIG's files, or without it
/// ~/.kube/config-hosteurope, /etc/rancher/k3s/k3s.yaml and ~/.kube/config. k3s's own comes before
/// ~/.kube/config: on a server, that server's cluster is meant.
[[nodiscard]] std::vector<std::string> kubeconfig_candidates(const kube::Environment& environment);

/// May this process read that file?
using Readable = std::function<bool(const std::string&)>;

/// The configuration for `choice`, or by the default search, the pod's service account last.
/// Errors: unavailable (there is nothing to connect to; the hint says where was looked), and those
/// of kube::load_kubeconfig.
[[nodiscard]] Result<kube::ClientConfig> choose_cluster(const ClusterChoice& choice,
                                                        const kube::Environment& environment,
                                                        const Readable& readable);

/// choose_cluster with this process's environment and files, connected.
[[nodiscard]] Result<std::unique_ptr<Api>> connect_to_cluster(const ClusterChoice& choice);

} // namespace rb::cli
