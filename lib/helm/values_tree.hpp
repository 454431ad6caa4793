// The values of a release as a tree whose texts are wiped. Not nlohmann::json, which neither keeps
// the digits of a number nor wipes its strings. Private to this room.
#pragma once

#include "base/result.hpp"
#include "base/secret_bytes.hpp"
#include "helm/json_reader.hpp"
#include "helm/limits.hpp"

#include <string_view>
#include <vector>

namespace rb::helm {

struct Value {
  JsonKind kind = JsonKind::null;
  std::string_view key;        ///< Decoded, in an object.
  std::string_view text;       ///< A string decoded; else number or literal as JSON writes it.
  std::vector<Value> children; ///< Of an object: sorted by key, no key twice.
};

/// Valid as long as the text that it was made from.
struct ValuesTree {
  Value root;
  std::vector<SecretBytes> decoded; ///< What `key` and `text` point to where it is not that text.
};

/// A key given twice: the last one counts, as in Go. Errors: corrupt (not JSON; a number beyond
/// what a float64 holds, which Helm does not read either), unsupported (a limit).
[[nodiscard]] Result<ValuesTree> parse_values(std::string_view json, const Limits& limits);

} // namespace rb::helm
