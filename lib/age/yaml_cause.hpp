// Why a text is no YAML, in words that help: what people trip over when they write a .sops.yaml.
#pragma once

#include <string>
#include <string_view>

namespace rb::age {

/// Of that line (from 0) of `text`, where a parser gave up; empty: nothing that is known.
[[nodiscard]] std::string likely_yaml_cause(std::string_view text, int line);

} // namespace rb::age
