// YAML as far as the checks look at it. yaml-cpp throws, and keeps what it reads in memory that is
// not wiped: only short-lived programs and checks use this.
#pragma once

#include <string_view>

namespace rb::set {

enum class YamlKind { invalid, null, scalar, sequence, map };

/// What one YAML document is; invalid also for several.
[[nodiscard]] YamlKind yaml_kind(std::string_view text);

} // namespace rb::set
