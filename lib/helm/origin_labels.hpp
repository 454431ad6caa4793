// The HelmRelease that a release comes from, as its own manifest tells. Flux labels everything that
// it installs, but not the object that Helm keeps the release in. Private to this room.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace rb::helm {

/// The labels helm.toolkit.fluxcd.io/name and …/namespace, as Flux writes them: one right after the
/// other. `manifest_json` is the manifest as it stands in the record's JSON, not decoded. Empty:
/// Flux installed nothing of it.
[[nodiscard]] std::map<std::string, std::string> flux_labels(std::string_view manifest_json);

} // namespace rb::helm
