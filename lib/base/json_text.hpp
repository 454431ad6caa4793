// JSON is read in one place: the reader's templates are compiled once, and nothing here throws.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace rb {

/// The document that `text` is; a discarded value (is_discarded()) where it is not one JSON value
/// in UTF-8 and nothing else. Never throws but for memory.
[[nodiscard]] nlohmann::json json_of(std::string_view text);

} // namespace rb
