#include "objects/self_made.hpp"

#include <algorithm>
#include <array>

namespace rb::objects {

namespace {

using Which = SelfMade::Which;

constexpr std::string_view k_suffix_characters = "bcdfghjklmnpqrstvwxz2456789";

constexpr std::string_view k_at_start = "the API server makes it at each start";
constexpr std::string_view k_flow = "the release that runs makes and removes what it suggests";
constexpr std::string_view k_node = "a node and its plugins write it, and it goes with the node";
constexpr std::string_view k_controller = "its controller makes others in its place";

constexpr SelfMade k_table[] = {
    // The API server's own keys.
    {"ranges/**", "addresses and ports that are taken, computed anew", Which::unserved},
    {"masterleases/**", "an API server's sign of life", Which::unserved},
    {"peerserverleases/**", "an API server's sign of life", Which::unserved},
    {"health", "a probe of etcd", Which::unserved},
    {"health/**", "a probe of etcd", Which::unserved},
    // What lives for a while, or as long as somebody renews it.
    {"events/**", "Events expire after an hour"},
    {"leases/**", "whoever holds it renews it, and it goes with its holder"},
    {"leasecandidates/**", "whoever holds it renews it, and it goes with its holder"},
    {"certificatesigningrequests/**", "requests are removed some hours after they were answered"},
    {"storageversions/**", "each API server writes it at its start, and it goes with its server"},
    {"clustertrustbundles/kubernetes.io:*", "kube-controller-manager publishes it"},
    // Nodes.
    {"minions/**", "a node registers itself, and is removed when it is gone"},
    {"csinodes/**", k_node},
    {"csistoragecapacities/**", k_node},
    {"resourceslices/**", k_node},
    {"volumeattachments/**", "it follows from where pods run"},
    // What controllers make of what the operator made.
    {"pods/**", k_controller, Which::controlled},
    {"controllerrevisions/**", "old ones are removed by their controller", Which::controlled},
    {"resourceclaims/**", "made for a pod, and goes with it", Which::controlled},
    {"endpointslices/**", "computed from a Service and its pods", Which::controlled},
    {"services/endpoints/**", "computed from a Service and its pods"},
    {"ipaddresses/**", "computed from the addresses of Services"},
    {"jobs/**", "made by CronJobs and charts, and removed when it has ended"},
    {"apiregistration.k8s.io/apiservices/**",
     "the aggregator registers what is built in or defined",
     Which::controlled},
    {"configmaps/*/kube-root-ca.crt", "made in every namespace"},
    {"serviceaccounts/*/default", "made in every namespace"},
    {"secrets/*/*-token-?????", "a service account's token; those that nobody uses are removed"},
    {"secrets/kube-system/bootstrap-token-*", "a token to join with; removed when it has expired"},
    // Defaults of the API server.
    {"namespaces/default", k_at_start},
    {"namespaces/kube-system", k_at_start},
    {"namespaces/kube-public", k_at_start},
    {"namespaces/kube-node-lease", k_at_start},
    {"services/specs/default/kubernetes", k_at_start},
    {"servicecidrs/kubernetes", k_at_start},
    {"priorityclasses/system-*", k_at_start},
    {"clusterroles/system:*", k_at_start},
    {"clusterroles/cluster-admin", k_at_start},
    {"clusterroles/admin", k_at_start},
    {"clusterroles/edit", k_at_start},
    {"clusterroles/view", k_at_start},
    {"clusterrolebindings/system:*", k_at_start},
    {"clusterrolebindings/cluster-admin", k_at_start},
    {"roles/*/system:*", k_at_start},
    {"rolebindings/*/system:*", k_at_start},
    {"configmaps/kube-system/extension-apiserver-authentication", k_at_start},
    {"configmaps/kube-system/kube-apiserver-legacy-service-account-token-tracking", k_at_start},
    // Suggested and mandatory ones of any release: 1.34 dropped two.
    {"flowschemas/exempt", k_flow},
    {"flowschemas/catch-all", k_flow},
    {"flowschemas/probes", k_flow},
    {"flowschemas/system-leader-election", k_flow},
    {"flowschemas/workload-leader-election", k_flow},
    {"flowschemas/endpoint-controller", k_flow},
    {"flowschemas/system-nodes", k_flow},
    {"flowschemas/system-node-high", k_flow},
    {"flowschemas/kube-controller-manager", k_flow},
    {"flowschemas/kube-scheduler", k_flow},
    {"flowschemas/kube-system-service-accounts", k_flow},
    {"flowschemas/service-accounts", k_flow},
    {"flowschemas/global-default", k_flow},
    {"prioritylevelconfigurations/exempt", k_flow},
    {"prioritylevelconfigurations/catch-all", k_flow},
    {"prioritylevelconfigurations/system", k_flow},
    {"prioritylevelconfigurations/node-high", k_flow},
    {"prioritylevelconfigurations/leader-election", k_flow},
    {"prioritylevelconfigurations/workload-high", k_flow},
    {"prioritylevelconfigurations/workload-low", k_flow},
    {"prioritylevelconfigurations/global-default", k_flow},
    // k3s.
    {"secrets/kube-system/*.node-password.k3s",
     "k3s deletes it after a reset, and makes it anew when the node registers"},
    {"secrets/kube-system/k3s-serving", "k3s makes its serving certificate anew"},
    {"configmaps/kube-system/k3s-etcd-snapshots", "k3s lists the snapshots that it finds"},
    {"configmaps/kube-system/cluster-dns", "k3s writes it at each start"},
    {"k3s.cattle.io/etcdsnapshotfiles/**", "k3s lists the snapshots that it finds"},
    {"k3s.cattle.io/addons/**", "k3s notes what it has made of server/manifests"},
    {"daemonsets/kube-system/svclb-*", "k3s makes it for a Service of type LoadBalancer"},
    {"secrets/*/chart-values-*", "k3s makes it of a HelmChart", Which::controlled},
    {"configmaps/*/chart-content-*", "k3s makes it of a HelmChart", Which::controlled},
    // Ours. A run that a snapshot was taken in is unfinished in it: the controller that comes up
    // again settles it.
    {"configmaps/*/railiance-backup-payload-*", "the payload of a run goes when the run ends"},
    {"backup.railiance.io/nodebackups/**", "an order goes with its run"},
    {"backup.railiance.io/clusterbackups/**", "of those that have ended only the newest are kept"},
};

bool is_suffix_character(char c) {
  return k_suffix_characters.find(c) != std::string_view::npos;
}

bool fits(std::string_view pattern, std::string_view key) {
  if (pattern == "**") {
    return !key.empty();
  }
  if (pattern.empty() || key.empty()) {
    return key.empty() && pattern.find_first_not_of('*') == std::string_view::npos;
  }
  if (pattern.front() == '*') {
    return fits(pattern.substr(1), key) || (key.front() != '/' && fits(pattern, key.substr(1)));
  }
  const bool same =
      pattern.front() == '?' ? is_suffix_character(key.front()) : pattern.front() == key.front();
  return same && fits(pattern.substr(1), key.substr(1));
}

} // namespace

const SelfMade* self_made(std::string_view key, bool controlled) {
  const auto* const found =
      std::find_if(std::begin(k_table), std::end(k_table), [&](const SelfMade& row) {
        return (row.which != Which::controlled || controlled) && fits(row.keys, key);
      });
  return found == std::end(k_table) ? nullptr : found;
}

const SelfMade* self_made_kind(std::string_view kind) {
  const auto* const found =
      std::find_if(std::begin(k_table), std::end(k_table), [&](const SelfMade& row) {
        return row.which == Which::all && row.keys.size() == kind.size() + 3 &&
               row.keys.starts_with(kind) && row.keys.ends_with("/**");
      });
  return found == std::end(k_table) ? nullptr : found;
}

bool is_unserved(std::string_view key) {
  const SelfMade* const row = self_made(key, false);
  return row != nullptr && row->which == Which::unserved;
}

} // namespace rb::objects
