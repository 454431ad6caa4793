// Which releases k3s installs by itself, from HelmCharts.
#include "controller/helm_releases.hpp"

#include "base/json_member.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rb::controller {

namespace {

constexpr const char* k_kind = "HelmChart";
/// A HelmChart with this annotation is nobody's business.
constexpr const char* k_unmanaged = "helmcharts.helm.cattle.io/unmanaged";
/// A HelmChart can carry its whole chart.
constexpr unsigned k_page_size = 16;

/// By namespace and name of the release.
using Owners = std::map<std::pair<std::string, std::string>, api::ReleaseOwner>;

bool keeps_of_chart(int depth, std::string_view key) {
  switch (depth) {
  case 0:
    return key == "metadata" || key == "spec";
  case 1:
    return key == "name" || key == "namespace" || key == "annotations" || key == "targetNamespace";
  default:
    return key == k_unmanaged;
  }
}

/// The release has the HelmChart's name, and lies in the namespace that it installs into.
void note(Owners& owners, const nlohmann::json& chart) {
  const nlohmann::json& metadata = json_member(chart, "metadata");
  if (!json_member(json_member(metadata, "annotations"), k_unmanaged).is_null()) {
    return;
  }
  const std::string name = json_text(metadata, "name");
  const std::string name_space = json_text(metadata, "namespace");
  const std::string target = json_text(json_member(chart, "spec"), "targetNamespace");
  owners.insert_or_assign({target.empty() ? name_space : target, name},
                          api::ReleaseOwner{k_kind, name_space, name});
}

/// Nothing where they cannot be listed. Where there is no such kind (k3s with
/// disable-helm-controller does not even make it), nothing is installed by one.
std::optional<Owners> list_owners(kube::Client& client, std::stop_token stop) {
  Owners owners;
  kube::ListOptions options;
  options.page_size = k_page_size;
  options.keep = keeps_of_chart;
  const ListSink sink{[&](const std::string&) { owners.clear(); },
                      [&](const nlohmann::json& items) {
                        for (const nlohmann::json& item : items) {
                          note(owners, item);
                        }
                      }};
  const Status listed =
      list_namespace(client, kube::k_helm_charts, "", options, sink, std::move(stop));
  const bool known = listed || listed.error().code == ErrorCode::not_found;
  return known ? std::optional(std::move(owners)) : std::nullopt;
}

} // namespace

void settle_chart_owners(kube::Client& client, helm::Inventory& inventory, std::stop_token stop) {
  const auto is_open = [](const helm::Release& release) {
    return !release.owner || release.owner->kind == k_kind;
  };
  if (std::ranges::none_of(inventory.releases, is_open)) {
    return;
  }
  const std::optional<Owners> owners = list_owners(client, std::move(stop));
  if (!owners) {
    return;
  }
  for (helm::Release& release : inventory.releases) {
    if (is_open(release)) {
      const auto found = owners->find({release.key.name_space, release.key.name});
      release.owner = found == owners->end() ? std::nullopt : std::optional(found->second);
    }
  }
}

} // namespace rb::controller
