// JSON is read in one place: the reader's templates are compiled once, and nothing here throws.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <string_view>

namespace rb {

/// The document that `text` is; a discarded value (is_discarded()) where it is not one JSON value
/// in UTF-8 and nothing else. Never throws but for memory.
[[nodiscard]] nlohmann::json json_of(std::string_view text);

/// Whether the value of a key is kept; the keys of the document itself have the depth 1, and a list
/// counts as one more.
using JsonKeep = std::function<bool(int depth, std::string_view key)>;

/// The same, without what is not kept: that takes no memory while the text is read.
[[nodiscard]] nlohmann::json json_of(std::string_view text, const JsonKeep& keep);

} // namespace rb
