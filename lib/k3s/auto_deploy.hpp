// What k3s takes in by itself from its data directory: archives of images, and manifests, which it
// applies as an Addon of the file's name. Source: k3s, pkg/deploy and pkg/agent/containerd;
// docs/decisions/0031-install.md says what was read there.
#pragma once

#include <string>
#include <string_view>

namespace rb::k3s {

/// Where every node looks for *.tar at its start (and, since the releases of January 2025, always).
[[nodiscard]] inline std::string image_directory(const std::string& data_dir) {
  return data_dir + "/agent/images";
}

/// Where a server looks for *.yaml every fifteen seconds.
[[nodiscard]] inline std::string manifest_directory(const std::string& data_dir) {
  return data_dir + "/server/manifests";
}

/// A file of that name beside a manifest makes k3s pass the manifest over, and leaves what it has
/// made of it.
[[nodiscard]] inline std::string skip_name(std::string_view manifest) {
  return std::string(manifest) + ".skip";
}

/// The namespace of Addons. The name of one is that of its file up to the first dot.
inline constexpr std::string_view k_addon_namespace = "kube-system";
[[nodiscard]] inline std::string addon_name(std::string_view manifest) {
  return std::string(manifest.substr(0, manifest.find('.')));
}

} // namespace rb::k3s
