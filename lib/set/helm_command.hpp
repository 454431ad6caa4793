// The line that makes a release anew, or the comment that says why there is none. Pure.
#pragma once

#include "helm/index.hpp"

#include <string>
#include <string_view>

namespace rb::set {

using HelmRelease = helm::IndexedRelease;

/// For a POSIX shell. What is not a name or version by Helm's own rules never becomes a command:
/// a chart "oci://…" or "./x" would install what somebody else put there.
struct HelmCommand {
  /// "helm upgrade --install NAME "${REPO:?}/CHART" --namespace NS --create-namespace --version V
  /// -f FILE"; empty where there is none. A release does not record its chart's repository: the
  /// shell refuses the line until REPO is set.
  std::string line;
  /// One line without "# ": who owns the release, or why there is no command. May be empty.
  std::string note;

  /// Both, as lines of a script; with their line ends.
  [[nodiscard]] std::string text() const;
};

/// The values lie in `directory`. A release that a controller installs gets a note that names it; a
/// line as well where the controller may be gone (Flux, Fleet), and none for what k3s installs
/// itself or Fleet makes a chart of. What was uninstalled gets none either.
[[nodiscard]] HelmCommand helm_command(const HelmRelease& release, const std::string& directory);

/// Helm's rules: pkg/chartutil (a chart's name), pkg/action (a release's), Kubernetes's DNS labels,
/// and semantic versions as Masterminds/semver reads them.
[[nodiscard]] bool is_chart_name(std::string_view text);
[[nodiscard]] bool is_release_name(std::string_view text);
[[nodiscard]] bool is_namespace(std::string_view text);
[[nodiscard]] bool is_chart_version(std::string_view text);

} // namespace rb::set
