#include "cli/install/installed.hpp"

#include "cli/install/kept.hpp"
#include "cli/install/lay_down.hpp"
#include "cli/install/manifests.hpp"
#include "k3s/auto_deploy.hpp"
#include "terminal/terminal_text.hpp"

#include "base/json_member.hpp"
#include "kube/resource.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace rb::install {

namespace {

using kube::ResourceType;
using nlohmann::json;

constexpr ResourceType k_cron_jobs{"batch", "v1", "cronjobs", true, false};
constexpr ResourceType k_nodes{"", "v1", "nodes", false, false};
constexpr ResourceType k_addons{"k3s.cattle.io", "v1", "addons", true, false};

constexpr const char* k_release_annotation = "meta.helm.sh/release-name";
/// By which k3s knows what it has made of a manifest.
constexpr const char* k_owner_annotation = "objectset.rio.cattle.io/owner-name";

struct Kind {
  std::string_view kind;
  ResourceType type;
};

constexpr std::array<Kind, 12> k_kinds{
    {{"Namespace", kube::k_namespaces},
     {"ConfigMap", kube::k_config_maps},
     {"ServiceAccount", {"", "v1", "serviceaccounts", true, false}},
     {"CustomResourceDefinition",
      {"apiextensions.k8s.io", "v1", "customresourcedefinitions", false, false}},
     {"NetworkPolicy", {"networking.k8s.io", "v1", "networkpolicies", true, false}},
     {"ClusterRole", {"rbac.authorization.k8s.io", "v1", "clusterroles", false, false}},
     {"ClusterRoleBinding",
      {"rbac.authorization.k8s.io", "v1", "clusterrolebindings", false, false}},
     {"Role", {"rbac.authorization.k8s.io", "v1", "roles", true, false}},
     {"RoleBinding", {"rbac.authorization.k8s.io", "v1", "rolebindings", true, false}},
     {"DaemonSet", k_daemon_sets},
     {"Deployment", k_deployments},
     {"CronJob", k_cron_jobs}}};

kube::ObjectRef addon_ref() {
  return {k_addons, std::string(k3s::k_addon_namespace), k3s::addon_name(k_laid_manifest), ""};
}

bool is_ours(const json& secret) {
  const std::string type = json_text(secret, "type");
  return type == "kubernetes.io/service-account-token" || type == "helm.sh/release.v1";
}

/// Secrets of the operator's in our namespace.
Result<std::vector<std::string>> foreign_secrets(kube::Client& client,
                                                 const std::stop_token& stop) {
  const auto secrets = client.list_all(kube::k_secrets, k_namespace, {}, stop);
  if (!secrets && secrets.error().code == ErrorCode::not_found) {
    return std::vector<std::string>();
  }
  if (!secrets) {
    return secrets.error();
  }
  std::vector<std::string> names;
  for (const json& secret : *secrets) {
    if (!is_ours(secret)) {
      names.push_back(json_text(kube::metadata_of(secret), "name"));
    }
  }
  return names;
}

/// What the newest revision says counts: `helm uninstall --keep-history` leaves the older ones as
/// superseded.
bool is_installed(const json& revisions) {
  int newest = -1;
  std::string status = "uninstalled";
  for (const json& revision : revisions) {
    const json& labels = json_member(kube::metadata_of(revision), "labels");
    const std::string text = json_text(labels, "version");
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    if (number > newest) {
      newest = number;
      status = json_text(labels, "status");
    }
  }
  return status != "uninstalled";
}

} // namespace

Result<json> addon_of(kube::Client& client, const std::stop_token& stop) {
  return get_if_there(client, addon_ref(), stop);
}

std::string applied_checksum(const json& addon) {
  return json_text(json_member(addon, "spec"), "checksum");
}

Result<json>
get_if_there(kube::Client& client, const kube::ObjectRef& ref, const std::stop_token& stop) {
  auto object = client.get(ref, stop);
  if (!object && object.error().code == ErrorCode::not_found) {
    return json();
  }
  return object;
}

Result<Installed> who_installed(kube::Client& client, const std::stop_token& stop) {
  RB_TRY_ASSIGN(const json controller,
                get_if_there(client, {k_deployments, k_namespace, k_controller, ""}, stop));
  const json& annotations = json_member(kube::metadata_of(controller), "annotations");
  Installed installed;
  installed.release = json_text(annotations, k_release_annotation);
  if (installed.release.empty()) {
    // One that failed, or is being installed.
    kube::ListOptions options;
    options.label_selector = "owner=helm,name=railiance-backup";
    options.metadata_only = true;
    RB_TRY_ASSIGN(const json releases,
                  client.list_all(kube::k_secrets, k_namespace, options, stop));
    installed.release = is_installed(releases) ? k_namespace : "";
  }
  if (!installed.release.empty()) {
    installed.by = Installer::helm;
  } else if (!controller.is_null()) {
    const bool by_k3s = json_text(annotations, k_owner_annotation) == addon_ref().name;
    installed.by = by_k3s ? Installer::k3s : Installer::kubectl;
  }
  return installed;
}

Result<std::vector<json>> workloads_of(kube::Client& client, const std::stop_token& stop) {
  std::vector<json> found;
  for (const kube::ObjectRef& ref :
       {kube::ObjectRef{kube::k_config_maps, k_namespace, k_sops_config_map, ""},
        kube::ObjectRef{k_daemon_sets, k_namespace, k_agent, ""},
        kube::ObjectRef{k_deployments, k_namespace, k_controller, ""},
        kube::ObjectRef{k_cron_jobs, k_namespace, k_namespace, ""}}) {
    RB_TRY_ASSIGN(json object, get_if_there(client, ref, stop));
    if (!object.is_null()) {
      found.push_back(std::move(object));
    }
  }
  return found;
}

Result<kube::ObjectRef> ref_of(const json& object) {
  const std::string kind = json_text(object, "kind");
  const auto* const found =
      std::ranges::find_if(k_kinds, [&](const Kind& known) { return known.kind == kind; });
  if (found == k_kinds.end()) {
    return Error{ErrorCode::unsupported, "a manifest has the kind " + terminal_text(kind), {}};
  }
  const json& metadata = kube::metadata_of(object);
  return kube::ObjectRef{found->type,
                         found->type.namespaced ? json_text(metadata, "namespace") : "",
                         json_text(metadata, "name"),
                         ""};
}

Result<bool> forget_if_incomplete(kube::Client& client,
                                  const std::vector<json>& objects,
                                  std::string_view checksum,
                                  const std::stop_token& stop) {
  RB_TRY_ASSIGN(const json addon, addon_of(client, stop));
  if (applied_checksum(addon) != checksum) {
    return false; // k3s will look by itself
  }
  for (const json& object : objects) {
    RB_TRY_ASSIGN(const kube::ObjectRef ref, ref_of(object));
    RB_TRY_ASSIGN(const json there, get_if_there(client, ref, stop));
    if (there.is_null()) {
      Status removed = client.remove(addon_ref(), {}, stop);
      if (!removed && removed.error().code != ErrorCode::not_found) {
        return std::move(removed).error();
      }
      return true;
    }
  }
  return false;
}

Result<std::vector<std::string>>
other_servers(kube::Client& client, const std::string& own, const std::stop_token& stop) {
  kube::ListOptions options;
  options.label_selector = "node-role.kubernetes.io/control-plane";
  options.metadata_only = true;
  RB_TRY_ASSIGN(const json nodes, client.list_all(k_nodes, "", options, stop));
  std::vector<std::string> names;
  for (const json& node : nodes) {
    if (const std::string name = json_text(kube::metadata_of(node), "name"); name != own) {
      names.push_back(name);
    }
  }
  return names;
}

Result<Removal> remove_objects(kube::Client& client,
                               const std::vector<json>& objects,
                               const std::stop_token& stop) {
  Removal removal;
  RB_TRY_ASSIGN(removal.kept_secrets, foreign_secrets(client, stop));
  const auto remove = [&](const kube::ObjectRef& ref) -> Status {
    Status removed = client.remove(ref, {}, stop);
    if (!removed && removed.error().code == ErrorCode::not_found) {
      return {};
    }
    removal.removed += removed ? 1U : 0U;
    return removed;
  };
  RB_TRY(remove(addon_ref()));
  for (std::size_t left = objects.size(); left > 0; --left) { // what was applied last goes first
    const json& object = objects[left - 1];
    const std::string kind = json_text(object, "kind");
    const bool stays = kind == "CustomResourceDefinition" ||
                       (kind == "Namespace" && !removal.kept_secrets.empty());
    if (stays) {
      continue;
    }
    RB_TRY_ASSIGN(const kube::ObjectRef ref, ref_of(object));
    RB_TRY(remove(ref));
  }
  return removal;
}

Status wait_until_gone(kube::Client& client,
                       std::chrono::seconds timeout,
                       const Clock& clock,
                       Waiter& waiter,
                       const std::stop_token& stop) {
  constexpr std::chrono::milliseconds k_interval{500};
  const auto end = clock.steady_now() + timeout;
  while (true) {
    RB_TRY_ASSIGN(const json there,
                  get_if_there(client, {kube::k_namespaces, "", k_namespace, ""}, stop));
    if (there.is_null()) {
      return {};
    }
    if (clock.steady_now() >= end) {
      return Error{ErrorCode::timeout,
                   "the namespace railiance-backup is not gone after " +
                       std::to_string(timeout.count()) + " s",
                   "it goes on by itself; k3s kubectl get namespace railiance-backup -o yaml says "
                   "what keeps it"};
    }
    if (!waiter.wait(k_interval, stop)) {
      return Error{ErrorCode::cancelled, "stopped waiting; it goes on by itself", {}};
    }
  }
}

} // namespace rb::install
