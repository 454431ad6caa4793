#include "recover/transient.hpp"

#include "api/payload_name.hpp"

#include <algorithm>
#include <array>

namespace rb::recover {

namespace {

constexpr std::array<std::string_view, 31> k_restless{
    "events",
    "leases",
    "leasecandidates",
    "pods",
    "replicasets",
    "controllerrevisions",
    "services/endpoints",
    "endpointslices",
    "jobs",
    "minions",
    "csinodes",
    "csistoragecapacities",
    "volumeattachments",
    "resourceclaims",
    "resourceslices",
    "certificatesigningrequests",
    "masterleases",
    "peerserverleases",
    "health",
    "ranges",
    "ipaddresses",
    "servicecidrs",
    "storageversions",
    // Those that are suggested are made and removed by the release that runs.
    "flowschemas",
    "prioritylevelconfigurations",
    "apiregistration.k8s.io/apiservices",
    "k3s.cattle.io/etcdsnapshotfiles",
    "k3s.cattle.io/addons",
    // Orders go with their run; of requests that have ended only the newest are kept.
    "backup.railiance.io/nodebackups",
    "backup.railiance.io/clusterbackups",
    "(other)"};

struct TransientObjects {
  std::string_view kind;
  std::string_view name_space; ///< Empty: in any.
  std::string_view name_prefix;
};

constexpr std::array<TransientObjects, 2> k_transient{{
    // The run that a snapshot was taken in is unfinished in it; the controller that comes up again
    // settles it, and removes its payload.
    {"configmaps", "", api::k_payload_name_prefix},
    // What `k3s token create` made: removed when it has expired.
    {"secrets", "kube-system", "bootstrap-token-"},
}};

} // namespace

bool is_restless_kind(std::string_view kind) {
  return std::find(k_restless.begin(), k_restless.end(), kind) != k_restless.end();
}

bool is_transient_object(std::string_view key) {
  const std::size_t first = key.find('/');
  const std::size_t second = first == std::string_view::npos ? first : key.find('/', first + 1);
  if (second == std::string_view::npos) {
    return false;
  }
  const std::string_view name_space = key.substr(first + 1, second - first - 1);
  const std::string_view name = key.substr(second + 1);
  return std::any_of(k_transient.begin(), k_transient.end(), [&](const TransientObjects& one) {
    return one.kind == key.substr(0, first) && name.starts_with(one.name_prefix) &&
           (one.name_space.empty() || one.name_space == name_space);
  });
}

bool has_transient_objects(std::string_view kind) {
  return std::any_of(k_transient.begin(), k_transient.end(), [&](const TransientObjects& one) {
    return one.kind == kind;
  });
}

} // namespace rb::recover
