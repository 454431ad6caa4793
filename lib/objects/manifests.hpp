// The objects of a file of manifests: YAML documents, as people and charts write them, as the JSON
// that the API takes.
#pragma once

#include "base/result.hpp"

#include <nlohmann/json.hpp>

#include <string_view>
#include <vector>

namespace rb::objects {

/// In the order of the file; documents without contents are left out. A plain scalar is null, a
/// boolean or a number where YAML 1.2 says so, else a string. Errors: corrupt (not YAML; a document
/// that is no object with apiVersion, kind and metadata.name; a plain scalar such as `yes`, which
/// is a string to one parser and a boolean to another; a key that is no string or stands twice).
/// The message names the line.
[[nodiscard]] Result<std::vector<nlohmann::json>> objects_of_yaml(std::string_view text);

} // namespace rb::objects
