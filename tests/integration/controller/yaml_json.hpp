// YAML files of the project as the JSON that the API takes.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace rb::test {

/// Throws on a file that cannot be read or parsed.
[[nodiscard]] nlohmann::json json_from_yaml_file(const std::string& path);

} // namespace rb::test
