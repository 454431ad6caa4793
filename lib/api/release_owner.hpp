// Who installs a Helm release: somebody at a shell, or a controller that would fight with him.
// Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rb::api {

/// The object whose controller keeps the release as it is.
struct ReleaseOwner {
  std::string kind; ///< "Flux HelmRelease", "HelmChart", "Fleet bundle", or an operator's own
  std::string name_space;
  std::string name;

  /// "Flux HelmRelease flux-system/web"; without what is not known.
  [[nodiscard]] std::string text() const;
};

/// What is known of a release. Tenants can write all of it: it decides on words, never on access.
struct OwnerEvidence {
  std::string_view name_space; ///< Where Helm keeps it.
  std::string_view name;
  std::string_view chart_version;
  std::string_view bundle_id; ///< The chart's annotation fleet.cattle.io/bundle-id.
  /// Of the object that Helm keeps it in, and those that Flux gives all that it installs.
  std::map<std::string, std::string> labels;
  std::optional<ReleaseOwner> controller = {}; ///< Of that object, by its ownerReferences.
};

/// Of an entry of ownerReferences that is the controller. Empty: no names that can be shown.
[[nodiscard]] std::optional<ReleaseOwner> controlling_object(std::string_view kind,
                                                             std::string_view name);

/// An operator that installs a chart for each of its objects (Operator SDK's plugin "helm") makes
/// that the controller of Helm's Secret. Flux labels what it installs. Fleet, and the charts that
/// k3s and RKE2 bring along for their HelmChart controller, annotate the chart; so k3s's own are
/// known by their names and place where the annotation is not recorded. Argo CD keeps no releases.
[[nodiscard]] std::optional<ReleaseOwner> find_owner(const OwnerEvidence& release);

/// The labels helm.toolkit.fluxcd.io/name and …/namespace in a release's own manifest, as Flux
/// writes them to all that it installs, one right after the other; the object that Helm keeps the
/// release in has none. `manifest_json` is the manifest as it stands in the record's JSON, not
/// decoded. Empty: Flux installed nothing of it.
[[nodiscard]] std::map<std::string, std::string> flux_labels(std::string_view manifest_json);

} // namespace rb::api
