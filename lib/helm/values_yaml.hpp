// The values of one release as a YAML file that every parser reads alike.
#pragma once

#include "base/result.hpp"
#include "base/secret_bytes.hpp"
#include "helm/limits.hpp"

#include <string_view>

namespace rb::helm {

/// `config_json`: the JSON text of a release's `config`, an object or null (as Helm stores it).
/// Returns UTF-8 text that ends in a line feed and parses to the values that
/// `helm get values NAME -n NAMESPACE -o yaml` parses to, by sigs.k8s.io/yaml (which Helm uses) and
/// by YAML 1.1 and 1.2 parsers alike. null gives "null", {} gives "{}", as Helm prints them.
///
/// Errors: corrupt (not JSON, or not an object), unsupported (deeper than `max_depth`).
[[nodiscard]] Result<SecretBytes> values_yaml(std::string_view config_json,
                                              const Limits& limits = {});

} // namespace rb::helm
