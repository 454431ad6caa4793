// k3s's configuration files: config.yaml and config.yaml.d, as k3s turns them into arguments.
// Source: k3s, pkg/configfilearg: later files override, `key+` appends, YAML 1.1.
#pragma once

#include "k3s/host_files.hpp"
#include "k3s/settings.hpp"

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

inline constexpr std::string_view k_usual_config = "/etc/rancher/k3s/config.yaml";

/// The files that count, in their order: `main` where it is there, and those of `main`.d.
[[nodiscard]] std::vector<std::string> config_files(const HostFiles& files,
                                                    const std::string& main);

/// Lays one file over what the earlier ones said. Errors: corrupt (not YAML, not a mapping: k3s
/// would not start with it); `settings` is then as it was. The message names the line, never what
/// stands there.
[[nodiscard]] Status
merge_config(std::vector<Setting>& settings, std::string_view text, const std::string& path);

} // namespace rb::k3s
