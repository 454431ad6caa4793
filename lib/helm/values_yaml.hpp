// The values of one release as a YAML file that every parser reads alike.
//
// The emitter is ours, because yaml-cpp's is for YAML 1.2 readers: it leaves `y`, `no`, `1e3`,
// `0o7`, `12:30:00` or `=` without quotes where they are strings, and a YAML 1.1 parser (go-yaml in
// Helm, PyYAML) makes other values of them. Here a string stands without quotes only when it cannot
// be anything else, as a literal block when it has several plain lines, and in double quotes
// otherwise.
#pragma once

#include "base/result.hpp"
#include "base/secret_bytes.hpp"
#include "helm/limits.hpp"

#include <string_view>

namespace rb::helm {

/// `config_json`: the JSON text of a release's `config`, an object or null (as Helm stores it).
/// Returns UTF-8 text that ends in a line feed and parses to the values that
/// `helm get values NAME -n NAMESPACE -o yaml` parses to, by sigs.k8s.io/yaml (which Helm uses) and
/// by YAML 1.1 and 1.2 parsers alike. null gives "null", {} gives "{}", as Helm prints them. Keys
/// are sorted by their bytes.
///
/// Numbers keep the digits that Helm stored. `helm get values` shows them after a way through
/// float64, so 9007199254740993 (from --set) appears there as 9007199254740992; Helm reads values
/// files through float64, too, so both files give the same values, and ours tells what was meant.
///
/// Errors: corrupt (not JSON, or not an object), unsupported (a limit).
[[nodiscard]] Result<SecretBytes> values_yaml(std::string_view config_json,
                                              const Limits& limits = {});

} // namespace rb::helm
